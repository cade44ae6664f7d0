// The playground: a specification is edited, checked and stepped through, all in the browser.
import { render, type JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import "./play.css";
import { askBy, type About, type Run } from "./ask";
import { App, EMPTY } from "./explorer";
import type { Answer } from "./worker";

interface Wrong { error: string; place?: [line: number, column: number, length: number] }
interface Checked { verdict: string; words: string; run: Run | null }
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

function Play({ first }: { first: string }): JSX.Element {
  const [text, setText] = useState(localStorage.getItem(KEPT) ?? first);
  const [protocols, setProtocols] = useState<string[]>([]);
  const [ready, setReady] = useState(false);
  const [busy, setBusy] = useState("");
  const [wrong, setWrong] = useState<Wrong>();
  const [checked, setChecked] = useState<Checked>();
  const [opened, setOpened] = useState<{ about: About; run: Run; number: number }>();
  const editor = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    python<string[]>("protocols").then((names) => { setProtocols(names); setReady(true); }).catch((error: Error) => setWrong({ error: error.message }));
  }, []);

  const attempt = async (what: string, deed: () => Promise<void>): Promise<void> => {
    setBusy(what);
    setWrong(undefined);
    try {
      await deed();
    } catch (error) {
      const found = error instanceof Problem ? error.wrong : { error: String(error) };
      setWrong(found);
      if (found.place) select(...found.place);
    } finally {
      setBusy("");
    }
  };
  /** Put the cursor on what an error is about. */
  const select = (line: number, column: number, length: number): void => {
    const area = editor.current;
    if (!area) return;
    const start = area.value.split("\n").slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column;
    area.focus();
    area.setSelectionRange(start, start + length);
  };
  const open = async (run?: Run): Promise<About> => {
    localStorage.setItem(KEPT, text);
    const about = await python<About>("open", text);
    setOpened((before) => ({ about, run: run ?? EMPTY, number: (before?.number ?? 0) + 1 }));
    return about;
  };
  const explore = (): void => void attempt("Opening", async () => { setChecked(undefined); await open(); });
  const check = (): void => void attempt("Checking", async () => {
    await python("open", text);
    const found = await python<Checked>("check", "");
    setChecked(found);
    await open(found.run ?? EMPTY);
  });
  const begin = (name: string): void => void attempt("Loading", async () => {
    setText(name === "" ? first : await python<string>("source", name));
    setChecked(undefined);
  });

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
          <button type="button" disabled={!ready || busy !== ""} onClick={explore}>Explore</button>
          <button type="button" disabled={!ready || busy !== ""} onClick={check}>Check</button>
        </div>
        <label class="unseen" for="text">The specification's text</label>
        <textarea id="text" ref={editor} spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <div role="status" class="told">
          {!ready && !wrong && "Loading Python\u2026"}
          {busy && `${busy}\u2026`}
          {wrong && <p class="error">{wrong.place && `Line ${wrong.place[0]}: `}{wrong.error}</p>}
          {checked && !busy && <pre>{checked.words}</pre>}
        </div>
      </section>
      <div class="stage">
        {opened
          ? <App key={opened.number} about={opened.about} shares={false} begin={{ variant: null, run: opened.run, at: opened.run.steps.length }} />
          : <p class="soft">Explore steps through the specification at the left; Check explores all of it. Everything runs in this page.</p>}
      </div>
    </div>
  );
}

const page = document.getElementById("page")!;
void fetch("lock.py").then((response) => response.text()).then((first) => {
  page.replaceChildren();
  render(<Play first={first} />, page);
});
