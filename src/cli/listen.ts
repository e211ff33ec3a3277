/** Where a server listens, and with which certificate: `--listen`, `--tls-cert` and `--tls-key`. */
import type { Command } from "commander";
import { KeyError, messageOf, UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { readRegularText } from "../files/regular.ts";
import { isLocal, type Place } from "../services/address.ts";
import type { ServerOptions } from "../services/server.ts";

export interface ListenFlags {
  listen: string;
  tlsCert?: string;
  tlsKey?: string;
}

export function addListenOptions(command: Command, standard: string): Command {
  return command
    .option("--listen <address>", "address and port; port 0 is any free one", standard)
    .option("--tls-cert <file>", "a certificate in PEM: the server speaks HTTPS")
    .option("--tls-key <file>", "its private key in PEM");
}

/**
 * @param option that gives the text, for the error
 * @throws {UsageError} for a text that is no address and port
 */
export function placeOf(text: string, option: string): Place {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535)
    throw new UsageError("VALUE", `${option} ${quote(text)} is no address; write 127.0.0.1:8850`, { found: text });
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

/**
 * @param option that gives the text, for the error
 * @throws {UsageError} for a text that is no port
 */
export function portFrom(text: string, option: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new UsageError("VALUE", `${option} ${quote(text)} is not a port; give a number from 0 to 65535`, { found: text }); // prettier-ignore
}

/** @throws {UsageError | KeyError} when one of the two is missing, or can't be read */
export async function tlsOf({ tlsCert, tlsKey }: ListenFlags): Promise<ServerOptions["tls"]> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UsageError("CONFLICT", "a certificate needs its key: give both --tls-cert and --tls-key");
  const read = (file: string): Promise<string> =>
    readRegularText(file, { pipes: true }).catch((cause: unknown) => {
      throw new KeyError("UNREADABLE", `${file} can't be read: ${messageOf(cause)}; give a file that you may read`);
    });
  return { cert: await read(tlsCert), key: await read(tlsKey) };
}

/** What is said of a server that others than this machine reach. */
export function exposure(host: string, hasToken: boolean, isEncrypted: boolean): string[] {
  if (isLocal(host)) return [];
  const unknown = `verde: anybody who reaches ${host} can ask, and each question costs time; give --token-file`;
  const open = "verde: the connection is not encrypted; give --tls-cert and --tls-key";
  return [...(hasToken ? [] : [unknown]), ...(isEncrypted ? [] : [open])];
}
