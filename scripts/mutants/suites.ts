/** Runs Solidity tests that were compiled in this process, in Hardhat's EVM. */
import {
  CollectStackTraces,
  EdrContext,
  FsAccessPermission,
  IncludeTraces,
  L1_CHAIN_TYPE,
  l1GenesisState,
  l1HardforkFromString,
  l1SolidityTestRunnerFactory,
  type Artifact,
  type ArtifactId,
  type SolidityTestRunnerConfigArgs,
  type SuiteResult,
} from "@nomicfoundation/edr";
import config from "../../hardhat.config.ts";
import { compilerVersion } from "../compiler.ts";
import type { BuiltContract } from "./build.ts";

/** Tests of one contract. */
export interface Suite {
  name: string;
  file: string;
  /** The number of inputs for a fuzzed test. */
  runs: number;
  /** Milliseconds that it took without any mutation. */
  cost: number;
}
/** By file and name. */
export type Contracts = Readonly<Record<string, Record<string, BuiltContract>>>;

const HARDFORK = "Osaka";
/** Inputs for a fuzzed test on a mutant that is not what it is named after: as many as usual take minutes. */
const FEW_RUNS = 32;
/** Of a test: the most that one takes, and a bound for a mutant that loops. */
const GAS_LIMIT = 1n << 32n;

const { fuzz, invariant, fsPermissions } = config.test!.solidity as {
  fuzz: { runs: number; seed: string };
  invariant: { runs: number; depth: number };
  fsPermissions: { readDirectory: string[] };
};

/** Inputs for a fuzzed test of the gate. */
export const ALL_RUNS = fuzz.runs;

/** A process may have one. */
let context: Promise<EdrContext> | undefined;

async function open(): Promise<EdrContext> {
  const opened = new EdrContext();
  await opened.registerSolidityTestRunnerFactory(L1_CHAIN_TYPE, l1SolidityTestRunnerFactory());
  return opened;
}

const idOf = ({ name, file }: Suite): ArtifactId => ({ name, source: file, solcVersion: compilerVersion() });

export class Suites {
  private readonly all: Suite[] = [];
  private readonly artifacts: Artifact[] = [];
  private readonly context: EdrContext;
  private readonly root: string;

  private constructor(opened: EdrContext, root: string, contracts: Contracts) {
    this.context = opened;
    this.root = root;
    for (const [file, inFile] of Object.entries(contracts))
      for (const [name, { abi, evm }] of Object.entries(inFile)) {
        const suite: Suite = { name, file, runs: FEW_RUNS, cost: 0 };
        this.artifacts.push({
          id: idOf(suite),
          contract: {
            abi: JSON.stringify(abi),
            bytecode: `0x${evm.bytecode.object}`,
            linkReferences: evm.bytecode.linkReferences,
            deployedBytecode: `0x${evm.deployedBytecode.object}`,
            deployedLinkReferences: evm.deployedBytecode.linkReferences,
          },
        });
        const hasTests = abi.some((item) => item.type === "function" && item.name!.startsWith("test"));
        if (hasTests && evm.bytecode.object !== "") this.all.push(suite);
      }
  }

  /** @param root the folder from which tests read files */
  static async load(root: string, contracts: Contracts): Promise<Suites> {
    context ??= open();
    return new Suites(await context, root, contracts);
  }

  /**
   * Runs all tests without any mutation. @returns them, the quickest first
   * @throws when a test fails
   */
  async passing(): Promise<Suite[]> {
    for (const suite of this.all) {
      const begin = performance.now();
      const failed = await this.failures(suite, 0);
      if (failed.length > 0) throw new Error(`${suite.name} fails without any mutation: ${failed.join(", ")}`);
      suite.cost = performance.now() - begin;
    }
    return this.all.toSorted((a, b) => a.cost - b.cost);
  }

  /** @returns true when a test fails. The suites run in their order, until one does. */
  async notice(suites: readonly Suite[], coinbase: number): Promise<boolean> {
    for (const suite of suites) if ((await this.failures(suite, coinbase)).length > 0) return true;
    return false;
  }

  /**
   * @param coinbase of each block: the number of the mutant that runs, 0 for none
   * @returns the names of the tests that failed, also `setUp` and `constructor`
   */
  async failures(suite: Suite, coinbase: number): Promise<string[]> {
    const blockCoinbase = new Uint8Array(20);
    new DataView(blockCoinbase.buffer).setUint32(16, coinbase);
    const options: SolidityTestRunnerConfigArgs = {
      projectRoot: this.root,
      hardfork: HARDFORK,
      localPredeploys: l1GenesisState(l1HardforkFromString(HARDFORK)),
      fsPermissions: fsPermissions.readDirectory.map((path) => ({ access: FsAccessPermission.ReadDirectory, path })),
      gasLimit: GAS_LIMIT,
      disableBlockGasLimit: true,
      disableTransactionGasCap: true,
      includeTraces: IncludeTraces.None,
      collectStackTraces: CollectStackTraces.OnFailure,
      blockCoinbase,
      fuzz: { ...fuzz, runs: suite.runs },
      invariant,
    };
    // The run may end before its result was handed over, and the other way round.
    const result = await new Promise<SuiteResult>((resolve, reject) => {
      this.context.runSolidityTests(L1_CHAIN_TYPE, this.artifacts, [idOf(suite)], options, {}, resolve).catch(reject);
    });
    return result.testResults
      .filter(({ status }) => status === "Failure")
      .map(({ name }) => name.slice(0, name.indexOf("(")));
  }
}
