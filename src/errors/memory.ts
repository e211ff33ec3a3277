/**
 * What engines say when they get no more memory. V8 can't report its own heap's end: it aborts the process.
 */
import { BackendError } from "./backend.ts";
import { messageOf, VerdeError } from "./verde-error.ts";

const NO_MEMORY =
  /ENOMEM|Array buffer allocation failed|could not allocate memory|Out of memory|Invalid typed array length|Invalid array buffer length/i;

/** The error that says what to do, if an error of the engine or the system means that memory is missing. */
export function missingMemory(error: unknown): BackendError | undefined {
  if (error instanceof VerdeError || !(error instanceof Error) || !NO_MEMORY.test(messageOf(error))) return undefined;
  return new BackendError(
    "MEMORY",
    `this machine has too little memory for that (${messageOf(error)}); use a smaller job, or free memory`,
  );
}
