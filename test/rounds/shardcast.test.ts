/** SHARDCAST: relays in a plan, and relays over HTTP, that hand on other weights than they were given. */
import { describe, expect, test } from "vitest";
import { cheats } from "../../bench/shardcast/cheats.ts";
import { SHARD } from "../../bench/shardcast/hops.ts";
import { toHex } from "../../src/encoding/bytes.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { auditRecord, disputeRecords, parseRoundFault, type RoundsDefinition } from "../../src/rounds/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";

resolveOwnPackage();
const path = temporaryFolder();
const { default: shardcast } = (await import("../../examples/rounds/shardcast.ts")) as { default: RoundsDefinition };
const SMALL = { rounds: 2, inner: 3, clients: 1, hidden: 32 };

describe("SHARDCAST", () => {
  test("finds a relay that hands on other weights, on the wire and in the record", async () => {
    const plan = await shardcast.close(SMALL);
    const record = await performedRecord(plan, path("honest"));
    const seatOf = (turn: string) => plan.seats.findIndex((each) => plan.turns[each.turn].name === turn);
    const state = async (turn: string) => record.state(record.at({ round: 2, seat: seatOf(turn) })!);
    // A relay computes nothing: its roots are the first of the origin's, and so are the bits that clients use.
    const [origin, relayed] = [await state("local"), await state("relay")];
    expect(relayed.roots.map(toHex)).toEqual(origin.roots.slice(0, relayed.roots.length).map(toHex));

    const { version, liar, found } = await cheats(record, path("hops"));
    expect(toHex(version.root)).toBe(toHex(record.at({ round: 2, seat: seatOf("relay") })!.end));
    expect(version.size).toBeGreaterThan(SHARD);
    const taken = found.map(({ cheat, byRelaysDigest, byOriginsDigest, byRoot }) => [cheat, byRelaysDigest.taken, byOriginsDigest.taken, byRoot.taken]); // prettier-ignore
    expect(taken).toEqual([
      ["none", true, true, true],
      ["the weights of the round before", true, true, false],
      ["one byte altered", true, true, true],
      ["one byte altered, and its digest", true, true, false],
    ]);
    const [none, , altered, own] = found;
    expect([none.byRoot.bad, none.byRoot.troubles, none.byOriginsDigest.read]).toEqual([[], [], version.size]);
    // The digest costs the whole file again, and the root the one chunk that is wrong.
    expect(altered.byOriginsDigest.read).toBe(2 * version.size);
    expect(altered.byRoot.read).toBe(none.byRoot.read + 256);
    expect(altered.byRoot.bad).toHaveLength(1);
    expect(altered.byRoot.bad[0]).toMatchObject({ source: liar, tensor: "digit.0.weight" });
    const { offset } = altered.byRoot.bad[0];
    expect(offset <= 5000 && 5000 < offset + 256, `${offset}`).toBe(true);
    expect(altered.byOriginsDigest.troubles).toEqual([`${liar} sent a file of another digest`]);
    // With a digest of its own the relay is believed by who has the digest from it.
    expect(own.byRelaysDigest.troubles).toEqual([]);
    expect(own.byRoot.troubles[0]).toContain(`${liar} sent roots of tensors`);

    const { labels } = plan.templates[plan.seats[0].template].round.step;
    const operator = labels.findIndex((label) => label.endsWith("matmul"));
    const drills = [
      ["participant=relay-1,round=2,message:entry=0,element=7,bit=2", "relay-1", "relay-1", { reason: "message" }],
      ["participant=relay-0,round=2,stale:0", "relay-0", "relay-0", { reason: "inputs" }],
      [`participant=origin-0,round=2,flip:step=2,operator=${operator},bit=30`, "local-0", "origin-0", { reason: "operator", location: { step: 2, operator: { number: operator } } }], // prettier-ignore
      ["participant=client1-0,round=1,message:entry=0,element=4,bit=1", "use1-0", "client1-0", { reason: "message" }],
    ] as const;
    for (const [i, [text, name, participant, blame]] of drills.entries()) {
      const drill = await performedRecord(plan, path(`drill-${i}`), [parseRoundFault(plan, text)], { salt: 2, from: record }); // prettier-ignore
      expect(await disputeRecords(record, drill), text).toMatchObject({
        losers: [1],
        name,
        blames: [{ participant, ...blame }],
      });
      // The clients that used what the relay handed on, and the relays of a lying origin, are not to blame.
      expect((await auditRecord(drill)).liars.map((one) => one.participant), text).toEqual([participant]); // prettier-ignore
    }
  });
});
