// `quorate explore`: the explorer, asking the server that served the page.
import { render } from "preact";
import { App, EMPTY } from "./explorer";
import type { About } from "./ask";
import { unpacked } from "./share";

async function start(): Promise<void> {
  const about = JSON.parse(document.getElementById("about")?.textContent ?? "{}") as About;
  const run = about.begin.run ?? EMPTY;
  const shared = location.hash ? await unpacked(location.hash) : undefined;
  const page = document.getElementById("page")!;
  page.replaceChildren();
  render(<App about={about} begin={shared ?? { variant: about.begin.variant, run, at: run.steps.length }} />, page);
}

void start();
