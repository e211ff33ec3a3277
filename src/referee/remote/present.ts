/** A party on a server, as it presents itself: its claim, and the key that its answers are signed with. */
import type { RunClaim } from "../../claims/claim.ts";
import { openingSigner } from "../../claims/opening.ts";
import { DisputeError, VerdeError } from "../../errors/index.ts";
import { isUrl } from "../../formats/http.ts";
import { checkParts, openClaim, openingLengths } from "../../game/level.ts";
import { topOf } from "../../game/question.ts";
import { decodeClaim, MAX_CLAIM, type PartyFailure } from "../apart/messages.ts";
import { opened, type Presented } from "../apart/present.ts";
import { asking, type Channel, isFailure, Reached } from "../apart/reached.ts";
import { jobFacts } from "../facts.ts";
import { trainingMachine } from "../machine.ts";
import { openingPlace } from "../opening.ts";
import { RemoteChannel, type RemoteOptions } from "./channel.ts";

/**
 * The way to the party at an address, or nothing for an address of another kind.
 * @param timeout milliseconds for one answer. Default: ten minutes
 */
export type Reach = (address: string, timeout?: number) => Promise<Channel | undefined>;

/**
 * @param url the address that `verde prove` prints
 * @throws {DisputeError} when the server can't be asked, or sends no claim
 */
export async function presentRemote(
  url: string,
  { reach, ...options }: RemoteOptions & { reach?: Reach } = {},
): Promise<Presented> {
  const channel = (await reach?.(url, options.timeout)) ?? channelTo(url, options);
  const claim = await asking(channel)("open", new Uint8Array(0), MAX_CLAIM, decodeClaim);
  if (isFailure(claim)) throw cantOpen(url, claim);
  const party = new Reached(channel, claim);
  const { manifest, runRoot } = party;
  return {
    path: url,
    manifest,
    runRoot,
    claim: await claimOf(party),
    open: () => opened(party),
    close: () => party.close(),
  };
}

function channelTo(url: string, options: RemoteOptions): Channel {
  if (isUrl(url)) return new RemoteChannel(url, options);
  throw new DisputeError("ANSWER_MISSING", `${url} is no address of a party; write nats://HOST:PORT/KEY`, {
    path: url,
  });
}

function cantOpen(url: string, { code, message }: PartyFailure): DisputeError {
  return new DisputeError(
    "ANSWER_MISSING",
    `${url} shows no claim: ${message}; name the address that \`verde prove TRACE\` prints`,
    { path: url, code },
  );
}

/**
 * Who claims the run follows from a signature, and from nothing else that the server says: the key that signs
 * the root of the segment tree claims the run.
 */
async function claimOf({ prover, manifest: { outline, commitEvery }, runRoot: run }: Reached): Promise<RunClaim> {
  const facts = jobFacts(outline, commitEvery);
  const answer = await prover.answer({ kind: "opening", at: [], height: 0, position: 0 });
  const signature = await prover.signature([]);
  if (!answer || !signature) return { run };
  try {
    const top = topOf(trainingMachine(facts));
    const root = openClaim(top, run, checkParts(answer, openingLengths(top), `the ${top.name} tree`));
    const address = openingSigner({ run, ...openingPlace(facts, []), root }, signature);
    return address ? { run, address } : { run };
  } catch (error) {
    // The opening does not lead to the claim. The dispute will say so.
    if (error instanceof VerdeError) return { run };
    throw error;
  }
}
