/** The keys with which a performance on a chain is signed: those of the accounts in its terms. */
import { type Address, isAddressEqual } from "viem";
import { ClaimStore } from "../../claims/store.ts";
import { fromHex } from "../../encoding/bytes.ts";
import { KeyError, RoundsError } from "../../errors/index.ts";
import type { Plan } from "../../rounds/plan.ts";
import type { Staked } from "../../rounds/run.ts";
import { Signer } from "../../rounds/signer.ts";
import type { Instance } from "../../rounds/statement.ts";
import { instanceOn } from "../../settlement/rounds/terms.ts";
import { openedKeys } from "../account.ts";
import { readPosted } from "./terms.ts";

export interface StakedFlags {
  /** A file. */
  terms?: string;
  keystore?: string[];
  passwordFile?: string;
}

/** Signers for the accounts whose keys are at hand. @throws {KeyError} for an account whose key is not */
async function signers({ keystore, passwordFile }: StakedFlags): Promise<(who: string, account: Address) => Signer> {
  const keys = await openedKeys(keystore, passwordFile === undefined ? {} : { passwordFile });
  const { folder } = new ClaimStore();
  return (who, account) => {
    const key = keys.find(({ address }) => isAddressEqual(address, account));
    if (!key)
      throw new KeyError("MISSING", `${who} signs with the key of ${account}, and that is none of those given (${keys.map(({ address }) => address).join(", ")}); name its keystore with --keystore`, { account }); // prettier-ignore
    return Signer.of(folder, { address: fromHex(account.toLowerCase(), 20), secret: fromHex(key.secret, 32) });
  };
}

/**
 * What a recorder performs with.
 * @param all whether the participants sign in this process too
 * @throws {RoundsError} when the terms are not about the plan
 */
export async function stakedRun(plan: Plan, file: string, flags: StakedFlags, all: boolean): Promise<Staked> {
  const posted = await readPosted(file);
  const instance = instanceOn(plan, posted.terms, posted);
  const signerOf = await signers(flags);
  const { participants, recorder } = posted.terms;
  return {
    instance,
    recorder: signerOf("the recorder", recorder),
    participants: all ? participants.map((account, i) => signerOf(plan.participants[i].name, account)) : [],
  };
}

/** @throws {RoundsError} when the terms are not about the plan, or it has no such participant */
export async function stakedParticipant(
  plan: Plan,
  file: string,
  name: string,
  flags: StakedFlags,
): Promise<{ instance: Instance; signer: Signer }> {
  const posted = await readPosted(file);
  const instance = instanceOn(plan, posted.terms, posted);
  const number = plan.participants.findIndex((each) => each.name === name);
  if (number < 0)
    throw new RoundsError("PARTICIPANT", `${plan.name} has no participant ${name}; it has ${plan.participants.map((each) => each.name).join(", ")}`, { participant: name }); // prettier-ignore
  return { instance, signer: (await signers(flags))(name, posted.terms.participants[number]) };
}
