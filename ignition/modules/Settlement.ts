/**
 * The settlement contracts over a token that exists; its address is the parameter `token`:
 *
 *     npx hardhat ignition deploy ignition/modules/Settlement.ts --network NAME --parameters FILE
 */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { settlement } from "../contracts.ts";

export default buildModule("Settlement", (m) => settlement(m, m.getParameter<string>("token")));
