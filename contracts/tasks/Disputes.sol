// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITaskManager, Phase, Resolution, State, Task} from "../interfaces/ITaskManager.sol";
import {RunRoot, TaskId} from "../libraries/Ids.sol";
import {Terms} from "../libraries/Terms.sol";
import {Payouts} from "./Payouts.sol";

/// @title Disputes: the verdict of the authority, and its consequences
abstract contract Disputes is Payouts {
    /// @inheritdoc ITaskManager
    function resolve(Terms calldata terms, Resolution calldata resolution) external {
        TaskId task = taskId(terms);
        Task memory t = _load(task);
        bool byGame = t.state == State.Disputed && t.phase == Phase.Playing;
        if (!byGame) _requirePhase(t, Phase.Judging);
        _requireCaller(byGame ? terms.game : terms.committee);
        _requireInTime(t.deadline);
        require(resolution.dispute == t.dispute, WrongDispute(resolution.dispute, t.dispute));
        emit Ruled(task, t.dispute, msg.sender, resolution);
        uint256 losers = _losingSeats(task, t, resolution);
        // A game could not draw a credit, so its share is burned.
        if (byGame) return _settle(task, terms, t, losers, address(0));
        if (terms.game == address(0)) return _settle(task, terms, t, losers, msg.sender);
        _rulings[task] = keccak256(abi.encode(resolution));
        _enter(task, t, State.Disputed, Phase.Ruled, terms.periods.toEscalate);
    }

    /// @inheritdoc ITaskManager
    /// @dev The game is called last: it may be a contract of the client's.
    function escalate(Terms calldata terms, Resolution calldata ruling, uint256 seat) external payable {
        TaskId task = taskId(terms);
        Task memory t = _load(task);
        _requirePhase(t, Phase.Ruled);
        _requireInTime(t.deadline);
        _requireRuling(task, ruling);
        _requireCaller(_owners[task][seat]);
        require(_losingSeats(task, t, ruling) & (1 << seat) != 0, WrongSeat(seat));
        _enter(task, t, State.Disputed, Phase.Playing, terms.periods.toPlay);
        _prepay(terms.game, task);
    }

    /// @inheritdoc ITaskManager
    function enforce(Terms calldata terms, Resolution calldata ruling) external {
        TaskId task = taskId(terms);
        Task memory t = _load(task);
        if (t.phase != Phase.Playing) _requirePhase(t, Phase.Ruled);
        _requirePassed(t.deadline);
        _requireRuling(task, ruling);
        _settle(task, terms, t, _losingSeats(task, t, ruling), terms.committee);
    }

    /// @dev At most one claim is left. If none is left, nobody is paid.
    function _settle(
        TaskId task,
        Terms calldata terms,
        Task memory t,
        uint256 losers,
        address authority
    ) private {
        // The lowest seat is a provider's. Chunks were demanded of its claim, if of any.
        RunRoot demanded = _standingRoot(task, t);
        _slash(task, terms, t, losers, authority);
        if (_standing(t) == 0) return _refund(task, terms, t);
        if (_standingRoot(task, t) != demanded) _voidDemands(task, terms, t);
        if (t.seats > terms.providers) _closeClaims(task, terms, t);
        else _openWindow(task, t);
    }

    /// @dev The new standing claim owes its own chunks.
    function _voidDemands(TaskId task, Terms calldata terms, Task memory t) private {
        if (t.openDemands != 0) {
            vault.credit(terms.client, uint256(t.openDemands) * terms.chunkPrice);
            emit DemandVoided(task, t.openDemands);
        }
        t.demands = 0;
        t.openDemands = 0;
    }

    /// @dev Bit i: seat i stands with a claim that loses. The list must hold each standing claim once, and no
    /// other.
    function _losingSeats(
        TaskId task,
        Task memory t,
        Resolution calldata resolution
    ) private view returns (uint256 seats) {
        uint256 all = _requireLosers(resolution);
        uint256 standing = _standing(t);
        uint256 seen = 0;
        for (uint256 seat = 0; seat < t.seats; seat++) {
            if (standing & (1 << seat) == 0) continue;
            uint256 claim = _bitOf(resolution.claims, RunRoot.wrap(_values[task][seat]));
            seen |= claim;
            if (resolution.losers & claim != 0) seats |= 1 << seat;
        }
        require(seen == all, WrongClaims());
    }

    /// @return all bit i for each claim i of the list; at most one of them does not lose
    function _requireLosers(Resolution calldata resolution) private pure returns (uint256 all) {
        uint256 losers = resolution.losers;
        all = (1 << resolution.claims.length) - 1;
        require(losers <= all, WrongLosers(losers));
        // At least two claims stand. So if nobody loses, more than one is left.
        uint256 left = all ^ losers;
        require(left == 0 || left & (left - 1) == 0, WrongLosers(losers));
    }

    function _bitOf(bytes32[] calldata claims, RunRoot root) private pure returns (uint256) {
        for (uint256 i = 0; i < claims.length; i++) if (claims[i] == RunRoot.unwrap(root)) return 1 << i;
        revert WrongClaims();
    }

    function _requireRuling(TaskId task, Resolution calldata ruling) private view {
        require(_rulings[task] == keccak256(abi.encode(ruling)), WrongResolution());
    }
}
