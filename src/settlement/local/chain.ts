/** A chain for development: Hardhat's, in this process, offline. */
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import type { NetworkManager } from "hardhat/types/network";
import type { EthereumProvider } from "hardhat/types/providers";
import { type Hex, parseEther, toHex } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { ChainError, messageOf } from "../../errors/index.ts";

/** Known to all the world: whatever its accounts hold on another chain is anybody's. */
export const PUBLIC_MNEMONIC = "test test test test test test test test test test test junk";
export const FUNDED_ACCOUNTS = 12;
/** Of each funded account. */
export const FUNDED_ETHER = 10_000;
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** The private key of a funded account, which is no secret. */
export function publicPrivateKey(index: number): Hex {
  return toHex(mnemonicToAccount(PUBLIC_MNEMONIC, { addressIndex: index }).getHdKey().privateKey!);
}

/**
 * A chain that only this process has.
 * @throws {ChainError} when Hardhat is not installed
 */
export async function openLocalChain(): Promise<{ provider: EthereumProvider; close(): Promise<void> }> {
  const connection = await (await loadNetworks()).create();
  return { provider: connection.provider, close: () => connection.close() };
}

/**
 * A chain that this machine's processes have, and no other machine.
 * @param port 0 for any that is free
 * @throws {ChainError} when Hardhat is not installed, or the port is in use
 */
export async function serveLocalChain(port: number): Promise<{ url: string; close(): Promise<void> }> {
  const networks = await loadNetworks();
  await expectFree(port);
  const server = await networks.createServer("default", "127.0.0.1", port);
  const at = await server.listen();
  return { url: `http://127.0.0.1:${at.port}`, close: () => server.close() };
}

async function loadNetworks(): Promise<NetworkManager> {
  // Nobody is told that a chain is started here.
  process.env.HARDHAT_DISABLE_TELEMETRY = "true";
  const { createHardhatRuntimeEnvironment } = await import("hardhat/hre").catch((cause: unknown) => {
    throw new ChainError(
      "PACKAGE_MISSING",
      "a local chain needs the package hardhat, which is optional: install it beside verde (`npm install hardhat@3.17.0`), " +
        `or name a node that runs already with --rpc (${messageOf(cause)})`,
    );
  });
  const network = {
    type: "edr-simulated",
    chainType: "l1",
    accounts: {
      mnemonic: PUBLIC_MNEMONIC,
      count: FUNDED_ACCOUNTS,
      accountsBalance: `${parseEther(String(FUNDED_ETHER))}`,
    },
  } as const;
  const { network: networks } = await createHardhatRuntimeEnvironment({ networks: { default: network } }, {}, ROOT);
  return networks;
}

/** Hardhat's server would end the process where somebody else listens. */
async function expectFree(port: number): Promise<void> {
  const probe = createServer();
  const listening = once(probe, "listening").catch((cause: unknown) => {
    throw new ChainError(
      "PORT",
      `no chain can be served on port ${port} (${messageOf(cause)}); choose another one with --port, 0 for any`,
      { port },
    );
  });
  probe.listen(port, "127.0.0.1");
  await listening;
  probe.close();
  await once(probe, "close");
}
