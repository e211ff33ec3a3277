// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TaskId} from "../libraries/Ids.sol";

/// @title Who may take a provider's seat
/// @notice Terms may name such a contract (`Terms.seatPolicy`). The task manager asks it whenever an account
/// takes a seat. It moves no money, and has no say in anything else: whoever has a seat keeps it, and anyone
/// may challenge. An account has at most one seat in a task, whatever the policy says.
/// @dev The call is a static one, so a policy can't change anything while it is asked.
interface ISeatPolicy {
    /// @notice Whether an account may take a provider's seat now.
    /// @param task that is open
    /// @param owner who would take the seat
    /// @return whether it may
    function mayTakeSeat(TaskId task, address owner) external view returns (bool);
}
