// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITaskManager, Phase, State, Task} from "../interfaces/ITaskManager.sol";
import {RunRoot, TaskId} from "../libraries/Ids.sol";
import {Terms, TermsLib} from "../libraries/Terms.sol";
import {TaskStore} from "./TaskStore.sol";

/// @title Challenges: all of one window are revealed together, and decided in one dispute
/// @dev A challenge takes a slot when it is made, and a seat when it is revealed. So challenges are not
/// limited, and seats are limited by what they claim.
abstract contract Challenges is TaskStore {
    /// @inheritdoc ITaskManager
    /// @dev The game is called last: it may be a contract of the client's.
    function challenge(Terms calldata terms, RunRoot standing, bytes32 commitment) external payable {
        TaskId task = taskId(terms);
        Task memory t = _load(task);
        _requireState(t, State.Challengeable);
        _requireInTime(t.deadline);
        RunRoot now_ = _standingRoot(task, t);
        require(standing == now_, StaleChallenge(now_));
        require(commitment != 0, EmptyCommitment());
        // An account with a seat would act against itself.
        _requireNoSeat(task, t, msg.sender);
        require(challengeBy[task][msg.sender] == 0, AlreadySeated(msg.sender));
        challengeBy[task][msg.sender] = commitment;
        t.challenges++;
        _save(task, t);
        emit Challenged(task, msg.sender, commitment);
        vault.expose(msg.sender, terms.bond);
        _prepay(terms.game, task);
    }

    /// @inheritdoc ITaskManager
    function revealChallenge(Terms calldata terms, address owner, RunRoot root, bytes32 salt) external {
        TaskId task = taskId(terms);
        Task memory t = _load(task);
        _requirePhase(t, Phase.Revealing);
        _requireInTime(t.deadline);
        require(RunRoot.unwrap(root) != 0, EmptyRoot());
        RunRoot standing = _standingRoot(task, t);
        _requireCommitted(_takeChallenge(task, owner), challengeOf(task, standing, owner, root, salt));
        t.challenges--;
        if (root == standing || !_hasPlace(task, terms, t, root)) {
            vault.release(owner, terms.bond);
            emit TurnedAway(task, owner, root);
        } else {
            uint256 seat = _give(task, t, owner);
            _values[task][seat] = RunRoot.unwrap(root);
            t.revealed |= uint24(1 << seat);
            emit ClaimRevealed(task, seat, root);
        }
        if (t.challenges == 0) _endReveal(task, terms, t);
        else _save(task, t);
    }

    /// @inheritdoc ITaskManager
    function lapse(Terms calldata terms, address owner) external {
        TaskId task = taskId(terms);
        Task memory t = _load(task);
        bool over = t.state != State.Challengeable && t.phase != Phase.Revealing;
        require(over, WrongState(t.state, t.phase));
        _takeChallenge(task, owner);
        t.challenges--;
        _save(task, t);
        emit ChallengeLapsed(task, owner, terms.bond);
        vault.slash(owner, terms.bond);
        vault.condemn(terms.bond);
    }

    /// @dev Begins the dispute of the standing claim with all challengers, if there are any.
    function _endReveal(TaskId task, Terms calldata terms, Task memory t) internal {
        if (t.seats > terms.providers) _openDispute(task, t);
        else _closeClaims(task, terms, t);
    }

    function _takeChallenge(TaskId task, address owner) private returns (bytes32 commitment) {
        commitment = challengeBy[task][owner];
        require(commitment != 0, NoChallenge(owner));
        delete challengeBy[task][owner];
    }

    /// @dev One claim may have half of the challengers' seats.
    function _hasPlace(
        TaskId task,
        Terms calldata terms,
        Task memory t,
        RunRoot root
    ) private view returns (bool) {
        uint256 left = (TermsLib.MAX_SEATS - terms.providers) / 2;
        for (uint256 seat = terms.providers; seat < t.seats && left != 0; seat++)
            if (_values[task][seat] == RunRoot.unwrap(root)) left--;
        return left != 0 && t.seats < TermsLib.MAX_SEATS;
    }
}
