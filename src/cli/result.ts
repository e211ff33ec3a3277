/** The files that a command is asked to write its results to. */
import { UsageError } from "../errors/index.ts";
import { exists } from "../files/regular.ts";
import { openFile } from "../formats/file.ts";

/** Where JSON begins. */
const JSON_START = /^\s*[{[]/;

/**
 * Checks, before the work begins, that a result in JSON does not replace a file of another kind, such as a
 * trace. An older result, an empty file, a device and a pipe may be written to.
 * @param option the option that names the file: `--verdict`
 * @throws {UsageError} when there is a file of another kind
 */
export async function expectJsonResult(path: string, option: string): Promise<void> {
  const file = await openFile(path).catch(() => undefined);
  if (!file) return;
  try {
    const start = new TextDecoder().decode(await file.read(0, Math.min(file.size, 64)));
    if (file.size === 0 || JSON_START.test(start)) return;
  } finally {
    await file.close();
  }
  throw new UsageError(
    "EXISTS",
    `${path} exists, and is no JSON, so ${option} does not overwrite it; choose another name, or remove it`,
    { path, option },
  );
}

/**
 * Checks, before the work begins, that nothing stands where a new file is wanted.
 * @throws {UsageError} when something does
 */
export async function expectNew(out: string): Promise<void> {
  if (await exists(out))
    throw new UsageError("EXISTS", `${out} exists; move it away, or choose another name with --out`, { out });
}
