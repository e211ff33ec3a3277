import { createRequire } from "node:module";
import hardhatIgnitionViem from "@nomicfoundation/hardhat-ignition-viem";
import hardhatViem from "@nomicfoundation/hardhat-viem";
import type { SolidityCompilerUserConfig } from "hardhat/types/config";
import { defineConfig } from "hardhat/config";

/** The compiler is the one that npm installed; none is ever downloaded. */
const require = createRequire(import.meta.url);
const compiler = {
  version: (require("solc/package.json") as { version: string }).version,
  path: require.resolve("solc/soljson.js"),
  settings: {
    // More runs would make the task manager larger than a contract may be.
    optimizer: { enabled: true, runs: 2000 },
    evmVersion: "osaka",
    // The bytecode depends on the code alone, not on its comments.
    metadata: { bytecodeHash: "none" },
  },
};

/**
 * Compiled through Yul the game is a fifth smaller, and its moves and proofs take less gas. The task manager
 * takes no less gas, but minutes to compile.
 */
const byYul = { ...compiler, settings: { ...compiler.settings, viaIR: true } };
/** More runs would make the games larger than a contract may be. */
const game = { ...byYul, settings: { ...byYul.settings, optimizer: { enabled: true, runs: 200 } } };
const leafGame = { ...byYul, settings: { ...byYul.settings, optimizer: { enabled: true, runs: 100 } } };
/** Coverage asks which lines run, not what they cost. Compiling through Yul would be most of its time. */
const isCoverage = process.env["VERDE_COVERAGE"] === "1";
const overrides: Record<string, SolidityCompilerUserConfig> = isCoverage
  ? {}
  : {
      "contracts/DisputeGame.sol": game,
      "contracts/RoundGame.sol": leafGame,
      "contracts/RoundManager.sol": byYul,
      "contracts/RoundQuestions.sol": byYul,
      "contracts/Judge.sol": byYul,
    };
const solidity = { compilers: [compiler], overrides };

/** Two builds at once need folders of their own. */
const folder = process.env["VERDE_HARDHAT_FOLDER"] ?? ".hardhat";

export default defineConfig({
  plugins: [hardhatViem, hardhatIgnitionViem],
  solidity: { profiles: { default: solidity, production: solidity } },
  paths: { artifacts: `${folder}/artifacts`, cache: `${folder}/cache`, tests: { solidity: "test/solidity" } },
  networks: {
    default: { type: "edr-simulated", chainType: "l1" },
    localhost: { type: "http", chainType: "l1", url: "http://127.0.0.1:8545" },
  },
  test: {
    solidity: {
      fsPermissions: { readDirectory: ["test/vectors"] },
      fuzz: { runs: 256, seed: "0x1" },
      invariant: { runs: 16, depth: 64 },
    },
  },
});
