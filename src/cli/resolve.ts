/** Job modules may lie anywhere: `verde/job` and the other entry points resolve to this checkout. */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

export function resolveOwnPackage(): void {
  const manifest = new URL("../../package.json", import.meta.url);
  const { name, exports } = JSON.parse(readFileSync(manifest, "utf8")) as {
    name: string;
    exports: Record<string, string>;
  };
  registerHooks({
    resolve(specifier, context, next) {
      const target = specifier.startsWith(`${name}/`) ? exports[`.${specifier.slice(name.length)}`] : undefined;
      if (target === undefined) return next(specifier, context);
      return { url: new URL(target, manifest).href, format: "module-typescript", shortCircuit: true };
    },
  });
}
