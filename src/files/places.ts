/** The folders of a user in which programs keep things. */
import { os, path as paths } from "../encoding/node.ts";

const PARTS = { state: [".local", "state"], cache: [".cache"] } as const;

/**
 * The system's folder for one kind of things: in XDG_STATE_HOME or XDG_CACHE_HOME, or below the user's home.
 * @returns `undefined` for a user without a home, as in some containers
 */
export function userFolder(kind: keyof typeof PARTS): string | undefined {
  const { XDG_STATE_HOME, XDG_CACHE_HOME } = process.env;
  const named = { state: XDG_STATE_HOME, cache: XDG_CACHE_HOME }[kind];
  if (named) return named;
  const home = homeFolder();
  return home === undefined ? undefined : paths.join(home, ...PARTS[kind]);
}

/** `VERDE_CACHE`, or the system's folder for caches. `undefined` for a user without a home. */
export function cacheFolder(): string | undefined {
  const folder = userFolder("cache");
  return process.env.VERDE_CACHE || (folder === undefined ? undefined : paths.join(folder, "verde"));
}

/** `VERDE_STATE`, or the system's folder for state. `undefined` for a user without a home. */
export function stateFolder(): string | undefined {
  const folder = userFolder("state");
  return process.env.VERDE_STATE || (folder === undefined ? undefined : paths.join(folder, "verde"));
}

function homeFolder(): string | undefined {
  try {
    // With an empty HOME it is empty. Joined to anything, it would mean the working directory.
    return os.homedir() || undefined;
  } catch {
    return undefined;
  }
}
