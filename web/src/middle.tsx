// The middle column: heads of the lanes, the diagram, and the messages on the wire.
import type { JSX } from "preact";
import type { Comparison, Look, Option, Waiting } from "./ask";
import { Diagram, type Point, type Scene } from "./scene";

const MARKS: Record<string, string> = { crash: "crash \u2715", restart: "restart \u21bb", timeout: "time out" };

interface Common { look: Look; take: (option: Option) => void; point: (option: Option | undefined) => void }

function Heads({ look, take }: Common): JSX.Element {
  const { scene, now } = look;
  return (
    <div class="heads">
      {Object.entries(scene.lanes).map(([lane, x]) => (
        <div class="head" key={lane} style={{ left: `${(100 * x) / scene.width}%` }}>
          <strong>{lane}</strong>
          {now.lanes[lane] && <span class="role">{now.lanes[lane]}</span>}
          {now.options.filter((option) => option.lane === lane && option.mark && option.mark in MARKS).map((option) => (
            <button type="button" key={option.id} class="mark" aria-label={`${option.action} ${lane}`} title={option.about} onClick={() => take(option)}>
              {MARKS[option.mark!]}
            </button>
          ))}
        </div>
      ))}
    </div>
  );
}

/** Where a message leaves: the event that sent it. */
function origin(look: Look, id: string): Point | undefined {
  const index = look.run.steps.findIndex((step) => step.sent.some(([sent]) => sent === id));
  const step = look.run.steps[index];
  return step && look.scene.marks.find((mark) => mark.name === `step ${look.offset + index + 1} ${step.action}`)?.centre;
}

function Preview({ look, option, at }: { look: Look; option: Option; at: number }): JSX.Element | null {
  const { scene } = look;
  const x = scene.lanes[option.lane];
  const band = scene.bands.find((one) => one.index === at);
  if (x === undefined) return null;
  const y = (band?.bottom ?? scene.foot) + 14;
  return (
    <g class="preview" aria-hidden="true">
      {option.received.map((id) => {
        const from = origin(look, id);
        return from && <line key={id} x1={from[0]} y1={from[1]} x2={x} y2={y} />;
      })}
      <circle cx={x} cy={y} r="6" />
    </g>
  );
}

/** The ends of messages that are on the wire, to be clicked. */
function Ends({ scene, show }: { scene: Scene; show: (id: string) => void }): JSX.Element {
  return (
    <>
      {scene.marks.filter((mark) => mark.name.includes(" under way ")).map((mark) => (
        <circle key={mark.name} class="end" cx={mark.centre[0]} cy={mark.centre[1]} r="11" onClick={() => show(mark.name.split(/[ ,]/)[0]!)}>
          <title>{mark.name}: choose what becomes of it, below</title>
        </circle>
      ))}
    </>
  );
}

function Message({ waiting, options, take, point }: { waiting: Waiting; options: Option[] } & Omit<Common, "look">): JSX.Element {
  return (
    <li class="message" id={`wire-${waiting.id}`} tabindex={-1}>
      <p title={waiting.payload}><span class="wire">{waiting.id} {waiting.name}</span>{waiting.source && <span class="soft"> from {waiting.source}</span>}</p>
      <div class="chips">
        {options.map((option) => (
          <button type="button" key={option.id} class={option.lost.includes(waiting.id) ? "chip lose" : "chip"} title={`${option.action}: ${option.about}`}
            onClick={() => take(option)} onMouseEnter={() => point(option)} onMouseLeave={() => point(undefined)}
            onFocus={() => point(option)} onBlur={() => point(undefined)}>
            {option.lost.includes(waiting.id) ? "lose \u2715" : `\u2192 ${option.lane}${option.again ? " again" : ""}`}
            <span class="unseen"> {waiting.id}, {option.action} {option.given}</span>
          </button>
        ))}
        <Refusals waiting={waiting} options={options} />
      </div>
    </li>
  );
}

/** Who cannot take a message, and why not, on hovering. */
function Refusals({ waiting, options }: { waiting: Waiting; options: Option[] }): JSX.Element {
  const left = waiting.refused.filter((one) => !options.some((option) => option.lane === one.lane && option.action === one.action));
  return <>{left.map((one, key) => <span class="chip no" key={key} title={`${one.action}: ${one.why}`}>{one.lane} cannot</span>)}</>;
}

function Idle({ idle }: { idle: Waiting[] }): JSX.Element {
  return (
    <details class="idle">
      <summary>{idle.length === 1 ? "1 message" : `${idle.length} messages`} that nobody can take now</summary>
      <ul>
        {idle.map((waiting) => (
          <li key={waiting.id} id={`wire-${waiting.id}`} tabindex={-1}>
            <span class="wire">{waiting.id}</span> {waiting.payload}
            <span class="soft">{waiting.refused.length ? waiting.refused.map((one) => ` \u00b7 ${one.lane}: ${one.why}`).join("") : " \u00b7 read where it is, or by nobody"}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

interface MiddleProps extends Common { at: number; pointed: Option | undefined; compared: Comparison | undefined; go: (step: number) => void }

export function Middle({ look, at, pointed, compared, go, take, point }: MiddleProps): JSX.Element {
  const last = look.length;
  const show = (id: string): void => {
    const card = document.getElementById(`wire-${id}`);
    card?.closest("details")?.setAttribute("open", "");
    card?.scrollIntoView({ block: "nearest" });
    (card?.querySelector<HTMLElement>("button") ?? card)?.focus();
  };
  const { now } = look;
  const [ready, idle] = [now.wire.filter((one) => one.options.length > 0), now.wire.filter((one) => one.options.length === 0)];
  return (
    <>
      <div class={compared?.scene ? "field beside" : "field"} role="region" aria-label="Space-time diagram" tabindex={0}>
        <div class="canvas" style={{ "--width": `${look.scene.width}px` }}>
        <Heads look={look} take={take} point={point} />
        {look.run.steps.length < last && <p class="part soft">Steps {look.offset + 1} to {look.offset + look.run.steps.length} of {last}; the others come with the bar below.</p>}
        <Diagram scene={look.scene} current={at} last={last} go={go} crop>
          <Ends scene={look.scene} show={show} />
          {pointed && <Preview look={look} option={pointed} at={at} />}
        </Diagram>
        </div>
        {compared?.scene && (
          <figure class="canvas other" style={{ "--width": `${compared.scene.width}px` }}>
            <figcaption>The same steps under <strong>{compared.variant ?? "the protocol itself"}</strong></figcaption>
            <Diagram scene={compared.scene} current={Math.min(at, compared.taken)} last={compared.taken} go={go} />
          </figure>
        )}
      </div>
      {now.wire.length > 0 && (
        <section class="dock" aria-labelledby="wire" tabindex={0}>
          <h2 id="wire">On the wire <span class="hint">click to deliver, again, or lose</span></h2>
          <ul>
            {ready.map((waiting) => (
              <Message key={waiting.id} waiting={waiting} take={take} point={point}
                options={waiting.options.map((id) => now.options[id]!)} />
            ))}
          </ul>
          {idle.length > 0 && <Idle idle={idle} />}
        </section>
      )}
    </>
  );
}
