// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TaskId} from "../libraries/Ids.sol";
import {Terms} from "../libraries/Terms.sol";
import {ISeatPolicy} from "./ISeatPolicy.sol";
import {ITaskManager} from "./ITaskManager.sol";

/// @title Seats for the owners that the client names
/// @notice Keeps out strangers, and accounts that one stranger has made. It does not keep its members from
/// agreeing with each other, and its client can name whom it likes. Nobody can be taken off a list.
interface ISeatList is ISeatPolicy {
    /// @notice The client lets an owner take a seat of its task.
    /// @param task whose seats they are
    /// @param owner who may take one
    event SeatAllowed(TaskId indexed task, address indexed owner);
    /// @notice Only the task's client may do this.
    error NotTheClient(address caller, address client);

    /// @notice Lets owners take seats of one task, whether it is posted yet or not. For its client.
    /// @param terms of the task
    /// @param owners who may take a seat
    function allow(Terms calldata terms, address[] calldata owners) external;

    /// @notice The task manager.
    /// @return the contract
    function manager() external view returns (ITaskManager);
}
