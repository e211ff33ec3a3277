/** The second thread of `CheckpointFiles`. */
import { parentPort } from "node:worker_threads";
import { FileError, type FileSubCode, messageOf } from "../errors/index.ts";
import { writeSafetensors } from "../formats/safetensors-file.ts";
import type { Answer, Order } from "./checkpoint-files.ts";

/** An error as data: its class is lost on the way to another thread. */
function described(error: unknown): NonNullable<Answer["error"]> {
  const message = messageOf(error);
  if (!(error instanceof FileError)) return { message };
  const subCode = error.code.slice(`${error.family}_`.length) as FileSubCode;
  return { message, file: { subCode, evidence: error.evidence } };
}

const port = parentPort!;
// The rule is for windows, which have an origin.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
const answer = (found: Answer): void => port.postMessage(found);
port.on("message", ({ path, tensors }: Order) => {
  writeSafetensors(path, tensors).then(
    () => answer({}),
    (error: unknown) => answer({ error: described(error) }),
  );
});
answer({});
