// Python in the browser: a worker that loads Pyodide and Quorate from the page's own folder, and answers one question after the other.
interface Pyodide {
  unpackArchive: (archive: ArrayBuffer, format: string, options: { extractDir: string }) => void;
  runPython: (code: string) => unknown;
}
export type Question = [id: number, method: string, ...texts: string[]];
export type Answer = [id: number, answer: string | null, problem: string];

type Methods = Record<string, (...texts: string[]) => string>;

async function loaded(): Promise<Methods> {
  const { loadPyodide } = (await import(new URL("pyodide/pyodide.mjs", self.location.href).href)) as { loadPyodide: () => Promise<Pyodide> };
  const [pyodide, archive] = await Promise.all([loadPyodide(), fetch("quorate.zip").then((response) => response.arrayBuffer())]);
  pyodide.unpackArchive(archive, "zip", { extractDir: "/quorate" });
  return pyodide.runPython(`
import sys
sys.path.insert(0, "/quorate")
from quorate.explorer.playing import Playground
Playground()
`) as Methods;
}

const playground = loaded();

self.addEventListener("message", (event: MessageEvent<Question>) => {
  const [id, method, ...texts] = event.data;
  playground
    .then((methods) => methods[method]!(...texts))
    .then((answer): Answer => [id, answer, ""], (error: unknown): Answer => [id, null, String(error)])
    .then((answer) => self.postMessage(answer));
});
