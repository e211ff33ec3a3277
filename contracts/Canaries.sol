// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICanaries, Record} from "./interfaces/ICanaries.sol";
import {ITaskManager, State, Task} from "./interfaces/ITaskManager.sol";
import {DrawSecrets} from "./libraries/DrawSecrets.sol";
import {RunRoot, TaskId} from "./libraries/Ids.sol";
import {Terms} from "./libraries/Terms.sol";

/// @title The canaries of `ICanaries`
/// @dev It holds no money, and nobody owns it. It records what the task manager says, and changes nothing
/// there.
contract Canaries is ICanaries {
    bytes32 private constant CANARY = keccak256("Canary(bytes32 root,bytes32 secret)");

    /// @inheritdoc ICanaries
    ITaskManager public immutable manager;

    mapping(TaskId task => bool) private _shown;
    mapping(address owner => Record) private _records;

    constructor(ITaskManager manager_) {
        manager = manager_;
    }

    /// @inheritdoc ICanaries
    function recordOf(address owner) external view returns (Record memory) {
        return _records[owner];
    }

    /// @inheritdoc ICanaries
    function saltOf(RunRoot root, bytes32 secret) public pure returns (bytes32) {
        return keccak256(abi.encode(CANARY, root, secret));
    }

    /// @inheritdoc ICanaries
    function show(Terms calldata terms, RunRoot root, bytes32 secret) external {
        bytes32 mark = saltOf(root, secret);
        require(terms.salt == mark || terms.salt == DrawSecrets.saltOf(mark), NotMarked());
        TaskId task = manager.taskId(terms);
        require(!_shown[task], ShownBefore(task));
        _shown[task] = true;
        Task memory t = manager.taskOf(task);
        require(t.state == State.Final, NotFinal(t.state));
        RunRoot standing = _standingRoot(task, t);
        require(standing == root, NotTheRoot(standing));
        emit CanaryShown(task, terms.client, root);
        for (uint256 seat = 0; seat < terms.providers; seat++)
            if ((t.revealed >> seat) & 1 == 1) _record(task, seat, root, (t.out >> seat) & 1 == 1);
    }

    /// @dev Who has lost its stake with the right claim was late in the game. That says nothing about its
    /// work.
    function _record(TaskId task, uint256 seat, RunRoot root, bool out) private {
        (address owner, bytes32 value) = manager.seatOf(task, seat);
        bool right = RunRoot.wrap(value) == root;
        if (!out) {
            _records[owner].passed++;
            emit CanaryPassed(task, owner);
        } else if (!right) {
            _records[owner].failed++;
            emit CanaryFailed(task, owner);
        }
    }

    /// @dev A task that is final has one claim that stands.
    function _standingRoot(TaskId task, Task memory t) private view returns (RunRoot) {
        uint256 standing = t.revealed & ~t.out;
        uint256 seat = 0;
        while ((standing >> seat) & 1 == 0) seat++;
        (, bytes32 value) = manager.seatOf(task, seat);
        return RunRoot.wrap(value);
    }
}
