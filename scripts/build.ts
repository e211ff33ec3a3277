/**
 * `npm run build` makes `dist/`, which the package's entries serve: the checkout's folders as JavaScript with
 * types and maps, so that paths from one module to another, or to data, are the same in both.
 */
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const out = join(root, "dist");
/** Files that modules read at run time and that are no modules. */
const ASSETS = ["src/web/page", "src/repops/backends/native/core", "examples/data", "bench/peers"];

rmSync(out, { recursive: true, force: true });
const compiler = join(root, "node_modules/.bin/tsc");
const { status, error } = spawnSync(compiler, ["-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (error) throw error;
if (status !== 0) process.exit(status ?? 1);

for (const folder of ASSETS)
  cpSync(join(root, folder), join(out, folder), { recursive: true, filter: (path) => !path.endsWith(".ts") });

// The compiler rewrites the endings of imports in modules, and leaves those in declarations.
const RELATIVE = /(\b(?:from|import)\s*\(?\s*")(\.[^"]+)\.ts"/g;
for (const name of readdirSync(out, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".d.ts"))) {
  const file = join(out, name);
  const text = readFileSync(file, "utf8");
  const rewritten = text.replace(RELATIVE, '$1$2.js"');
  if (rewritten !== text) writeFileSync(file, rewritten);
}
