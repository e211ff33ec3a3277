/** The files of proofs, and for each the mistakes that it must notice: one for each function at least. */
import type { Mistake, Proofs } from "./check.ts";

/** @param mistakes the proof that notices it, the text before, and after */
const inFile = (file: string, ...mistakes: [proof: string, before: string, after: string][]): Mistake[] =>
  mistakes.map(([proof, before, after]) => ({ proof, file, before, after }));

export const ALL: readonly Proofs[] = [
  {
    file: "test/smt/Vault.sol",
    contract: "VaultProofs",
    mistakes: inFile(
      "contracts/StakeVault.sol",
      ["deposits", "require(amount <= type(uint88).max - active, VaultFull());", ""],
      ["unbonds", "require(amount <= active,", "require(amount <= active + 1,"],
      ["draws", "account.active + unbonding - account.exposed)", "account.active + unbonding)"],
      ["claims", "account.credit = 0;", ""],
      ["collects", "token.take(payer, amount);", ""],
      ["exposes", "require(amount <= available,", "require(amount <= active,"],
      ["releases", "_accounts[owner].exposed -= uint80(amount);", "_accounts[owner].exposed -= uint72(amount);"],
      ["slashes", "escrow += uint128(amount);", "escrow += uint128(fromActive);"],
      ["slashes", "if (fromActive < amount) account", "if (fromActive == 0) account"],
      ["credits", "if (kept != amount) condemned += uint128(amount - kept);", ""],
      ["condemns", "condemn(uint256 amount) external onlyManager", "condemn(uint256 amount) external"],
      ["burns", "condemned = 0;", ""],
    ),
  },
  {
    file: "test/smt/Payouts.sol",
    contract: "PayoutProofs",
    loops: 3,
    mistakes: inFile(
      "contracts/tasks/Payouts.sol",
      ["slashes", "slashed - forWinners - forReferees", "slashed - forWinners"],
      ["slashes", "t.pot += uint88(forWinners);", "t.pot += uint80(forWinners);"],
      ["pays", "if (rest != 0) vault.condemn(rest);", ""],
      ["pays", "(winners < terms.providers ? winners : terms.providers)", "winners"],
      ["refunds", "if (t.pot != 0) vault.condemn(t.pot);", ""],
    ),
  },
  {
    file: "test/smt/Sales.sol",
    contract: "SaleProofs",
    mistakes: inFile(
      "contracts/exchange/SaleMoney.sol",
      ["collects", "escrow += amount;", ""],
      ["credits", "escrow -= uint128(amount);\n        creditOf", "escrow -= uint64(amount);\n        creditOf"],
      ["condemns", "condemned += uint128(amount);", "condemned += uint64(amount);"],
      ["claims", "creditOf[owner] = 0;", ""],
      ["claimsElsewhere", "_pay(msg.sender, to)", "_pay(to, to)"],
      ["burns", "condemned = 0;", ""],
    ),
  },
  {
    file: "test/smt/Terms.sol",
    contract: "TermsProofs",
    mistakes: inFile(
      "contracts/libraries/Terms.sol",
      ["fits", "terms.maxDemands <= MAX_DEMANDS", "terms.maxDemands <= 2 * MAX_DEMANDS"],
      ["fits", "providers <= MAX_PROVIDERS &&", "providers <= 255 &&"],
      ["ends", "require(longest <= limit,", "require(longest / 2 <= limit,"],
      ["isComplete", "terms.commitEvery != 0 &&", ""],
    ),
  },
  {
    file: "test/smt/Widths.sol",
    contract: "WidthProofs",
    mistakes: [
      ...inFile("contracts/game/Clocks.sol", ["deadlines", "_max(clock, least);", "clock;"]),
      ...inFile(
        "contracts/libraries/TensorType.sol",
        ["chunks", "(count + CHUNK_ELEMENTS - 1)", "(count + CHUNK_ELEMENTS)"],
        ["lengths", "(left < CHUNK_ELEMENTS ? left : CHUNK_ELEMENTS)", "left"],
      ),
    ],
  },
];
