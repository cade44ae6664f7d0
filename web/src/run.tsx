// The page of one run: `quorate draw TRACE -o run.html`. Everything that it shows is in the page.
import { render, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import "./common.css";
import "./run.css";
import { isTyping, stepFor } from "./keys";
import { Diagram, type Scene } from "./scene";
import { StateTable, type States } from "./states";
import { Call, StepDetails, VerdictView, type Step, type Verdict, type Witness } from "./steps";

interface Run {
  spec: string; variant: string | null; bounds: Record<string, number>; verdict: Verdict; witnesses: Witness[];
  states: States; steps: Step[]; loop: number | null; scene: Scene;
}

function RunPage({ run }: { run: Run }): JSX.Element {
  const last = run.steps.length;
  const asked = /^#(\d+)$/.exec(location.hash)?.[1];
  const [step, setStep] = useState(asked === undefined ? last : Math.min(Number(asked), last));
  const go = (next: number): void => {
    setStep(next);
    history.replaceState(null, "", `#${next}`);
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const next = stepFor(event.key, step, last);
      if (next === undefined || isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      go(next);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });
  useEffect(() => {
    document.querySelector(".here")?.scrollIntoView({ block: "nearest" });
  }, [step]);
  const taken = run.steps[step - 1];
  const bounds = Object.entries(run.bounds).map(([name, size]) => `${name} ${size}`).join(" \u00b7 ");
  return (
    <div class="run">
      <header>
        <h1>{run.spec}</h1>
        {run.variant && <span class="variant">{run.variant}</span>}
        <span class="soft">{bounds}</span>
      </header>
      <div class="field" tabindex={0} role="region" aria-label="Diagram"><Diagram scene={run.scene} current={step} last={last} go={go} /></div>
      <div class="beside" tabindex={0} role="region" aria-label="Step and state">
        <section aria-live="polite">
          <h2>{step === 0 ? "Initial state" : `Step ${step}`}</h2>
          {taken && <><p class="call"><Call step={taken} /></p><StepDetails step={taken} /></>}
        </section>
        <section>
          <h2>State {step === 0 ? "at the start" : `after step ${step}`}</h2>
          <StateTable states={run.states} step={step} />
        </section>
        <VerdictView verdict={run.verdict} witnesses={run.witnesses} />
      </div>
      <footer>
        <label for="slider">Step <output>{step}</output> of {last}</label>
        <input id="slider" type="range" min={0} max={last} value={step} onInput={(event) => go(Number(event.currentTarget.value))} />
        <button type="button" aria-label="Previous step" disabled={step === 0} onClick={() => go(step - 1)}><kbd>{"\u2190"}</kbd></button>
        <button type="button" aria-label="Next step" disabled={step === last} onClick={() => go(step + 1)}><kbd>{"\u2192"}</kbd></button>
      </footer>
    </div>
  );
}

const data = document.getElementById("run")?.textContent;
const page = document.getElementById("page");
if (data && page) {
  page.replaceChildren();
  render(<RunPage run={JSON.parse(data) as Run} />, page);
}
