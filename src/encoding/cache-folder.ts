/** The folder for what Verde keeps from one run to the next and can make again. Only in Node. */
import { os, path } from "./node.ts";

/** `VERDE_CACHE`, or the system's folder for caches. */
export function cacheFolder(): string {
  const { VERDE_CACHE, XDG_CACHE_HOME } = process.env;
  return VERDE_CACHE || path.join(XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "verde");
}
