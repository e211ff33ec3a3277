/** The settlement contracts over a test token that anyone may mint, for `npx hardhat node --hostname 127.0.0.1`. */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { settlement } from "../contracts.ts";

export default buildModule("LocalSettlement", (m) => {
  const token = m.contract("TestToken");
  return { token, ...settlement(m, token) };
});
