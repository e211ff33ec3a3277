// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {StakeVault} from "./StakeVault.sol";
import {IRoundQuestions} from "./interfaces/IRoundQuestions.sol";
import {Copies} from "./rounds/Copies.sol";
import {HandedOn} from "./rounds/HandedOn.sol";
import {Performances} from "./rounds/Performances.sol";
import {Stores} from "./rounds/Stores.sol";
import {Verdicts} from "./rounds/Verdicts.sol";

/// @title The manager of `IRoundManager`
/// @dev One subject for each file in `rounds/`. Nobody owns this contract. Its deployer names the game, once;
/// nothing else can be changed.
contract RoundManager is Performances, Verdicts, Stores, Copies, HandedOn {
    /// @param token for stakes and rewards, which never changes
    /// @param unbondingPeriod seconds that the withdrawal of stake takes
    /// @param questions_ the code of `IRoundQuestions`, which never changes
    constructor(
        IERC20 token,
        uint256 unbondingPeriod,
        IRoundQuestions questions_
    ) Performances(new StakeVault(token, unbondingPeriod)) HandedOn(questions_) {}
}
