// What the server answers: see quorate.explorer.session. The page's own address has the token.
import type { Scene } from "./scene";
import type { States } from "./states";
import type { Step, Verdict, Witness } from "./steps";

export type Arguments = Record<string, unknown>;
export interface Run { initial: Arguments; steps: [string, Arguments][] }

export interface Option {
  id: number; action: string; about: string; arguments: Arguments; given: string; lane: string; mark: string | null;
  received: string[]; lost: string[]; sent: string[]; again: boolean; failure: string;
}
export interface Reason { lane: string; given: string; why: string; guard: string }
export interface Refused { action: string; about: string; possible: boolean; reasons: Reason[] }
export interface Waiting {
  id: string; name: string; payload: string; source: string | null; options: number[];
  refused: { lane: string; action: string; why: string; guard: string }[];
}
export interface Judged {
  name: string; kind: string; sentence: string; holds: boolean | null; goal: boolean; run: boolean; witnesses: Witness[]; message?: string;
}
export interface Now {
  options: Option[]; refused: Refused[]; wire: Waiting[]; lanes: Record<string, string | null>; properties: Judged[]; failure: string;
}
/** Of a long run, `run` and `scene` have only the steps after `offset` that are around the current one. */
export interface Look {
  offset: number; length: number;
  run: { steps: Step[]; states: States; verdict: Verdict; witnesses: Witness[] };
  scene: Scene; judged: { false: string[]; reached: string[] }[]; now: Now; reads: [string, string | null][]; bounds: Record<string, number>;
}
export interface Comparison {
  variant: string | null; taken: number; refused: string; scene: Scene | null;
  state: { step: number; places: { variable: string; here: string; there: string }[] } | null;
  offers: { step: number; here: string[]; there: string[] } | null;
  false: { step: number; properties: string[] } | null;
}
/** `fair` is the point among fair runs, where actions are fair. */
export interface NoReturn { step: number | null; fair: number | null; words: string }
export interface About {
  spec: string; about: string; main: string; variants: { name: string; about: string; expect: string }[]; bounds: Record<string, number>;
  begin: { variant: string | null; run: Run | null }; initial: { arguments: Arguments; shown: string }[];
}

/** How Python is asked: over HTTP, or in the browser. */
export interface Transport {
  ask: (question: string, body: unknown) => Promise<unknown>;
  file: (kind: string, body: unknown) => Promise<{ name: string; contents: Blob }>;
  stop: () => Promise<void>;
}

async function post(path: string, body: unknown): Promise<Response> {
  const response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (response.ok) return response;
  const told = response.headers.get("Content-Type") === "application/json" ? ((await response.json()) as { error: string }).error : "";
  throw new Error(told || `The explorer answers ${response.status} ${response.statusText}.`);
}

let transport: Transport = {
  ask: async (question, body) => (await post(`ask/${question}`, body)).json() as Promise<unknown>,
  file: async (kind, body) => {
    const response = await post(`file/${kind}`, body);
    return { name: response.headers.get("X-Name") ?? `run.${kind}`, contents: await response.blob() };
  },
  stop: async () => { await post("stop", {}); },
};

export function askBy(other: Transport): void {
  transport = other;
}

export async function ask<T>(question: string, body: unknown): Promise<T> {
  return (await transport.ask(question, body)) as T;
}

export async function stop(): Promise<void> {
  await transport.stop();
}

/** Fetch a run as a file and hand it to the reader to keep. */
export async function save(kind: string, body: unknown): Promise<string> {
  const { name, contents } = await transport.file(kind, body);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(contents);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
  return name;
}
