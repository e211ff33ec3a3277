/** `--nkey`: an option alone, because what opens the key loads the code that talks to chains. */
import type { Command } from "commander";
import type { TokenFlags } from "./token.ts";

export interface NkeyFlags extends TokenFlags {
  nkey?: string;
}

/** The option that names the key, for commands whose arguments name networks. */
export function addNkeyOption(command: Command): Command {
  return command.option(
    "--nkey <file>",
    "the nkey of this process on NATS; default: one of your own, made at the first use",
  );
}
