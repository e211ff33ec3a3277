// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITaskManager, Phase, State, Task} from "../interfaces/ITaskManager.sol";
import {TaskId} from "../libraries/Ids.sol";
import {Terms} from "../libraries/Terms.sol";
import {Challenges} from "./Challenges.sol";
import {Payouts} from "./Payouts.sol";

/// @title The exits that anyone may trigger once a deadline has passed
abstract contract Exits is Payouts, Challenges {
    /// @inheritdoc ITaskManager
    function expire(Terms calldata terms) external {
        TaskId task = taskId(terms);
        Task memory t = _load(task);
        State state = t.state;
        bool undecided = t.phase == Phase.Judging || (t.phase == Phase.Playing && terms.committee == address(0));
        bool expires = state == State.Open || state == State.Accepted || state == State.Committed;
        bool challenged = state == State.Challengeable && t.challenges != 0;
        require(expires || undecided || challenged || t.phase == Phase.Revealing, WrongState(state, t.phase));
        _requirePassed(t.deadline);
        if (challenged) return _enter(task, t, State.Disputed, Phase.Revealing, terms.periods.toReveal);
        if (t.phase == Phase.Revealing) return _endReveal(task, terms, t);
        if (state == State.Open || undecided) return _refund(task, terms, t);
        _slash(task, terms, t, _silent(task, t), address(0));
        if (_remaining(t) == 0) _refund(task, terms, t);
        else if (state == State.Accepted) _enter(task, t, State.Committed, Phase.None, terms.periods.toReveal);
        else _enter(task, t, State.Revealed, Phase.None, 0);
    }

    /// @inheritdoc ITaskManager
    function finalize(Terms calldata terms) external {
        TaskId task = taskId(terms);
        Task memory t = _load(task);
        _requireUnchallenged(t);
        _requirePassed(t.deadline);
        require(t.openDemands == 0, DemandsOpen(t.openDemands));
        _pay(task, terms, t);
    }

    /// @dev Bit i: seat i is not out, and has not committed (in state Accepted) or not revealed (later).
    function _silent(TaskId task, Task memory t) private view returns (uint256 silent) {
        silent = _remaining(t) & ~uint256(t.revealed);
        if (t.state != State.Accepted) return silent;
        for (uint256 seat = 0; seat < t.seats; seat++) if (_values[task][seat] != 0) silent &= ~(1 << seat);
    }
}
