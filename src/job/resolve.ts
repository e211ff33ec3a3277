/**
 * A user's module may be in any folder, and imports Verde by the package's name. The name resolves to the
 * Verde that runs, so a job and its engine always have the same version.
 */
import { modules } from "../encoding/node.ts";

const NAME = "@verde-ml/verde";
/** The package's name before it had a scope. */
const FORMER_NAME = "verde";
/** In a checkout the name resolves to the sources, which need no build. */
const CONDITIONS = import.meta.url.endsWith(".ts") ? ["verde-source"] : [];

const isOf = (specifier: string, name: string): boolean => specifier === name || specifier.startsWith(`${name}/`);

function entries(): string[] {
  const manifest = modules.createRequire(import.meta.url)(`${NAME}/package.json`) as { exports: object };
  return Object.keys(manifest.exports).map((entry) => NAME + entry.slice(1));
}

let resolves = false;

/** Further calls have no effect. */
export function resolveOwnPackage(): void {
  if (resolves) return;
  resolves = true;
  modules.registerHooks({
    resolve(specifier, context, next) {
      if (isOf(specifier, NAME)) {
        // Resolve as for a module of this package: the package's own exports apply, and errors name a missing
        // entry.
        const conditions = [...context.conditions, ...CONDITIONS];
        try {
          return next(specifier, { ...context, conditions, parentURL: import.meta.url });
        } catch (cause) {
          throw new Error(`${NAME} has no entry "${specifier}"; it has ${entries().join(", ")}`, { cause });
        }
      }
      try {
        return next(specifier, context);
      } catch (cause) {
        if (!isOf(specifier, FORMER_NAME)) throw cause;
        const name = NAME + specifier.slice(FORMER_NAME.length);
        throw new Error(`there is no package ${FORMER_NAME}; write import … from "${name}" for "${specifier}"`, {
          cause,
        });
      }
    },
  });
}
