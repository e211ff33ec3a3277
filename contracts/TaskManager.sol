// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {StakeVault} from "./StakeVault.sol";
import {Challenges} from "./tasks/Challenges.sol";
import {Delivery} from "./tasks/Delivery.sol";
import {Disputes} from "./tasks/Disputes.sol";
import {Exits} from "./tasks/Exits.sol";
import {Seats} from "./tasks/Seats.sol";

/// @title The task manager of `ITaskManager`
/// @dev The states are in `tasks/`, one subject for each file. Nobody owns this contract, and nothing in it
/// can be changed.
contract TaskManager is Seats, Challenges, Exits, Disputes, Delivery {
    /// @param token for stakes and rewards, which never changes
    /// @param unbondingPeriod seconds that the withdrawal of stake takes; no task may last longer
    constructor(IERC20 token, uint256 unbondingPeriod) {
        vault = new StakeVault(token, unbondingPeriod);
    }
}
