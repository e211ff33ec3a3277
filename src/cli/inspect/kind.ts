/** What kind of file is to be inspected, by its first bytes. */
import { extname } from "node:path";
import { FormatError } from "../../errors/index.ts";
import { openFile } from "../../formats/file.ts";
import { fileKind, KIND_BYTES, looksLikeSafetensors } from "../../formats/file-kind.ts";
import { isJobFile } from "../../trace/job-file.ts";

export type Inspected = "trace" | "tensors" | "job" | "verdict";

/**
 * A file that is none of the others counts as a trace: whatever opens it says what is wrong.
 * @throws {FormatError} when it can't be read, or is of a known other kind
 */
export async function kindOf(path: string): Promise<Inspected> {
  const file = await openFile(path);
  let head: Uint8Array;
  try {
    head = await file.read(0, Math.min(file.size, KIND_BYTES));
  } finally {
    await file.close();
  }
  if (isJobFile(head)) return "job";
  if (looksLikeSafetensors(head) || extname(path) === ".safetensors") return "tensors";
  const text = new TextDecoder().decode(head);
  if (/^\s*\{/.test(text)) return "verdict";
  const kind = text.startsWith("VERDETR1") ? undefined : fileKind(head);
  if (kind)
    throw new FormatError(
      "KIND",
      `${path} is ${kind.what}; a trace, a job file, a verdict or a safetensors file can be inspected`,
      { path },
    );
  return "trace";
}
