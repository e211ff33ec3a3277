/** What the client knows of the contracts is what the compiler says. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { generateAbi } from "../../scripts/abi.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = new URL("../../src/settlement/abi/", import.meta.url);

test("src/settlement/abi is generated from the contracts (npm run contracts)", async () => {
  execFileSync(`${root}node_modules/.bin/hardhat`, ["build", "--quiet", "--no-tests"], {
    cwd: root,
    env: { ...process.env, HARDHAT_DISABLE_TELEMETRY: "true" },
  });
  const found = new Map(readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
  expect([...(await generateAbi())].sort()).toEqual([...found].sort());
});
