// Builds the pages into the Python package: `npm run build`, or `node build.mjs FOLDER` to build them elsewhere and compare.
// LICENSES.txt has the terms of the packages that are bundled.
import { build } from "esbuild";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = process.argv[2] ?? join(import.meta.dirname, "..", "checker", "quorate");
const pages = { "run.tsx": join(root, "report", "web"), "app.tsx": join(root, "explorer", "web"), "play.tsx": join(root, "explorer", "web"), "worker.ts": join(root, "explorer", "web") };

const bundled = {};
for (const [file, outdir] of Object.entries(pages)) {
  const { metafile } = await build({
    metafile: true,
    entryPoints: { [file.split(".")[0]]: `src/${file}` },
    absWorkingDir: import.meta.dirname,
    outdir,
    bundle: true,
    minify: true,
    charset: "ascii",
    format: file === "worker.ts" ? "esm" : "iife",
    target: ["chrome123", "firefox121", "safari17.5"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
  });
  const names = Object.keys(metafile.inputs).map((input) => input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]);
  for (const name of names) if (name) (bundled[outdir] ??= new Set()).add(name);
}

/** The terms of a package, as it comes with them. */
function terms(name) {
  const folder = join(import.meta.dirname, "node_modules", name);
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].map((one) => join(folder, one)).find(existsSync);
  return `${name} ${JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version}\n\n${readFileSync(file, "utf8").trim()}\n`;
}
for (const [outdir, names] of Object.entries(bundled)) {
  writeFileSync(join(outdir, "LICENSES.txt"), [...names].sort().map(terms).join("\n\n"));
}
