/** A deployment that ends in the middle is continued by the next command: no contract is deployed twice. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { chainDeploy } from "../../../src/cli/chain/deploy.ts";
import { checkCodes } from "../../../src/settlement/code.ts";
import { parseDeployment } from "../../../src/settlement/deployment.ts";
import type { Lie } from "../../fixtures/node/lying.ts";
import { addressOf, Scene } from "../../fixtures/scene.ts";

const on = new Scene();
const sent = async (): Promise<number> => on.session.client.getTransactionCount({ address: addressOf("ben") });

test("a deployment whose node fails after any contract is continued", async () => {
  const before = await sent();
  for (const after of [1, 1, 2, Infinity]) {
    let taken = 0;
    const lie: Lie = (_, truth) => {
      if (taken++ >= after) throw Object.assign(new Error("out of order"), { code: -32000 });
      return truth();
    };
    const node = await on.node({ eth_sendRawTransaction: lie });
    const flags = {
      ...on.flags(node),
      journal: on.at("deploying"),
      out: on.at("deployed.json"),
      committee: addressOf("referee"),
      profile: "l1",
      gasBond: "1",
    } as const;
    const { error, printed } = await on.as("ben", () => chainDeploy(flags));
    if (after !== Infinity) expect(error).toMatchObject({ code: "VERDE_CHAIN_FAILED" });
    else {
      expect(error).toBeUndefined();
      const deployment = parseDeployment(readFileSync(flags.out, "utf8"), "the file");
      expect(JSON.parse(printed)).toMatchObject({ manager: deployment.manager, game: deployment.game });
      expect(await checkCodes(on.session.client, deployment)).toEqual(deployment.codes);
    }
  }
  expect((await sent()) - before).toBe(9);
});
