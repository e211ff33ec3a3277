/**
 * Tests that need the compiler: the client's interfaces and bytecode are the compiler's, and the contracts
 * deploy.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { network } from "hardhat";
import { type Address, getAddress } from "viem";
import { beforeAll, describe, expect, test } from "vitest";
import LocalSettlement from "../../ignition/modules/LocalSettlement.ts";
import RotatingCommittee from "../../ignition/modules/RotatingCommittee.ts";
import Settlement from "../../ignition/modules/Settlement.ts";
import { refereeCommitteeAbi } from "../../src/settlement/abi/referee-committee.ts";
import { rotatingCommitteeAbi } from "../../src/settlement/abi/rotating-committee.ts";
import { stakeVaultAbi } from "../../src/settlement/abi/stake-vault.ts";
import { PORTABLE_INPUTS } from "../../src/settlement/abi/portable.ts";
import { generateAbi } from "../../scripts/abi.ts";
import { generatePortable, PORTABLE_FILE, portableInputs } from "../../scripts/portable.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = new URL("../../src/settlement/abi/", import.meta.url);

beforeAll(() => {
  execFileSync(`${root}node_modules/.bin/hardhat`, ["build", "--quiet", "--no-tests"], {
    cwd: root,
    env: { ...process.env, HARDHAT_DISABLE_TELEMETRY: "true" },
  });
});

test("src/settlement/abi is generated from the contracts (npm run contracts)", async () => {
  const names = readdirSync(folder).filter((name) => name !== "portable.ts");
  const found = new Map(names.map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
  expect([...(await generateAbi())].sort()).toEqual([...found].sort());
});

test("the portable build was made from these sources (npm run contracts)", async () => {
  expect(PORTABLE_INPUTS).toBe(portableInputs());
  // Compiling takes a minute.
  if (process.env.VERDE_SWEEP) expect(readFileSync(PORTABLE_FILE, "utf8")).toBe(await generatePortable());
});

/** Contracts by name. Their types would need artifacts that do not exist before the first build. */
type Deployed = Record<string, { address: Address }>;

describe("Ignition", () => {
  const members = [1n, 2n, 3n].map((n) => getAddress(`0x${n.toString(16).padStart(40, "0")}`));

  test("deploys the contracts with a test token", async () => {
    const { ignition, viem } = await network.create();
    const parameters = { LocalSettlement: { members, threshold: 3n } };
    const deployed = (await ignition.deploy(LocalSettlement, { parameters })) as Deployed;
    const [token, manager, vault, committee] = ["token", "manager", "vault", "committee"].map((name) =>
      getAddress(deployed[name].address),
    );
    const client = await viem.getPublicClient();
    const ofVault = { address: vault, abi: stakeVaultAbi } as const;
    expect(await client.readContract({ ...ofVault, functionName: "token" })).toBe(token);
    expect(await client.readContract({ ...ofVault, functionName: "manager" })).toBe(manager);
    expect(await client.readContract({ ...ofVault, functionName: "unbondingPeriod" })).toBe(30n * 86_400n);
    const ofCommittee = { address: committee, abi: refereeCommitteeAbi } as const;
    expect(await client.readContract({ ...ofCommittee, functionName: "manager" })).toBe(manager);
    expect(await client.readContract({ ...ofCommittee, functionName: "threshold" })).toBe(3n);
    for (const args of members.map((member) => [member] as const))
      expect(await client.readContract({ ...ofCommittee, functionName: "isMember", args })).toBe(true);
  });

  test("deploys the contracts for an existing token", async () => {
    const { ignition, viem } = await network.create();
    const { address: token } = (await viem.deployContract("TestToken")) as { address: Address };
    const parameters = { Settlement: { token, members, unbondingPeriod: 864_000n } };
    const deployed = (await ignition.deploy(Settlement, { parameters })) as Deployed;
    const client = await viem.getPublicClient();
    const ofVault = { address: deployed.vault.address, abi: stakeVaultAbi } as const;
    expect(await client.readContract({ ...ofVault, functionName: "token" })).toBe(getAddress(token));
    expect(await client.readContract({ ...ofVault, functionName: "unbondingPeriod" })).toBe(864_000n);
  });

  test("deploys a committee that is drawn, for an existing manager", async () => {
    const { ignition, viem } = await network.create();
    const local = (await ignition.deploy(LocalSettlement, {
      parameters: { LocalSettlement: { members } },
    })) as Deployed;
    const manager = getAddress(local.manager.address);
    const parameters = { RotatingCommittee: { manager, stake: 5n, members: 5n, threshold: 3n } };
    const { committee } = (await ignition.deploy(RotatingCommittee, { parameters })) as Deployed;
    const client = await viem.getPublicClient();
    const contract = { address: committee.address, abi: rotatingCommitteeAbi } as const;
    expect(await client.readContract({ ...contract, functionName: "manager" })).toBe(manager);
    expect(await client.readContract({ ...contract, functionName: "price" })).toBe(5n);
    expect(await client.readContract({ ...contract, functionName: "members" })).toBe(5n);
  });
});
