// The playground: a specification is edited, checked and stepped through, all in the browser.
import { render, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import "./play.css";
import { askBy, type About, type Run } from "./ask";
import { Editor, type Place } from "./editor";
import { App, EMPTY } from "./explorer";
import type { Answer } from "./worker";

interface Wrong { error: string; place?: Place }
interface Checked { verdict: string; words: string; run: Run | null; passed?: boolean }
interface Exercise { name: string; title: string; text: string; given: string; answer: string }
class Problem extends Error {
  constructor(readonly wrong: Wrong) { super(wrong.error); }
}

const worker = new Worker("worker.js", { type: "module" });
const waiting = new Map<number, (answer: Answer) => void>();
worker.addEventListener("message", (event: MessageEvent<Answer>) => {
  waiting.get(event.data[0])?.(event.data);
  waiting.delete(event.data[0]);
});

async function python<T>(method: string, ...texts: string[]): Promise<T> {
  const id = performance.now() + Math.random();
  const [, answer, problem] = await new Promise<Answer>((resolve) => {
    waiting.set(id, resolve);
    worker.postMessage([id, method, ...texts]);
  });
  if (answer === null) throw new Error(problem);
  const found = JSON.parse(answer) as T | Wrong;
  if (found !== null && typeof found === "object" && "error" in found) throw new Problem(found);
  return found as T;
}

askBy({
  ask: (question, body) => python("ask", question, JSON.stringify(body)),
  file: async (kind, body) => {
    const { name, media, text } = await python<{ name: string; media: string; text: string }>("file", kind, JSON.stringify(body));
    return { name, contents: new Blob([text], { type: media }) };
  },
  stop: async () => undefined,
});

const KEPT = "quorate playground";
const ADDRESS = "#exercise=";

/** Where the text of an exercise, or that of no exercise, is kept between visits. */
const keptAs = (exercise: Exercise | undefined): string => (exercise ? `${KEPT} ${exercise.name}` : KEPT);

interface PlayProps { first: string; exercises: Exercise[] }

function Play({ first, exercises }: PlayProps): JSX.Element {
  const asked = exercises.find((one) => `${ADDRESS}${one.name}` === location.hash);
  const [exercise, setExercise] = useState(asked);
  const [text, setText] = useState(localStorage.getItem(keptAs(asked)) ?? asked?.given ?? first);
  const [protocols, setProtocols] = useState<string[]>([]);
  const [ready, setReady] = useState(false);
  const [busy, setBusy] = useState("");
  const [wrong, setWrong] = useState<Wrong>();
  const [checked, setChecked] = useState<Checked>();
  const [opened, setOpened] = useState<{ about: About; run: Run; number: number }>();

  useEffect(() => {
    python<string[]>("protocols").then((names) => { setProtocols(names); setReady(true); }).catch((error: Error) => setWrong({ error: error.message }));
  }, []);

  const attempt = async (what: string, deed: () => Promise<void>): Promise<void> => {
    setBusy(what);
    setWrong(undefined);
    try {
      await deed();
    } catch (error) {
      setWrong(error instanceof Problem ? error.wrong : { error: String(error) });
    } finally {
      setBusy("");
    }
  };
  const edit = (next: string): void => {
    setText(next);
    localStorage.setItem(keptAs(exercise), next);
  };
  const open = async (run?: Run): Promise<void> => {
    const about = await python<About>("open", text);
    setOpened((before) => ({ about, run: run ?? EMPTY, number: (before?.number ?? 0) + 1 }));
  };
  const explore = (): void => void attempt("Opening", async () => { setChecked(undefined); await open(); });
  const check = (): void => void attempt("Checking", async () => {
    setChecked(undefined);
    if (!exercise) await python("open", text);
    const found = await (exercise ? python<Checked>("judge", exercise.given, text) : python<Checked>("check", ""));
    setChecked(found);
    await open(found.run ?? EMPTY);
  });
  /** Begin with a text, of an exercise or of none. */
  const start = (next: string, of?: Exercise): void => {
    setExercise(of);
    setText(next);
    setChecked(undefined);
    setWrong(undefined);
    setOpened(undefined);
    history.replaceState(null, "", of ? `${ADDRESS}${of.name}` : location.pathname);
  };
  const begin = (name: string): void => void attempt("Loading", async () => start(name === "" ? first : await python<string>("source", name)));
  const practise = (name: string): void => {
    const found = exercises.find((one) => one.name === name);
    if (found) start(localStorage.getItem(keptAs(found)) ?? found.given, found);
  };

  return (
    <div class="play">
      <section class="editor" aria-label="Specification">
        <div class="deeds">
          <label class="unseen" for="begin">Begin with</label>
          <select id="begin" value="-" disabled={!ready} onChange={(event) => { begin(event.currentTarget.value); event.currentTarget.value = "-"; }}>
            <option value="-" disabled>Begin with{"\u2026"}</option>
            <option value="">the tutorial's lock</option>
            {protocols.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
          <label class="unseen" for="exercise">Exercises</label>
          <select id="exercise" value={exercise?.name ?? "-"} onChange={(event) => practise(event.currentTarget.value)}>
            <option value="-" disabled>Exercises{"\u2026"}</option>
            {exercises.map((one, number) => <option key={one.name} value={one.name}>{number + 1}. {one.title}</option>)}
          </select>
          <button type="button" disabled={!ready || busy !== ""} onClick={explore}>Explore</button>
          <button type="button" disabled={!ready || busy !== ""} onClick={check}>Check</button>
        </div>
        {exercise && (
          <div class="question">
            <h2>{exercise.title}</h2>
            <p>{exercise.text}</p>
            <p class="soft">Properties, sizes and variables are the question: leave them as they are. Everything else is yours.</p>
            <button type="button" onClick={() => edit(exercise.given)}>Begin again</button>{" "}
            <button type="button" onClick={() => edit(exercise.answer)}>Show an answer</button>
          </div>
        )}
        <Editor key={exercise?.name ?? ""} text={text} change={edit} wrong={wrong} />
        <div class="told" role="region" aria-label="What was found" tabindex={0}><div role="status">
          {!ready && !wrong && "Loading Python\u2026"}
          {busy && `${busy}\u2026`}
          {wrong && <p class="error">{wrong.place && `Line ${wrong.place[0]}: `}{wrong.error}</p>}
          {checked && !busy && (
            <>
              {checked.passed !== undefined && <p class={checked.passed ? "solved" : "error"}><strong>{checked.passed ? "\u2713 Solved." : "\u2717 Not yet."}</strong></p>}
              <pre>{checked.words}</pre>
            </>
          )}
        </div></div>
      </section>
      <div class="stage">
        {opened
          ? <App key={opened.number} about={opened.about} shares={false} begin={{ variant: null, run: opened.run, at: opened.run.steps.length }} />
          : <p class="soft">Explore steps through the specification at the left; Check explores all of it. Everything runs in this page.</p>}
      </div>
    </div>
  );
}

async function begun(): Promise<void> {
  const [first, exercises] = await Promise.all([
    fetch("lock.py").then((response) => response.text()),
    fetch("exercises.json").then((response) => response.json() as Promise<Exercise[]>),
  ]);
  const page = document.getElementById("page")!;
  page.replaceChildren();
  render(<Play first={first} exercises={exercises} />, page);
}

void begun();
