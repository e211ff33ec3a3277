// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {ISeatPolicy} from "../interfaces/ISeatPolicy.sol";
import {ITaskManager, Phase, State, Task} from "../interfaces/ITaskManager.sol";
import {EarlyWord, EarlyWordLib} from "../libraries/EarlyWord.sol";
import {RunRoot, TaskId} from "../libraries/Ids.sol";
import {TaskWord, TaskWordLib} from "../libraries/TaskWord.sol";
import {Terms, TermsLib} from "../libraries/Terms.sol";
import {TaskStore} from "./TaskStore.sol";

/// @title Posting a task, taking its seats, committing and revealing claims
abstract contract Seats is TaskStore {
    using TermsLib for Terms;

    /// @inheritdoc ITaskManager
    function post(Terms calldata terms) external returns (TaskId task) {
        _requireCaller(terms.client);
        terms.check(vault.unbondingPeriod());
        _requireTimeToPlay(terms);
        task = taskId(terms);
        Task memory t = _load(task);
        require(t.state == State.None, TaskExists(task));
        _early[task] = EarlyWordLib.pack(terms);
        if (terms.seatPolicy != address(0)) _policies[task] = ISeatPolicy(terms.seatPolicy);
        emit TaskPosted(task, terms);
        _enter(task, t, State.Open, Phase.None, terms.periods.toAccept);
        vault.collect(terms.client, uint256(terms.providers) * terms.reward);
    }

    /// @inheritdoc ITaskManager
    function accept(TaskId task) external returns (uint256 seat) {
        Task memory t = _load(task);
        _requireState(t, State.Open);
        _requireInTime(t.deadline);
        EarlyWord early = _early[task];
        // An account with two seats would act against itself.
        _requireNoSeat(task, t, msg.sender);
        if (early.hasPolicy()) require(_policies[task].mayTakeSeat(task, msg.sender), SeatRefused(msg.sender));
        seat = _give(task, t, msg.sender);
        vault.expose(msg.sender, early.stake());
        if (t.seats == early.providers()) _enter(task, t, State.Accepted, Phase.None, early.toCommit());
        else _save(task, t);
    }

    /// @inheritdoc ITaskManager
    function leaveSeat(TaskId task, uint256 seat) external {
        Task memory t = _load(task);
        _requireState(t, State.Open);
        _requireCaller(_owners[task][seat]);
        // Seats have no gaps: the last one takes the place of the one that is left.
        uint256 last = --t.seats;
        _owners[task][seat] = _owners[task][last];
        delete _owners[task][last];
        _save(task, t);
        emit SeatLeft(task, seat, msg.sender);
        vault.release(msg.sender, _early[task].stake());
    }

    /// @inheritdoc ITaskManager
    function commit(TaskId task, uint256 seat, bytes32 commitment) external {
        TaskWord word = _wordIn(task, State.Accepted);
        _requireCaller(_owners[task][seat]);
        require(commitment != 0, EmptyCommitment());
        mapping(uint256 seat => bytes32) storage values = _values[task];
        require(values[seat] == 0, WrongSeat(seat));
        values[seat] = commitment;
        // One more seat has committed.
        _tasks[task] = TaskWord.wrap(TaskWord.unwrap(word) + TaskWordLib.ONE_COMMITTED);
        emit ClaimCommitted(task, seat, commitment);
    }

    /// @inheritdoc ITaskManager
    function reveal(TaskId task, uint256 seat, RunRoot root, bytes32 salt) external {
        Task memory t = _load(task);
        bool first = t.state == State.Accepted && t.committed == t.seats;
        if (!first) _requireState(t, State.Committed);
        _requireInTime(t.deadline);
        uint256 bit = 1 << seat;
        require(seat < t.seats && (t.revealed | t.out) & bit == 0, WrongSeat(seat));
        require(RunRoot.unwrap(root) != 0, EmptyRoot());
        _requireCommitted(_values[task][seat], commitmentOf(task, _owners[task][seat], root, salt));
        _values[task][seat] = RunRoot.unwrap(root);
        t.revealed |= uint24(bit);
        emit ClaimRevealed(task, seat, root);
        if (first) _enter(task, t, State.Committed, Phase.None, _early[task].toReveal());
        else if (_standing(t) == _remaining(t)) _enter(task, t, State.Revealed, Phase.None, 0);
        else _save(task, t);
    }

    /// @inheritdoc ITaskManager
    function compare(TaskId task) external {
        Task memory t = _load(task);
        _requireState(t, State.Revealed);
        bytes32 root = _values[task][_standingSeat(t)];
        uint256 standing = _standing(t);
        bool equal = true;
        for (uint256 seat = 0; seat < t.seats; seat++)
            if (standing & (1 << seat) != 0 && _values[task][seat] != root) equal = false;
        if (equal) _openWindow(task, t);
        else _openDispute(task, t);
    }

    /// @dev A game that is an account needs no check: its owner decides how long it takes.
    function _requireTimeToPlay(Terms calldata terms) private view {
        if (terms.game == address(0) || terms.game.code.length == 0) return;
        uint256 longest = IDisputeGame(terms.game).longestGame(terms.steps, terms.commitEvery);
        require(terms.periods.toPlay >= longest, GameTooLong(longest, terms.periods.toPlay));
    }
}
