// The left column: what can happen, what cannot and why, and where to be taken.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Judged, Option, Reason, Refused } from "./ask";

/** What an option says beside its action: where it happens, what it takes, what it was given. */
function place(option: Option): string {
  const taken = option.lost.length ? ` loses ${option.lost.join(", ")}` : option.received.length ? ` \u2190 ${option.received.join(", ")}` : "";
  return `${option.lane}${taken}${option.again ? " again" : ""}${option.given ? ` ${option.given}` : ""}`;
}

interface OptionsProps { options: Option[]; failure: string; take: (option: Option) => void; point: (option: Option | undefined) => void }

export function Options({ options, failure, take, point }: OptionsProps): JSX.Element {
  return (
    <section aria-labelledby="can">
      <h2 id="can">What can happen now</h2>
      {failure && <p class="error">The last step raises an error, and nothing follows: {failure}</p>}
      {!failure && options.length === 0 && <p class="soft">Nothing: no action is possible here.</p>}
      <ol class="options">
        {options.map((option, index) => (
          <li key={`${option.action} ${place(option)}`}>
            <button type="button" class={`option ${option.failure ? "fails" : ""}`} title={option.about} onClick={() => take(option)}
              onMouseEnter={() => point(option)} onMouseLeave={() => point(undefined)}
              onFocus={() => point(option)} onBlur={() => point(undefined)}>
              <span class="name">{option.action}{option.failure && " raises an error"}</span>
              <span class="place">{place(option)}</span>
              {index < 9 && <kbd aria-hidden="true">{index + 1}</kbd>}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function ReasonView({ reason }: { reason: Reason }): JSX.Element {
  return (
    <li title={reason.guard && `needs ${reason.guard}`}>
      <span class="lane">{reason.lane}</span>{reason.given && ` ${reason.given}`}: {reason.why}
      {reason.guard && <span class="guard"> needs <code>{reason.guard}</code></span>}
    </li>
  );
}

export function Impossible({ refused }: { refused: Refused[] }): JSX.Element {
  return (
    <section aria-labelledby="cannot">
      <h2 id="cannot">And what cannot</h2>
      {refused.map((one) => (
        <details key={one.action} class="refused">
          <summary title={one.about}>
            <span class="name">{one.action}</span>{" "}
            <span class="place">{one.reasons.length === 0 ? "there is nothing to take"
              : `${one.possible ? "not " : ""}${one.reasons[0]!.lane}: ${one.reasons[0]!.why}`}</span>
          </summary>
          <ul>{one.reasons.map((reason, key) => <ReasonView key={key} reason={reason} />)}</ul>
        </details>
      ))}
    </section>
  );
}

export interface Aim { kind: string; what?: string }
interface SeekProps { goals: Judged[]; seeking: boolean; found: string; seek: (aim: Aim, from: "here" | "start") => void; stop: () => void }

export function Seek({ goals, seeking, found, seek, stop }: SeekProps): JSX.Element {
  const [text, setText] = useState("");
  const [from, setFrom] = useState<"here" | "start">("here");
  const go = (aim: Aim): void => seek(aim, from);
  return (
    <section aria-labelledby="to">
      <h2 id="to">Take me to</h2>
      <form class="seek" onSubmit={(event) => { event.preventDefault(); if (text.trim()) go({ kind: "expression", what: text }); }}>
        <label class="unseen" for="expression">A state where this is true, in Python over the variables</label>
        <input id="expression" type="text" spellcheck={false} autocomplete="off" placeholder="e.g. len(committed) == 2" value={text}
          onInput={(event) => setText(event.currentTarget.value)} />
        <button type="submit" disabled={seeking || !text.trim()}>Go <kbd aria-hidden="true">{"\u21b5"}</kbd></button>
      </form>
      <div class="aims">
        <button type="button" disabled={seeking} onClick={() => go({ kind: "violation" })}>a violation <kbd aria-hidden="true">V</kbd></button>
        <button type="button" disabled={seeking} onClick={() => go({ kind: "deadlock" })}>a deadlock</button>
        {goals.map((goal) => (
          <button type="button" key={goal.name} disabled={seeking} title={goal.sentence} onClick={() => go({ kind: "goal", what: goal.name })}>{goal.name}</button>
        ))}
      </div>
      <label class="from"><input type="checkbox" checked={from === "start"} onChange={(event) => setFrom(event.currentTarget.checked ? "start" : "here")} /> from the start instead of from here</label>
      <div role="status" class="found">
        {seeking ? <>Looking for the shortest run{"\u2026"} <button type="button" onClick={stop}>Stop</button></> : found}
      </div>
    </section>
  );
}
