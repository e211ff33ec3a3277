/**
 * What `verde doctor` looks at on the machine: Node, packages, memory, cores, the order of bytes, a compiler,
 * the clock.
 */
import { createRequire } from "node:module";
import { availableParallelism, cpus, endianness, freemem, totalmem } from "node:os";
import { BackendError, messageOf } from "../../errors/index.ts";
import { findCompiler } from "../../repops/backends/native/compiler.ts";
import { formatBytes } from "../output.ts";
import { type Check, fail, ok, warn } from "./check.ts";

const NODE = 24;
const LITTLE_MEMORY = 2 ** 30;
/** Seconds that a clock may differ from a chain's. */
const MOST_DRIFT = 300;
const SET_CLOCK = "Set the clock of this machine, for example by NTP: deadlines on chains are times.";
/** No clock was right before this program was written. */
const [EARLIEST, LATEST] = [Date.UTC(2026, 0), Date.UTC(2100, 0)];

export function machineChecks(): Check[] {
  return [nodeCheck(), packageCheck(), byteOrder(), coreCheck(), memoryCheck()];
}

function nodeCheck(): Check {
  const { node } = process.versions;
  const found = `${node} on ${process.platform} ${process.arch}`;
  return Number.parseInt(node, 10) >= NODE ? ok("node", found) : fail("node", found, `Install Node ${NODE} or newer.`);
}

interface Manifest {
  version: string;
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
}

function packageCheck(): Check {
  const require = createRequire(import.meta.url);
  const { version, dependencies, optionalDependencies } = require("@verde-ml/verde/package.json") as Manifest;
  const isMissing = (name: string): boolean => !require.resolve.paths(name)?.some((folder) => has(folder, name));
  const has = (folder: string, name: string): boolean => {
    try {
      require(`${folder}/${name}/package.json`);
      return true;
    } catch {
      return false;
    }
  };
  const missing = Object.keys(dependencies).filter(isMissing);
  const optional = Object.keys(optionalDependencies).filter(isMissing);
  const found = `verde ${version}`;
  const install = "Install them with `npm ci --ignore-scripts`, or start `./verde`, which does so.";
  if (missing.length > 0) return fail("packages", `${found}, without ${missing.join(", ")}`, install);
  if (optional.length > 0) return warn("packages", `${found}, without the optional ${optional.join(", ")}`, install);
  return ok(
    "packages",
    `${found}, with its ${Object.keys({ ...dependencies, ...optionalDependencies }).length} packages`,
  );
}

function byteOrder(): Check {
  if (endianness() === "LE") return ok("byte order", "little-endian");
  return fail("byte order", "big-endian", "Use a little-endian machine: the files of Verde are little-endian.");
}

const coreCheck = (): Check =>
  ok("cores", `${availableParallelism()}, ${cpus()[0]?.model.trim() || "of an unknown kind"}`);

function memoryCheck(): Check {
  const limit = process.constrainedMemory();
  const total = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  const free = Math.min(freemem(), total);
  const found = `${formatBytes(free)} of ${formatBytes(total)} free`;
  if (free >= LITTLE_MEMORY) return ok("memory", found);
  return warn("memory", found, "Stop other programs, or use small jobs.");
}

/** The C compiler that the native backend takes. */
export async function compilerCheck(): Promise<Check> {
  const name = "C compiler";
  try {
    const { command, version } = await findCompiler();
    return ok(name, `${command}: ${version}`);
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    const tried = [error.evidence.tried].flat().join(", ");
    return warn(
      name,
      `none: there is no ${tried}`,
      "Install gcc or clang for --backend native, or name one in VERDE_CC.",
    );
  }
}

/** @param rpc a node of a chain, with whose clock this one is compared */
export async function clockCheck(rpc: string | undefined): Promise<Check> {
  const now = Date.now();
  const found = new Date(now).toISOString();
  if (now < EARLIEST || now > LATEST) return warn("clock", `${found}, which can't be`, SET_CLOCK);
  if (rpc === undefined) return ok("clock", found);
  try {
    const { connect } = await import("../session.ts");
    const { client, chainId } = await connect([rpc]);
    return clockAgainst(chainId, (await client.getBlock()).timestamp);
  } catch (error) {
    return warn("clock", `${found}; ${messageOf(error)}`, "Name a node that answers with --rpc, or omit it.");
  }
}

/** @param timestamp of the chain's last block, in seconds since 1970 */
export function clockAgainst(chainId: number, timestamp: bigint): Check {
  const now = Date.now();
  const drift = Math.round(now / 1000 - Number(timestamp));
  const text = `${new Date(now).toISOString()}; the last block of chain ${chainId} is ${Math.abs(drift)} s ${drift < 0 ? "ahead" : "old"}`;
  if (Math.abs(drift) <= MOST_DRIFT) return ok("clock", text);
  return warn("clock", text, drift < 0 ? SET_CLOCK : "Check that the chain makes blocks; if it does, set this clock.");
}
