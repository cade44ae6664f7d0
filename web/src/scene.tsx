// A space-time diagram as `Scene.to_json` of quorate.report.scene describes it. Where everything stands is decided there.
import type { ComponentChildren, JSX } from "preact";

export type Point = [number, number];
type Rect = [number, number, number, number];

interface Box { rect: Rect; fill: string; stroke: string; pen?: number; rounded?: boolean }
interface Curve { points: Point[]; colour: string; pen?: number; style?: "dashed" | "dotted"; arrow?: boolean; ends?: [string, string] }
interface Mark {
  name: string; centre: Point; shape: "circle" | "square" | "diamond" | "none"; radius: number; fill: string; stroke: string;
  pen?: number; sign?: string; sign_colour?: string;
}
interface Text {
  x: number; y: number; text: string; size?: number; colour?: string; bold?: boolean; italic?: boolean;
  anchor?: "middle" | "right"; background?: string; full?: string; box?: Rect;
}
export interface Band { index: number; top: number; bottom: number }

export interface Scene {
  width: number; height: number; title: string; description: string;
  boxes: Box[]; curves: Curve[]; marks: Mark[]; texts: Text[]; bands: Band[]; lanes: Record<string, number>; top: number; foot: number;
}

const ARROW = 8;
const DASHES = { dashed: "5 3", dotted: "1 5" } as const;

function path(points: Point[]): string {
  const [first, ...rest] = points;
  return `M${first?.join(" ")}C${rest.map((point) => point.join(" ")).join(" ")}`;
}

/** The curve up to its arrow head, and the head: a triangle whose tip is the curve's last point. */
function headed(points: Point[]): { line: Point[]; head: string } {
  const [x, y] = points[points.length - 1]!;
  const [u, v] = points[points.length - 2]!;
  const length = Math.hypot(x - u, y - v) || 1;
  const [dx, dy] = [((x - u) / length) * ARROW, ((y - v) / length) * ARROW];
  const [bx, by] = [x - dx, y - dy];
  const head = `${x},${y} ${bx - dy * 0.42},${by + dx * 0.42} ${bx + dy * 0.42},${by - dx * 0.42}`;
  return { line: [...points.slice(0, -1), [bx, by]], head };
}

function CurveView({ curve }: { curve: Curve }): JSX.Element {
  const { line, head } = curve.arrow ? headed(curve.points) : { line: curve.points, head: "" };
  return (
    <>
      <path d={path(line)} fill="none" stroke={curve.colour} stroke-width={curve.pen ?? 1}
        {...(curve.style ? { "stroke-dasharray": DASHES[curve.style] } : {})} />
      {head && <polygon points={head} fill={curve.colour} stroke="none" />}
    </>
  );
}

function MarkView({ mark }: { mark: Mark }): JSX.Element {
  const [x, y] = mark.centre;
  const r = mark.radius;
  const paint = { fill: mark.fill, stroke: mark.stroke, "stroke-width": mark.pen ?? 1 };
  return (
    <g>
      {!mark.name.startsWith(".") && <title>{mark.name}</title>}
      {mark.shape === "circle" && <circle cx={x} cy={y} r={r} {...paint} />}
      {mark.shape === "square" && <rect x={x - r} y={y - r} width={2 * r} height={2 * r} {...paint} />}
      {mark.shape === "diamond" && <polygon points={`${x},${y - r} ${x + r},${y} ${x},${y + r} ${x - r},${y}`} {...paint} />}
      {mark.sign && (
        <text x={x} y={y} dy="0.36em" text-anchor="middle" font-weight="bold" font-size={1.5 * r} fill={mark.sign_colour ?? "#FFFFFF"}>
          {mark.sign}
        </text>
      )}
    </g>
  );
}

const ANCHORS = { middle: "middle", right: "end" } as const;

function TextView({ text }: { text: Text }): JSX.Element {
  const box = text.box;
  return (
    <g>
      {text.full && <title>{text.full}</title>}
      {text.background && box && (
        <rect x={box[0]} y={box[1]} width={box[2] - box[0]} height={box[3] - box[1]} fill={text.background} />
      )}
      <text x={text.x} y={text.y} dy="0.35em" font-size={text.size ?? 11} fill={text.colour ?? "#1F2933"}
        {...(text.bold ? { "font-weight": "bold" } : {})} {...(text.italic ? { "font-style": "italic" } : {})}
        {...(text.anchor ? { "text-anchor": ANCHORS[text.anchor] } : {})}>
        {text.text}
      </text>
    </g>
  );
}

/** What is drawn once and stays, whatever the current step is. */
export function Drawing({ scene }: { scene: Scene }): JSX.Element {
  return (
    <g>
      {scene.curves.filter((curve) => !curve.ends).map((curve, key) => <CurveView key={key} curve={curve} />)}
      {scene.curves.filter((curve) => curve.ends).map((curve, key) => <CurveView key={key} curve={curve} />)}
      {scene.boxes.map(({ rect: [l, t, r, b], fill, stroke, pen, rounded }, key) => (
        <rect key={key} x={l} y={t} width={r - l} height={b - t} rx={rounded === false ? 0 : 9} fill={fill} stroke={stroke} stroke-width={pen ?? 1} />
      ))}
      {scene.marks.map((mark, key) => <MarkView key={key} mark={mark} />)}
      {scene.texts.map((text, key) => <TextView key={key} text={text} />)}
    </g>
  );
}

interface DiagramProps { scene: Scene; current: number; last: number; go: (step: number) => void; crop?: boolean; children?: ComponentChildren }

/** The diagram, with what comes after the current step veiled. A click on a row goes to its step. `crop`: without the heads of the lanes. */
export function Diagram({ scene, current, last, go, crop, children }: DiagramProps): JSX.Element {
  const band = scene.bands.find((one) => one.index === current);
  const top = band ? band.bottom : current === 0 ? scene.bands[0]?.top ?? 0 : scene.foot;
  const upper = crop ? (scene.bands[0]?.top ?? scene.foot) - 4 : scene.top;
  const height = scene.height - upper;
  return (
    <svg class="diagram" viewBox={`0 ${upper} ${scene.width} ${height}`} width={scene.width} height={height}
      role="img" aria-label={scene.title}>
      <desc>{scene.description}</desc>
      {band && <rect class="now" x="0" y={band.top} width={scene.width} height={band.bottom - band.top} />}
      <Drawing scene={scene} />
      {current < last && <rect class="veil" x="0" y={top} width={scene.width} height={Math.max(scene.foot - top, 0)} />}
      {band && <rect class="here" x="0" y={band.top} width="4" height={band.bottom - band.top} />}
      {scene.bands.map((one) => (
        <rect key={one.index} class="row" x="0" y={one.top} width={scene.width} height={one.bottom - one.top} onClick={() => go(one.index)}>
          <title>{one.index === 0 ? "Initial state" : `Go to step ${one.index}`}</title>
        </rect>
      ))}
      {children}
    </svg>
  );
}
