// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {StakeVault} from "./StakeVault.sol";
import {Performances} from "./rounds/Performances.sol";
import {Questions} from "./rounds/Questions.sol";
import {Verdicts} from "./rounds/Verdicts.sol";

/// @title The manager of `IRoundManager`
/// @dev One subject for each file in `rounds/`. Nobody owns this contract. Its deployer names the game, once;
/// nothing else can be changed.
contract RoundManager is Performances, Questions, Verdicts {
    /// @param token for stakes and rewards, which never changes
    /// @param unbondingPeriod seconds that the withdrawal of stake takes
    constructor(IERC20 token, uint256 unbondingPeriod) {
        vault = new StakeVault(token, unbondingPeriod);
        _deployer = msg.sender;
    }
}
