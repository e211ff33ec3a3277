/** Files with a member's signature, and how several of them are combined. */
import { type Address, type Hex, isAddress, isAddressEqual, isHex } from "viem";
import type { LocalAccount } from "viem/accounts";
import { parseJson, plainJson } from "../encoding/json.ts";
import { FormatError, UsageError } from "../errors/index.ts";
import { type Bench, type Ruling, signerOfRuling, signRuling } from "./ruling.ts";

/** A member's signature of a ruling, as it is in a file. */
export interface SignatureFile extends Bench {
  ruling: Ruling;
  signer: Address;
  signature: Hex;
  /** Names the file, for errors. */
  what: string;
}

/** What a file with a member's signature of a ruling holds. `parseSignature` reads it. */
export async function signedRuling(account: LocalAccount, bench: Bench, ruling: Ruling) {
  const signature = await signRuling(account, bench, ruling);
  return { schemaVersion: 1, ...bench, verdict: plainJson(ruling), signer: account.address, signature };
}

/** The claims that a ruling is against, as a clause: `0x12… is wrong`. */
export function clauseOfRuling({ claims, losers }: Ruling): string {
  const wrong = claims.filter((_, i) => ((losers >> BigInt(i)) & 1n) === 1n);
  return `${wrong.join(", ")} ${wrong.length === 1 ? "is" : "are"} wrong`;
}

/** @throws {FormatError} if the text is not a signature of a verdict */
export function parseSignature(text: string, what: string): SignatureFile {
  const content = (parseJson(text, what) ?? {}) as Record<string, unknown>;
  const { schemaVersion, chainId, committee, task, verdict, signer, signature } = content;
  // Other files, such as a verdict, have versions of their own.
  if ("signer" in content && typeof schemaVersion === "number" && schemaVersion !== 1)
    throw new FormatError(
      "VERSION",
      `${what} has version ${schemaVersion}, but this program reads version 1; sign the verdict again with \`verde referee sign\``,
      { what, expected: 1, found: schemaVersion },
    );
  const fail = (): never => {
    const message = `${what} is not a signature of a verdict; \`verde referee sign\` writes one`;
    throw new FormatError("MALFORMED", message, { what });
  };
  try {
    const { dispute, claims, losers, file, validUntil } = verdict as Record<string, unknown>;
    const sound =
      schemaVersion === 1 &&
      Number.isSafeInteger(chainId) &&
      [committee, signer].every((value) => isAddress(String(value))) &&
      [task, file, ...(claims as unknown[])].every((value) => isHex(value) && value.length === 66) &&
      isHex(signature);
    if (!sound) fail();
    const numbers = {
      dispute: BigInt(String(dispute)),
      losers: BigInt(String(losers)),
      validUntil: BigInt(String(validUntil)),
    };
    return {
      chainId: chainId as number,
      committee: committee as Address,
      task: task as Hex,
      ruling: { ...numbers, claims: claims as Hex[], file: file as Hex },
      signer: signer as Address,
      signature: signature as Hex,
      what,
    };
  } catch {
    return fail();
  }
}

/**
 * The signatures of one ruling, in the order that the committee's contract needs.
 * @throws {UsageError} when they are not for the same ruling, or not for this bench
 * @throws {FormatError} for a false signature
 */
export async function gatherSignatures(
  bench: Bench,
  files: readonly SignatureFile[],
): Promise<{ ruling: Ruling; signers: Address[]; signatures: Hex[] }> {
  const [{ ruling, what: first }] = files;
  const bySigner = new Map<Address, Hex>();
  for (const { what, chainId, committee, task, ruling: own, signer, signature } of files) {
    if (chainId !== bench.chainId || task !== bench.task || !isAddressEqual(committee, bench.committee))
      throw new UsageError("FOREIGN", `${what} is for another task, committee or chain; omit it`, {
        what,
        expected: [bench.task, bench.committee, bench.chainId],
        found: [task, committee, chainId],
      });
    if (textOf(own) !== textOf(ruling))
      throw new UsageError(
        "FOREIGN",
        `${what} and ${first} sign different verdicts; members have to sign the same file`,
        {
          what,
          first,
        },
      );
    const found = await signerOfRuling(bench, own, signature).catch(() => undefined);
    if (found === undefined || !isAddressEqual(found, signer))
      throw new FormatError("ALTERED", `${what} does not hold ${signer}'s signature; ask this member for it again`, {
        what,
        expected: signer,
        found,
      });
    bySigner.set(found, signature);
  }
  const sorted = [...bySigner].sort(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1));
  return { ruling, signers: sorted.map(([signer]) => signer), signatures: sorted.map(([, signature]) => signature) };
}

const textOf = ({ dispute, claims, losers, file, validUntil }: Ruling): string =>
  [dispute, ...claims, losers, file, validUntil].join();
