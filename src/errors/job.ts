/** Failures of jobs. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const JOB = {
  MODULE_MISSING: {
    when: "There is no job module at this path.",
    remedy: "Give the path of a file that exports a job.",
  },
  MODULE_BROKEN: {
    when: "The job module can't be loaded, or exports no job.",
    remedy: "Repair the module (docs/guides/wrap-a-job.md).",
  },
  THREW: {
    when: "The code of a job module threw an error that is not Verde's.",
    remedy: "Repair the line that the message names; `VERDE_DEBUG=1` shows the whole stack.",
  },
  OPTION_UNKNOWN: { when: "The job has no option of this name.", remedy: "Choose from the options in the message." },
  OPTION_NAME: {
    when: "A job declares an option with a name that a command keeps for itself, or that can't be set on a command line.",
    remedy: "Rename the option.",
  },
  OPTION_VALUE: {
    when: "An option of the job has a value that it does not accept.",
    remedy: "Give a value of the type that the message names.",
  },
  SETTING: {
    when: "A layer, optimizer, schedule or job has an unknown option, or a value that it can't use.",
    remedy: "Change the settings that the message names.",
  },
  STEPS: {
    when: "The number of training steps is out of range.",
    remedy: "Take a whole number in the range that the message names.",
  },
  DATA_UNREADABLE: { when: "The data of the job can't be read.", remedy: "Check the path, or restore the file." },
  DATA: {
    when: "The data does not have the length, shape or count that the job needs.",
    remedy: "Give data of the shape that the message names.",
  },
  STATE: {
    when: "The entries of the training state do not fit together.",
    remedy: "Make each entry once with `parameter()` or `state()`, and update it with a value of its type.",
  },
  INIT: {
    when: "The init graph takes some tensors of the dataset, and not all.",
    remedy: "Let it take all of them, or none.",
  },
  NO_GRADIENT: {
    when: "No gradient reaches a parameter, so it would never be trained.",
    remedy: "Repair the path to the loss that the message names, or say `freeze` or `stopGradient`.",
  },
  NO_PARAMETERS: { when: "The job has nothing to train.", remedy: "Make at least one parameter in it." },
  CHECKPOINT: {
    when: "The tensors of a checkpoint do not fit the job's state.",
    remedy: "Give a checkpoint with the names and shapes of the state.",
  },
  FAULT: {
    when: "A fault is planted in a place that the job does not have.",
    remedy: "Choose a training step, operator and element that the job has.",
  },
  ON_CHAIN: {
    when: "The job has a form that is no task on a chain: no training steps, an initial state that reads the dataset, or a dataset of several lists.",
    remedy: "Settle it without a chain, or as a leaf of rounds.",
  },
  LENGTH: {
    when: "A length of the job is more than a dispute on a chain can show.",
    remedy: "Make it smaller as the message says, or use a task without a game.",
  },
  FOREIGN: {
    when: "A trace or a task is about another job.",
    remedy: "Use the module, options, data and seed of that job.",
  },
  COMMIT_EVERY: {
    when: "A trace commits to its state at another interval than the task requires.",
    remedy: "Run the job again with the interval in the message.",
  },
  TOO_LARGE: {
    when: "The job needs more memory than this machine has.",
    remedy: "Use a machine with more memory, or a job with smaller tensors.",
  },
  SHARDS: {
    when: "The batch of the job is not cut into shards, so workers have nothing to do.",
    remedy: "Write `shards: 4` in its defineJob, or run it without `--workers`.",
  },
  WORKERS: { when: "None of the workers can be used.", remedy: "Start `verde worker`, and check the addresses." },
  STEP_TOO_LARGE: {
    when: "A scalar step can't be proven within one transaction.",
    remedy: "Use smaller tensors in the operator that the message names, or a task without the game.",
  },
} as const satisfies SubCodes;

/** A key of `JOB`. */
export type JobSubCode = keyof typeof JOB;

/** A job can't be used: missing files, an unknown option, settings that contradict each other. */
export class JobError extends VerdeError<"VERDE_JOB", JobSubCode> {
  constructor(subCode: JobSubCode, message: string, evidence?: Evidence) {
    super("VERDE_JOB", subCode, message, evidence);
  }
}
