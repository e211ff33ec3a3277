/**
 * `--token-file`: the tokens that servers want. They are never given as arguments, which other users of the
 * machine can read.
 */
import type { Command } from "commander";
import { UsageError } from "../errors/index.ts";
import { readRegularText } from "../files/regular.ts";
import type { TokenFor } from "../formats/http.ts";

export interface TokenFlags {
  tokenFile?: string;
}

export function addTokenOption(command: Command): Command {
  return command.option(
    "--token-file <file>",
    "the token that a server wants, or lines of an address and its token (default: VERDE_TOKEN)",
  );
}

/** @throws {UsageError} for a file that holds neither */
export async function tokensOf({ tokenFile }: TokenFlags): Promise<TokenFor> {
  const text = tokenFile === undefined ? process.env.VERDE_TOKEN : await readRegularText(tokenFile, { pipes: true });
  if (!text) return () => undefined;
  const what = tokenFile ?? "VERDE_TOKEN";
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  if (lines.length === 1 && /^[!-~]{1,4096}$/.test(lines[0])) return () => lines[0];
  const tokens = new Map<string, string>();
  for (const [i, line] of lines.entries()) {
    const [, address, token] = /^\s*(https?:\/\/\S+)\s+([!-~]{1,4096})\s*$/i.exec(line) ?? [];
    if (address === undefined || !URL.canParse(address))
      throw new UsageError("VALUE", `${what}, line ${i + 1}, is no token: write one alone, or \`https://HOST TOKEN\` in each line`); // prettier-ignore
    tokens.set(new URL(address).origin, token);
  }
  return (url) => (URL.canParse(url) ? tokens.get(new URL(url).origin) : undefined);
}
