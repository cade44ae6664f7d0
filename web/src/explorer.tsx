// The explorer: a protocol, stepped through. What is possible, true and drawn is asked of Python; here is only the run.
import type { JSX } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import "./common.css";
import "./app.css";
import { ask, save, stop, type About, type Comparison, type Look, type NoReturn, type Option, type Run } from "./ask";
import { isTyping, stepFor } from "./keys";
import { GraphView } from "./graph";
import { Middle } from "./middle";
import { Impossible, Options, Seek, type Aim } from "./options";
import { claimed, firstFalse, QuizView, tried, type Quiz } from "./quiz";
import { Right } from "./right";
import { packed, type Shared } from "./share";

export const EMPTY: Run = { initial: {}, steps: [] };
const KEYS: [string, string][] = [
  ["1\u20139", "take what can happen"], ["\u2190 \u2192", "step back, step forward"], ["Home End", "to the start, to the end"],
  ["U", "undo"], ["Shift U", "redo"], ["R", "random step"], ["W", "walk ten random steps"], ["V", "to a violation"], ["/", "write where to be taken"],
  ["B", "next branch"], ["G", "state graph or diagram"], ["D", "light or dark"], ["?", "show or hide this"],
];
/** Of these the playground has no Graphviz for the two in the middle. */
const FILES: [string, string][] = [["json", "trace (JSON)"], ["svg", "picture (SVG)"], ["html", "page with a slider"], ["pytest", "test (pytest)"]];

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

export function App({ about, begin, shares = true }: { about: About; begin: Shared; shares?: boolean }): JSX.Element {
  const [branches, setBranches] = useState<Shared[]>([begin]);
  const [active, setActive] = useState(0);
  const [look, setLook] = useState<Look>();
  const [shown, setShown] = useState<Shared>(begin);
  const [problem, setProblem] = useState("");
  const [said, setSaid] = useState("");
  const [found, setFound] = useState("");
  const [seeking, setSeeking] = useState(false);
  const [chosen, setChosen] = useState<string>();
  const [pointed, setPointed] = useState<Option>();
  const [compared, setCompared] = useState<Comparison>();
  const [quiz, setQuiz] = useState<Quiz>();
  const [late, setLate] = useState<NoReturn>();
  const [help, setHelp] = useState(false);
  const [graph, setGraph] = useState(false);
  const asked = useRef(0);
  const here = branches[active]!;
  const last = here.run.steps.length;
  const hidden = quiz !== undefined && !quiz.done;

  /** Where the run now is; `apart` keeps the run as it was as a branch of its own. */
  const become = useCallback((next: Shared, apart = false): void => {
    setPointed(undefined);
    setBranches((all) => (apart ? [...all, next] : all.map((one, index) => (index === active ? next : one))));
    if (apart) setActive(branches.length);
  }, [active, branches.length]);

  useEffect(() => {
    const number = ++asked.current;
    setLate(undefined);
    ask<Look>("look", { ...here, chosen, quiz: hidden }).then((answer) => {
      if (number !== asked.current) return;
      setLook(answer);
      setShown(here);
      setProblem("");
      const step = answer.run.steps[here.at - answer.offset - 1];
      const false_ = hidden ? [] : answer.judged[here.at]?.false ?? [];
      if (hidden && quiz.kind === "break" && here.at > quiz.from) setQuiz({ ...quiz, ...tried(answer, here.at) });
      setSaid(`${step ? `Step ${here.at}: ${step.action} ${step.lane}.` : "Initial state."}${false_.length ? ` ${false_.join(", ")} is false.` : ""}`);
    }).catch((error: Error) => { if (number === asked.current) setProblem(error.message); });
    if (shares) void packed(here).then((fragment) => { if (number === asked.current) history.replaceState(null, "", `#${fragment}`); });
  }, [here, chosen, hidden]);

  useEffect(() => { document.querySelector(".here")?.scrollIntoView({ block: "nearest" }); }, [look]);

  const go = (at: number): void => { if (at !== here.at) become({ ...here, at }); };
  const take = (option: Option): void => {
    if (here !== shown) return; // What is shown is not yet what is the case.
    const step: Run["steps"][number] = [option.action, option.arguments];
    const ahead = here.run.steps[here.at];
    if (ahead && same(ahead, step)) go(here.at + 1);
    else become({ ...here, run: { ...here.run, steps: [...here.run.steps.slice(0, here.at), step] }, at: here.at + 1 }, ahead !== undefined);
  };
  const attempt = async (what: () => Promise<void>): Promise<void> => {
    try {
      setProblem("");
      await what();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const walk = (steps: number): void => void attempt(async () => {
    const { run } = await ask<{ run: Run }>("walk", { ...here, steps, seed: crypto.getRandomValues(new Uint32Array(1))[0] });
    become({ ...here, run, at: run.steps.length }, here.at < last);
  });
  const seek = (aim: Aim, from: "here" | "start"): void => void attempt(async () => {
    setSeeking(true);
    setFound("");
    try {
      const answer = await ask<{ words: string; run?: Run }>("seek", { ...here, aim, from });
      setFound(answer.words);
      if (!answer.run) return;
      const run = from === "start" ? answer.run : { initial: here.run.initial, steps: [...here.run.steps.slice(0, here.at), ...answer.run.steps] };
      become({ ...here, run, at: run.steps.length }, from === "start" ? last > 0 : here.at < last);
    } finally {
      setSeeking(false);
    }
  });
  const compare = (variant: string | null): void => void attempt(async () => {
    setCompared(await ask<Comparison>("compare", { ...here, with: variant }));
  });
  const move = (): void => {
    if (!compared) return;
    const steps = here.run.steps.slice(0, compared.taken);
    become({ variant: compared.variant, run: { ...here.run, steps }, at: Math.min(here.at, steps.length) }, true);
    setCompared(undefined);
  };
  const startQuiz = (kind: Quiz["kind"]): void => {
    const first = look ? firstFalse(look) : -1;
    if (first < 1) {
      setProblem("A quiz wants a run that ends with a violation: go to one first (V).");
      return;
    }
    setQuiz({ kind, from: first - 1, said: "", done: false });
    setChosen(undefined);
    if (kind === "spot") go(0);
    else become({ ...here, run: { ...here.run, steps: here.run.steps.slice(0, first - 1) }, at: first - 1 }, true);
  };
  const claim = (): void => { if (quiz && look && here === shown) setQuiz({ ...quiz, ...claimed(look, here.at) }); };
  const tooLate = (property: string): void => void attempt(async () => {
    setLate(await ask<NoReturn>("return", { ...here, property }));
  });
  const share = (): void => void attempt(async () => {
    await navigator.clipboard.writeText(location.href);
    setSaid("The address of this run is copied.");
  });
  const dark = (): void => {
    const root = document.documentElement;
    const now = root.style.colorScheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.style.colorScheme = now === "dark" ? "light" : "dark";
  };

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) {
        if (event.key === "Escape" && event.target instanceof HTMLElement) event.target.blur();
        return;
      }
      const moved = stepFor(event.key, here.at, last);
      const option = /^[1-9]$/.test(event.key) ? look?.now.options[Number(event.key) - 1] : undefined;
      const deeds: Record<string, () => void> = {
        u: () => go(Math.max(here.at - 1, 0)), U: () => go(Math.min(here.at + 1, last)), r: () => walk(1), w: () => walk(10),
        v: () => { if (!seeking) seek({ kind: "violation" }, "here"); }, "/": () => document.getElementById("expression")?.focus(),
        b: () => setActive((active + 1) % branches.length), d: dark, g: () => { if (shares) setGraph(!graph); }, x: claim, "?": () => setHelp(!help),
      };
      const deed = moved !== undefined ? () => go(moved) : option ? () => take(option) : deeds[event.key];
      if (!deed) return;
      event.preventDefault();
      deed();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });

  const variants = [{ name: about.main, value: "", about: about.about }, ...about.variants.map((one) => ({ ...one, value: one.name }))];
  const bounds = Object.entries(look?.bounds ?? about.bounds).map(([name, size]) => `${name} ${size}`).join(" \u00b7 ");
  return (
    <div class="app">
      <header>
        <h1>{about.spec}</h1>
        <label class="unseen" for="variant">Variant</label>
        <select id="variant" value={here.variant ?? ""} onChange={(event) => become({ variant: event.currentTarget.value || null, run: EMPTY, at: 0 }, last > 0)}>
          {variants.map((one) => <option key={one.name} value={one.value} title={one.about}>{one.name}</option>)}
        </select>
        <span class="soft bounds" title={bounds}>{bounds}</span>
        <span class="deeds">
          <button type="button" disabled={here.at === 0} onClick={() => go(here.at - 1)}>Undo <kbd aria-hidden="true">U</kbd></button>
          <button type="button" disabled={here.at === last} onClick={() => go(here.at + 1)}>Redo</button>
          <button type="button" onClick={() => walk(1)}>Random step <kbd aria-hidden="true">R</kbd></button>
          {about.variants.length > 0 && (
            <>
              <label class="unseen" for="what-if">What if another variant ran here</label>
              <select id="what-if" value="-" onChange={(event) => { compare(event.currentTarget.value || null); event.currentTarget.value = "-"; }}>
                <option value="-" disabled>What if{"\u2026"}</option>
                {variants.filter((one) => one.value !== (here.variant ?? "")).map((one) => <option key={one.name} value={one.value}>{one.name}</option>)}
              </select>
            </>
          )}
          <label class="unseen" for="ask-quiz">Quiz</label>
          <select id="ask-quiz" value="-" onChange={(event) => { startQuiz(event.currentTarget.value as Quiz["kind"]); event.currentTarget.value = "-"; }}>
            <option value="-" disabled>Quiz{"\u2026"}</option>
            <option value="spot">When is it broken?</option>
            <option value="break">Break it</option>
          </select>
          {shares && <button type="button" aria-pressed={graph} title="All states and the steps between them (G)" onClick={() => setGraph(!graph)}>Graph</button>}
          {shares && <button type="button" onClick={share}>Share</button>}
          <label class="unseen" for="export">Export this run</label>
          <select id="export" class="primary" value="-" onChange={(event) => {
            const kind = event.currentTarget.value;
            event.currentTarget.value = "-";
            void attempt(async () => setSaid(`${await save(kind, here)} is saved.`));
          }}>
            <option value="-" disabled>Export{"\u2026"}</option>
            {FILES.filter(([kind]) => shares || kind === "json" || kind === "pytest").map(([kind, name]) => <option key={kind} value={kind}>{name}</option>)}
          </select>
          <button type="button" aria-label="Light or dark" title="Light or dark (D)" onClick={dark}>{"\u25d0"}</button>
          <button type="button" aria-expanded={help} aria-controls="keys" title="Keys (?)" onClick={() => setHelp(!help)}>?<span class="unseen"> keys</span></button>
        </span>
      </header>
      {help && (
        <section id="keys" aria-label="Keys">
          <dl class="keys">{KEYS.map(([key, words]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{words}</dd></div>)}</dl>
        </section>
      )}
      {problem && <p class="problem" role="alert">{problem} <button type="button" onClick={() => setProblem("")}>Close</button></p>}
      <p class="unseen" role="status">{said}</p>
      {look ? (
        <main>
          <div class="left" role="region" aria-label="What to do" tabindex={0}>
            {about.initial.length > 0 && here.at === 0 && (
              <section>
                <h2><label for="initial">Initial state</label></h2>
                <select id="initial" value={JSON.stringify(here.run.initial)} onChange={(event) => become({ ...here, run: { initial: JSON.parse(event.currentTarget.value) as Run["initial"], steps: [] }, at: 0 }, last > 0)}>
                  {about.initial.map((one) => <option key={one.shown} value={JSON.stringify(one.arguments)}>{one.shown}</option>)}
                </select>
              </section>
            )}
            <Options options={look.now.options} failure={look.now.failure} take={take} point={setPointed} />
            <Seek goals={look.now.properties.filter((one) => one.goal)} seeking={seeking} found={found} seek={seek} stop={() => void attempt(stop)} />
            <Impossible refused={look.now.refused} />
          </div>
          <div class="middle">
            {graph && !hidden
              ? <GraphView here={here} become={(run, from) => become({ ...here, run, at: run.steps.length }, from === "start" ? last > 0 : here.at < last)} />
              : <Middle look={look} at={shown.at} pointed={pointed} compared={compared} go={go} take={take} point={setPointed} />}
          </div>
          <div class="right" role="region" aria-label="State and properties" tabindex={0}>
            {quiz && <QuizView quiz={quiz} claim={claim} end={() => setQuiz(undefined)} />}
            <Right look={look} at={shown.at} hidden={hidden} chosen={chosen} choose={setChosen} late={late} ask={tooLate} compared={compared} leave={() => setCompared(undefined)} move={move} />
          </div>
        </main>
      ) : <main class="loading"><p>{problem ? "" : "Loading\u2026"}</p></main>}
      <footer>
        {branches.length > 1 && (
          <div class="branches" role="group" aria-label="Branches">
            {branches.map((branch, index) => (
              <button type="button" key={index} aria-pressed={index === active} title={`${branch.variant ?? about.main}, ${branch.run.steps.length} steps`} onClick={() => setActive(index)}>
                {String.fromCharCode(65 + (index % 26))}<span class="unseen"> {branch.variant ?? about.main}</span>
              </button>
            ))}
          </div>
        )}
        <label for="slider">Step <output>{here.at}</output> of {last}</label>
        <div class="track">
          <input id="slider" type="range" min={0} max={Math.max(last, 1)} value={here.at} disabled={last === 0} onInput={(event) => go(Number(event.currentTarget.value))} />
          {!hidden && look?.judged.map((one, index) => one.false.length > 0 && last > 0 && (
            <span key={index} class="tick" title={`${one.false.join(", ")} false after step ${index}`} style={{ left: `calc(8px + (100% - 16px) * ${index / last})` }} />
          ))}
          {late && last > 0 && [...new Set([late.step, late.fair])].map((step) => step !== null && (
            <span key={step} class="tick late" title={late.words} style={{ left: `calc(8px + (100% - 16px) * ${step / last})` }} />
          ))}
        </div>
        <button type="button" aria-label="Step back" disabled={here.at === 0} onClick={() => go(here.at - 1)}><kbd>{"\u2190"}</kbd></button>
        <button type="button" aria-label="Step forward" disabled={here.at === last} onClick={() => go(here.at + 1)}><kbd>{"\u2192"}</kbd></button>
      </footer>
    </div>
  );
}
