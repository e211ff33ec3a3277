/** A chain for development: Hardhat's, in this process, offline. */
import { once } from "node:events";
import { createServer } from "node:net";
import { resolve } from "node:path";
import type { NetworkManager } from "hardhat/types/network";
import type { EthereumProvider } from "hardhat/types/providers";
import { type Hex, parseEther, toHex } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { ChainError, messageOf } from "../../errors/index.ts";
import type { Hardfork } from "./hardfork.ts";

/** Everybody knows this mnemonic. Anybody can take what its accounts hold on another chain. */
export const PUBLIC_MNEMONIC = "test test test test test test test test test test test junk";
export const FUNDED_ACCOUNTS = 12;
/** The ether of each funded account. */
export const FUNDED_ETHER = 10_000;
/** The folder of the checkout or of the package. */
const root = (): string => resolve(import.meta.dirname, "../../..");

/** The private key of a funded account. It is public. */
export function publicPrivateKey(index: number): Hex {
  return toHex(mnemonicToAccount(PUBLIC_MNEMONIC, { addressIndex: index }).getHdKey().privateKey!);
}

/**
 * A chain that only this process can reach.
 * @param hardfork its rules
 * @throws {ChainError} when Hardhat is not installed
 */
export async function openLocalChain(
  hardfork: Hardfork = "osaka",
): Promise<{ provider: EthereumProvider; close(): Promise<void> }> {
  const connection = await (await loadNetworks(hardfork)).create();
  return { provider: connection.provider, close: () => connection.close() };
}

/**
 * A chain that only this machine can reach.
 * @param port the port, or 0 for any free one
 * @param hardfork its rules
 * @throws {ChainError} when Hardhat is not installed, or the port is in use
 */
export async function serveLocalChain(
  port: number,
  hardfork: Hardfork = "osaka",
): Promise<{ url: string; close(): Promise<void> }> {
  const networks = await loadNetworks(hardfork);
  await expectFree(port);
  const server = await networks.createServer("default", "127.0.0.1", port);
  const at = await server.listen();
  return { url: `http://127.0.0.1:${at.port}`, close: () => server.close() };
}

async function loadNetworks(hardfork: Hardfork): Promise<NetworkManager> {
  // Hardhat must not report that a chain is started.
  process.env.HARDHAT_DISABLE_TELEMETRY = "true";
  const { createHardhatRuntimeEnvironment } = await import("hardhat/hre").catch((cause: unknown) => {
    throw new ChainError(
      "PACKAGE_MISSING",
      "a local chain needs the package hardhat, which is optional: install it too (`npm install hardhat@3.17.0`), " +
        `or name a running node with --rpc (${messageOf(cause)})`,
    );
  });
  const network = {
    type: "edr-simulated",
    chainType: "l1",
    hardfork,
    accounts: {
      mnemonic: PUBLIC_MNEMONIC,
      count: FUNDED_ACCOUNTS,
      accountsBalance: `${parseEther(String(FUNDED_ETHER))}`,
    },
  } as const;
  const { network: networks } = await createHardhatRuntimeEnvironment({ networks: { default: network } }, {}, root());
  return networks;
}

/** Checks that a port is free: if it is not, Hardhat's server would end the process. */
async function expectFree(port: number): Promise<void> {
  const probe = createServer();
  const listening = once(probe, "listening").catch((cause: unknown) => {
    throw new ChainError(
      "PORT",
      `no chain can be served on port ${port} (${messageOf(cause)}); choose another one with --port, or 0 for any free port`,
      { port },
    );
  });
  probe.listen(port, "127.0.0.1");
  await listening;
  probe.close();
  await once(probe, "close");
}
