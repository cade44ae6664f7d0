// The state graph, in the place of the diagram: which variables are looked at, what puts states together, and a click that goes there.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, type Run } from "./ask";
import { Drawing, type Scene } from "./scene";
import type { Shared } from "./share";

interface State { node: number; rect: [number, number, number, number]; name: string; steps: number[] }
interface Graph { scene: Scene; states: State[]; variables: string[]; project: string[]; cluster: string; clusters: string[]; words: string }

interface Props { here: Shared; become: (run: Run, from: "here" | "start") => void }

export function GraphView({ here, become }: Props): JSX.Element {
  const [graph, setGraph] = useState<Graph>();
  const [project, setProject] = useState<string[]>();
  const [cluster, setCluster] = useState("");
  const [problem, setProblem] = useState("");
  const asked = useRef(0);

  useEffect(() => {
    const number = ++asked.current;
    ask<Graph>("graph", { ...here, project: project ?? null, cluster })
      .then((answer) => { if (number === asked.current) { setGraph(answer); setProblem(""); } })
      .catch((error: Error) => { if (number === asked.current) setProblem(error.message); });
  }, [here, project, cluster]);

  useEffect(() => { document.querySelector(".state.now")?.scrollIntoView({ block: "nearest", inline: "center" }); }, [graph]);

  const shown = project ?? graph?.project ?? [];
  const toggle = (name: string): void => {
    const next = shown.includes(name) ? shown.filter((one) => one !== name) : [...shown, name];
    if (next.length > 0) setProject(next);
  };
  const visit = (state: State): void => {
    ask<{ from: "here" | "start"; run: Run }>("visit", { ...here, project: graph?.project, node: state.node })
      .then(({ from, run }) => become(run, from))
      .catch((error: Error) => setProblem(error.message));
  };

  return (
    <div class="field graph" role="region" aria-label="State graph" tabindex={0}>
      {problem && <p class="error" role="alert">{problem}</p>}
      {graph && (
        <>
          <div class="choices">
            <fieldset>
              <legend>Look at</legend>
              {graph.variables.map((name) => (
                <label key={name}><input type="checkbox" checked={shown.includes(name)} onChange={() => toggle(name)} /> {name}</label>
              ))}
            </fieldset>
            <label>Together{" "}
              <select id="cluster" value={cluster} onChange={(event) => setCluster(event.currentTarget.value)}>
                <option value="">nothing</option>
                {graph.clusters.map((name) => <option key={name} value={name}>{name === "cycles" ? "where one can return" : name}</option>)}
              </select>
            </label>
          </div>
          <p class="soft words">{graph.words} A click goes to a state by a shortest run.</p>
          <svg class="diagram states-graph" viewBox={`0 0 ${graph.scene.width} ${graph.scene.height}`} width={graph.scene.width} height={graph.scene.height}
            role="group" aria-label={`${graph.scene.title}. ${graph.scene.description}`}>
            <Drawing scene={graph.scene} />
            {graph.states.map((state) => {
              const [left, top, right, bottom] = state.rect;
              const now = state.steps.includes(here.at);
              return (
                <rect key={state.node} class={now ? "state now" : "state"} x={left} y={top} width={right - left} height={bottom - top} rx={9}
                  role="button" tabindex={0} aria-label={state.name} aria-current={now} onClick={() => visit(state)}
                  onKeyDown={(event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); visit(state); } }}>
                  <title>{state.name}</title>
                </rect>
              );
            })}
          </svg>
        </>
      )}
      {!graph && !problem && <p class="soft">Exploring all states{"\u2026"}</p>}
    </div>
  );
}
