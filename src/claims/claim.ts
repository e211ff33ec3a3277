/**
 * A claim (spec 7.3): a run root R alone, which is nobody's statement, or R@K, which is the statement of the
 * key with the address K.
 */
import { type Bytes, fromHex, toHex } from "../encoding/bytes.ts";
import { UsageError } from "../errors/index.ts";
import { keccak } from "./typed-data.ts";

/** A run root, and the key whose statement it is. */
export interface RunClaim {
  /** 32 bytes. */
  readonly run: Bytes;
  /** 20 bytes. Absent if nobody is known to have claimed the run. */
  readonly address?: Bytes;
}

/** `0xROOT@0xADDRESS`, or `0xROOT`. */
export function formatClaim({ run, address }: RunClaim): string {
  return address ? `${toHex(run)}@${formatAddress(address)}` : toHex(run);
}

/** @throws {UsageError} for a text that is neither `0xROOT` nor `0xROOT@0xADDRESS` */
export function parseClaim(text: string, what: string): RunClaim {
  const [, root, address] = /^(0x[0-9a-fA-F]{64})(?:@(0x[0-9a-fA-F]{40}))?$/.exec(text) ?? [];
  if (root === undefined)
    throw new UsageError(
      "VALUE",
      `${what} is no claim; write 0xROOT or 0xROOT@0xADDRESS, as \`verde inspect\` shows it: 64 and 40 hexadecimal digits`,
      { found: text.slice(0, 200) },
    );
  const run = fromHex(root, 32);
  return address === undefined ? { run } : { run, address: parseAddress(address, what) };
}

/** @throws {UsageError} for a text that is not an address, or whose capitals are not its checksum */
export function parseAddress(text: string, what: string): Bytes {
  const digits = /^0x[0-9a-fA-F]{40}$/.test(text) ? text.toLowerCase() : undefined;
  const address = digits === undefined ? undefined : fromHex(digits, 20);
  // Capitals are a checksum (EIP-55). A text without any has none.
  const fits = address && (text === digits || text === formatAddress(address));
  if (!fits)
    throw new UsageError(
      "VALUE",
      `${what} has no address after the root, or an address with a wrong checksum in its capitals; copy it again`,
      { found: text.slice(0, 200) },
    );
  return address;
}

/** With the checksum of EIP-55 in its capitals. */
export function formatAddress(address: Bytes): string {
  const digits = toHex(address).slice(2);
  const checksum = toHex(keccak(new TextEncoder().encode(digits)));
  return `0x${[...digits].map((digit, i) => (Number.parseInt(checksum[i + 2], 16) >= 8 ? digit.toUpperCase() : digit)).join("")}`;
}
