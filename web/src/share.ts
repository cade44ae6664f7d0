// A run in the fragment of an address: JSON, deflated, in the letters that an address may have.
import type { Run } from "./ask";

export interface Shared { variant: string | null; run: Run; at: number }

async function through(stream: CompressionStream | DecompressionStream, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const piped = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

export async function packed(shared: Shared): Promise<string> {
  const bytes = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(JSON.stringify(shared)));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** The run that a fragment holds; undefined for anything else. */
export async function unpacked(fragment: string): Promise<Shared | undefined> {
  try {
    const letters = atob(fragment.replace(/^#/, "").replace(/-/g, "+").replace(/_/g, "/"));
    const bytes = await through(new DecompressionStream("deflate-raw"), Uint8Array.from(letters, (letter) => letter.charCodeAt(0)));
    const shared = JSON.parse(new TextDecoder().decode(bytes)) as Shared;
    return Array.isArray(shared.run.steps) && typeof shared.at === "number" ? shared : undefined;
  } catch {
    return undefined;
  }
}
