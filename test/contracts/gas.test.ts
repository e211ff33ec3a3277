/**
 * What the transactions of a task cost, whole, in gas: below their ceilings, and equal to `gas.json`, so that
 * a change is seen and decided. `VERDE_WRITE_GAS=1 npx vitest run test/contracts/gas.test.ts` writes the
 * file.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { digest, openChain } from "./chain.ts";
import { submit, verdictOf } from "./referees.ts";
import { LIE, Play, TRUTH } from "./task.ts";

const FILE = new URL("gas.json", import.meta.url);
const CEILINGS: Readonly<Record<string, number>> = {
  post: 160_000,
  accept: 90_000,
  commit: 55_000,
  reveal: 65_000,
  finalize: 110_000,
  claim: 45_000,
  verdict: 140_000,
};

/**
 * The most expensive of each kind. `first` is with fresh accounts, `later` with accounts that have been paid
 * before.
 */
async function measure(): Promise<Record<string, number>> {
  const chain = await openChain();
  const gas: Record<string, number> = {};
  const note = async (name: string, receipt: Promise<{ gasUsed: bigint }>): Promise<void> => {
    gas[name] = Math.max(gas[name] ?? 0, Number((await receipt).gasUsed));
  };
  for (const suffix of ["", " (later)"]) {
    const play = await Play.of(chain, { salt: digest(`agree${suffix}`) });
    await note(`post${suffix}`, play.post());
    for (const seat of [0, 1]) await note(`accept${suffix}`, play.accept(seat));
    for (const seat of [0, 1]) await note(`commit${suffix}`, play.commit(seat, TRUTH));
    for (const seat of [0, 1]) await note(`reveal${suffix}`, play.reveal(seat, TRUTH));
    await note(`compare${suffix}`, play.compare());
    await play.wait();
    await note(`finalize${suffix}`, play.finalize());
    for (const seat of [0, 1]) await note(`claim${suffix}`, play.claim(play.owner(seat)));
    const dispute = await Play.of(chain, { salt: digest(`differ${suffix}`) });
    await dispute.claims(TRUTH, LIE);
    await note(`verdict${suffix}`, submit(dispute, verdictOf([TRUTH, LIE], 2n)));
    await note(`challenge${suffix}`, dispute.challenge(2, LIE));
    await dispute.wait();
    await note(`open the reveal of challenges${suffix}`, dispute.expire());
    await note(`reveal a challenge${suffix}`, dispute.revealChallenge(2, LIE));
  }
  return gas;
}

test("gas stays below the ceilings and unchanged", async () => {
  const gas = await measure();
  if (process.env.VERDE_WRITE_GAS) writeFileSync(FILE, `${JSON.stringify(gas, null, 2)}\n`);
  for (const [name, ceiling] of Object.entries(CEILINGS)) expect(gas[name], name).toBeLessThanOrEqual(ceiling);
  expect(gas).toEqual(JSON.parse(readFileSync(FILE, "utf8")));
});
