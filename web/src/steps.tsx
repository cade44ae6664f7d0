// One step in words, as quorate.report.run_page writes it.
import type { JSX } from "preact";

export interface Change { place: string; old: string | null; new: string | null; stressed: boolean }
export interface Step {
  action: string; lane: string; mark: string | null; arguments: [string, string][]; changes: Change[]; remarks: string[]; dark: boolean;
  sent: [string, string][]; received: [string, string][]; lost: [string, string][];
}
export interface Verdict { tone: "bad" | "good" | "plain"; title: string; text: string }
export interface Witness { name: string; value: string; steps: string }

/** `handle_vote s1`: the action, its lane, and the arguments that neither the lane nor a message tells. */
export function Call({ step }: { step: Step }): JSX.Element {
  const given = step.arguments.map(([name, value]) => `${name} ${value}`).join(", ");
  return <><strong>{step.action}</strong> <span class="lane">{step.lane}</span>{given && <span class="soft"> {given}</span>}</>;
}

export function StepDetails({ step }: { step: Step }): JSX.Element {
  const messages: [string, [string, string][]][] = [["receives", step.received], ["sends", step.sent], ["is lost:", step.lost]];
  return (
    <ul class="details">
      {messages.flatMap(([verb, list]) => list.map(([id, payload]) => (
        <li key={verb + id}><span class="soft">{verb}</span> <span class="wire">{id}</span> {payload}</li>
      )))}
      {step.changes.map((change, key) => (
        <li key={key} class={change.stressed ? "stressed" : ""}>
          {change.place}{" "}
          {change.new === null
            ? <span class="old">without {change.old}</span>
            : <><span class="old">{change.old === null ? "+" : `${change.old} \u2192`}</span> <strong>{change.new}</strong></>}
        </li>
      ))}
      {step.remarks.map((remark) => <li key={remark} class="soft"><em>{remark}</em></li>)}
    </ul>
  );
}

const SIGNS = { bad: "\u2717 ", good: "\u2713 ", plain: "" } as const;

export function VerdictView({ verdict, witnesses }: { verdict: Verdict; witnesses: Witness[] }): JSX.Element {
  return (
    <section class={`verdict ${verdict.tone}`} aria-label="Verdict">
      <h2>{SIGNS[verdict.tone]}{verdict.title}</h2>
      <p>{verdict.text}</p>
      {witnesses.length > 0 && (
        <dl>{witnesses.map((one) => <div key={one.name}><dt>{one.name}</dt><dd><strong>{one.value}</strong> {one.steps}</dd></div>)}</dl>
      )}
    </section>
  );
}
