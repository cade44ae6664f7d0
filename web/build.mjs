// Builds the pages into the Python package: `npm run build`, or `node build.mjs FOLDER` to build them elsewhere and compare.
import { build } from "esbuild";
import { join } from "node:path";

const root = process.argv[2] ?? join(import.meta.dirname, "..", "checker", "quorate");
const pages = { "run.tsx": join(root, "report", "web"), "app.tsx": join(root, "explorer", "web"), "play.tsx": join(root, "explorer", "web"), "worker.ts": join(root, "explorer", "web") };

for (const [file, outdir] of Object.entries(pages)) {
  await build({
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
}
