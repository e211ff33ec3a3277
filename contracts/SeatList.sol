// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISeatList} from "./interfaces/ISeatList.sol";
import {ISeatPolicy} from "./interfaces/ISeatPolicy.sol";
import {ITaskManager} from "./interfaces/ITaskManager.sol";
import {TaskId} from "./libraries/Ids.sol";
import {Terms} from "./libraries/Terms.sol";

/// @title The lists of `ISeatList`
/// @notice Trusts the client of a task with who may take its seats, and with nothing else. It holds no money,
/// and nobody owns it.
contract SeatList is ISeatList {
    /// @inheritdoc ISeatList
    ITaskManager public immutable manager;
    mapping(TaskId task => mapping(address owner => bool)) private _allowed;

    constructor(ITaskManager manager_) {
        manager = manager_;
    }

    /// @inheritdoc ISeatPolicy
    function mayTakeSeat(TaskId task, address owner) external view returns (bool) {
        return _allowed[task][owner];
    }

    /// @inheritdoc ISeatList
    function allow(Terms calldata terms, address[] calldata owners) external {
        require(msg.sender == terms.client, NotTheClient(msg.sender, terms.client));
        TaskId task = manager.taskId(terms);
        for (uint256 i = 0; i < owners.length; i++) {
            _allowed[task][owners[i]] = true;
            emit SeatAllowed(task, owners[i]);
        }
    }
}
