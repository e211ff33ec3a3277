/** A record is handed over between processes: a client follows it, finds the lie in its copy, and challenges. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Hub, serveHub } from "../../../src/services/transport/hub.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { Settlement } from "../../fixtures/settlement.ts";
import { contentOf } from "../../services/rounds/fetched.ts";
import { type Begun, PLAN, RoundsFiles } from "./parties.ts";

const on = new Settlement("--rounds");
const files = new RoundsFiles(on);
const LIE = "participant=client-1,round=2,flip:step=1,operator=2,bit=22";
let hub: Hub;
beforeAll(async () => (hub = await serveHub(new InProcess(), { host: "127.0.0.1", port: 0 })));
afterAll(() => hub.close());

it("a client fetches the record while it is made, and from a server after that, and challenges the lie", async () => {
  await files.post("terms.json");
  await on.ok("ada", "rounds", "stake", PLAN, "--terms", "terms.json");
  await files.join("terms.json", files.everybody.filter((person) => person !== "ada")); // prettier-ignore
  const network = ["--network", hub.url];
  const fetching = files.begin("client", "rounds", "fetch", "copy", "--terms", "terms.json", ...network, "--follow", "--every", "1s", "--json"); // prettier-ignore
  const run = ["rounds", "run", PLAN, "--terms", "terms.json", ...files.keystores(), "--out", "out", "--fault", LIE];
  const ran = await on.ok(undefined, ...run, ...network);
  expect(ran).toContain("out is served on");
  await on.json("owner", "rounds", "record", "out", "--terms", "terms.json");
  // The recorder's watch serves the record while it can be challenged.
  const recorder: Begun = files.begin("owner", "rounds", "watch", "out", "--terms", "terms.json", "--every", "1s", "--json", "--serve", ...network); // prettier-ignore
  const fetched = await fetching.ended;
  expect(fetched.code, fetched.stderr).toBe(0);
  expect(JSON.parse(fetched.stdout.trim().split("\n").at(-1)!)).toMatchObject({ rounds: 3, whole: true, lacking: [] });
  expect(contentOf(on.at("copy"))).toEqual(contentOf(on.at("out")));
  // A folder that was begun knows its performance.
  const again = await on.json("client", "rounds", "fetch", "copy", ...network);
  expect(again).toMatchObject({ whole: true, lacking: [] });
  const watching = files.begin("client", "rounds", "watch", "copy", "--terms", "terms.json", "--every", "1s", "--json");
  await watching.line(/"what":"challenge"/);
  await watching.line(/"what":"move"/);
  await on.skip("2d");
  await files.until("client-1 has lost", async () => (await files.show("terms.json")).open === 0);
  expect(await files.show("terms.json")).toMatchObject({ convicted: [{ participant: 1, fault: "game" }] });
  await on.skip("2d");
  const [won, kept] = [await watching.ended, await recorder.ended];
  expect(won.code, won.stderr).toBe(0);
  expect(kept.code, kept.stderr).toBe(0);
  expect(readFileSync(on.at("copy/record.log"))).toEqual(readFileSync(on.at("out/record.log")));
});

it("says what is wrong with a command", async () => {
  await on.fails(2, "nothing says of which performance", undefined, "rounds", "fetch", "none", "--network", hub.url);
  await on.fails(2, "is no instance", undefined, "rounds", "fetch", "none", "--instance", "0x12", "--network", hub.url);
  await on.fails(2, "is no size", undefined, "rounds", "fetch", "none", "--instance", `0x${"12".repeat(32)}`, "--network", hub.url, "--limit", "much"); // prettier-ignore
  await on.fails(2, "give one of them", undefined, "rounds", "fetch", "none", "--instance", "0x12", "--terms", "a", "--network", hub.url); // prettier-ignore
  await on.fails(3, "can't be asked", undefined, "rounds", "fetch", "none", "--instance", `0x${"12".repeat(32)}`, "--network", hub.url, "--patience", "1s"); // prettier-ignore
  await on.fails(2, "can't be used", undefined, "rounds", "serve", "none", "--network", hub.url);
});
