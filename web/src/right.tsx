// The right column: the state, the properties, what another variant would do, and the last step.
import type { JSX } from "preact";
import type { Comparison, Judged, Look, NoReturn } from "./ask";
import { StateTable } from "./states";
import { Call, StepDetails } from "./steps";

function status(judged: Judged, reachedAt: number): { sign: string; tone: string; words: string } {
  if (judged.run) return { sign: "\u2013", tone: "plain", words: "of whole runs" };
  if (judged.goal && reachedAt >= 0) return { sign: "\u2713", tone: "good", words: judged.holds ? "reached here" : `reached at step ${reachedAt}` };
  if (judged.goal) return { sign: "\u25cb", tone: "plain", words: "not reached yet" };
  if (judged.holds === null) return { sign: "\u2013", tone: "plain", words: "of steps" };
  return judged.holds ? { sign: "\u25cf", tone: "good", words: "true" } : { sign: "\u2717", tone: "bad", words: "false" };
}

interface PropertiesProps {
  look: Look; at: number; chosen: string | undefined; choose: (name: string | undefined) => void;
  late: NoReturn | undefined; ask: (property: string) => void;
}

function Property({ judged, look, at, chosen, choose, late, ask }: { judged: Judged } & PropertiesProps): JSX.Element {
  const reachedAt = look.judged.findIndex((one, index) => index <= at && one.reached.includes(judged.name));
  const { sign, tone, words } = status(judged, reachedAt);
  return (
    <li class={tone}>
      <button type="button" aria-pressed={chosen === judged.name} title={judged.sentence} onClick={() => choose(chosen === judged.name ? undefined : judged.name)}>
        <span class="sign" aria-hidden="true">{sign}</span> <span class="name">{judged.name}</span>{" "}
        <span class={tone === "good" && !judged.goal ? "unseen" : "soft"}>{words}</span>
      </button>
      {(chosen === judged.name || tone === "bad") && <p class="soft">{judged.message || judged.sentence}</p>}
      {(chosen === judged.name || tone === "bad") && judged.witnesses.length > 0 && (
        <dl>{judged.witnesses.map((one) => <div key={one.name}><dt>{one.name}</dt><dd><strong>{one.value}</strong> {one.steps}</dd></div>)}</dl>
      )}
      {tone === "bad" && !look.now.failure && at > 0 && (
        <p class="late">{late ? late.words : <button type="button" class="plain" onClick={() => ask(judged.name)}>When was it too late?</button>}</p>
      )}
    </li>
  );
}

export function Properties(props: PropertiesProps): JSX.Element {
  const all = props.look.now.properties;
  const [lemmas, others] = [all.filter((one) => one.kind === "lemma"), all.filter((one) => one.kind !== "lemma")];
  const list = (some: Judged[]): JSX.Element => <ul class="properties">{some.map((judged) => <Property key={judged.name} judged={judged} {...props} />)}</ul>;
  const wrong = lemmas.filter((one) => one.holds === false).length;
  return (
    <section aria-labelledby="properties">
      <h2 id="properties">Properties here</h2>
      {list(others)}
      {lemmas.length > 0 && (
        <details open={wrong > 0}>
          <summary class="soft">{lemmas.length} lemma{lemmas.length > 1 && "s"}, {wrong ? `${wrong} false` : "all true"}</summary>
          {list(lemmas)}
        </details>
      )}
    </section>
  );
}

function ComparisonView({ found, leave, move }: { found: Comparison; leave: () => void; move: () => void }): JSX.Element {
  const { state, offers } = found;
  return (
    <section class={found.false ? "compared bad" : "compared"} aria-labelledby="if">
      <h2 id="if">What if {found.variant ?? "the protocol itself"} ran here?</h2>
      {found.refused ? <p>{found.refused}</p> : <p>The same steps are possible.</p>}
      {state
        ? <><p>The states differ from step <strong>{state.step}</strong> on:</p>
            <dl>{state.places.map((one) => <div key={one.variable}><dt>{one.variable}</dt><dd>{one.here} {"\u2192"} <strong>{one.there}</strong></dd></div>)}</dl></>
        : <p>The states are the same as far as it goes.</p>}
      {offers && (
        <p>What can happen differs first after step <strong>{offers.step}</strong>:{" "}
          {offers.there.length > 0 && <>it also allows <strong>{offers.there.slice(0, 3).join("; ")}</strong>{offers.there.length > 3 && ` and ${offers.there.length - 3} more`}. </>}
          {offers.here.length > 0 && <>It does not allow {offers.here.slice(0, 3).join("; ")}{offers.here.length > 3 && ` and ${offers.here.length - 3} more`}.</>}
        </p>
      )}
      {found.false && <p class="error">After step {found.false.step} it violates {found.false.properties.join(", ")}.</p>}
      <button type="button" onClick={move}>Go on with it</button> <button type="button" onClick={leave}>Close</button>
    </section>
  );
}

interface RightProps extends PropertiesProps { hidden: boolean; compared: Comparison | undefined; leave: () => void; move: () => void }

export function Right({ look, at, hidden, chosen, choose, late, ask, compared, leave, move }: RightProps): JSX.Element {
  const { states, steps } = look.run;
  const marked = new Set(look.reads.map(([variable, lane]) => `${states.rows.indexOf(variable)} ${lane === null ? -1 : states.columns.indexOf(lane)}`));
  const step = steps[at - look.offset - 1];
  return (
    <>
      <section aria-labelledby="state">
        <h2 id="state">{at === 0 ? "Initial state" : `State after step ${at}`}</h2>
        <div class="wide"><StateTable states={states} step={at - look.offset} marked={marked} /></div>
      </section>
      {compared && <ComparisonView found={compared} leave={leave} move={move} />}
      {!hidden && <Properties look={look} at={at} chosen={chosen} choose={choose} late={late} ask={ask} />}
      {step && <section aria-labelledby="last"><h2 id="last">Last step</h2><p><Call step={step} /></p><StepDetails step={step} /></section>}
    </>
  );
}
