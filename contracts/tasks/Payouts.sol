// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Phase, State, Task} from "../interfaces/ITaskManager.sol";
import {RunRoot, TaskId} from "../libraries/Ids.sol";
import {Terms} from "../libraries/Terms.sol";
import {TaskStore} from "./TaskStore.sol";

/// @title Where money goes: slashes, the end of a task, the refund
/// @dev Payments are only credits in the vault, so no token and no receiver can stop a task from ending.
abstract contract Payouts is TaskStore {
    uint256 internal constant WINNERS_PERCENT = 40;
    uint256 internal constant REFEREES_PERCENT = 10;

    /// @dev Slashes all seats in `mask` and divides their stakes: the winners' share waits in the pot.
    /// @param authority the one that decided, or zero
    function _slash(
        TaskId task,
        Terms calldata terms,
        Task memory t,
        uint256 mask,
        address authority
    ) internal {
        uint256 slashed = 0;
        for (uint256 seat = 0; seat < t.seats; seat++) {
            if (mask & (1 << seat) == 0) continue;
            uint256 amount = _stakeOf(terms, seat);
            vault.slash(_owners[task][seat], amount);
            emit SeatSlashed(task, seat, amount);
            slashed += amount;
        }
        t.out |= uint24(mask);
        uint256 forWinners = (slashed * WINNERS_PERCENT) / 100;
        uint256 forReferees = authority == address(0) ? 0 : (slashed * REFEREES_PERCENT) / 100;
        t.pot += uint88(forWinners);
        if (forReferees != 0) vault.credit(authority, forReferees);
        vault.condemn(slashed - forWinners - forReferees);
    }

    /// @dev The end with winners: all seats that are not out have the standing claim. There may be more of
    /// them than the client has paid for: then they share.
    function _pay(TaskId task, Terms calldata terms, Task memory t) internal {
        uint256 standing = _standing(t);
        uint256 winners = 0;
        for (uint256 seat = 0; seat < t.seats; seat++) if (standing & (1 << seat) != 0) winners++;
        uint256 earned = (winners < terms.providers ? winners : terms.providers) * terms.reward;
        uint256 each = (t.pot + earned) / winners;
        uint256 rest = t.pot + earned - each * winners;
        for (uint256 seat = 0; seat < t.seats; seat++) {
            if (standing & (1 << seat) == 0) continue;
            vault.release(_owners[task][seat], _stakeOf(terms, seat));
            vault.credit(_owners[task][seat], each);
        }
        if (rest != 0) vault.condemn(rest);
        uint256 unearned = terms.providers * uint256(terms.reward) - earned;
        if (unearned != 0) vault.credit(terms.client, unearned);
        emit TaskFinal(task, _standingRoot(task, t), winners);
        t.pot = 0;
        _enter(task, t, State.Final, Phase.None, 0);
    }

    /// @dev The end without winners: seats that are not out get their stake back; the client gets rewards and
    /// open prices back.
    function _refund(TaskId task, Terms calldata terms, Task memory t) internal {
        uint256 remaining = _remaining(t);
        for (uint256 seat = 0; seat < t.seats; seat++)
            if (remaining & (1 << seat) != 0) vault.release(_owners[task][seat], _stakeOf(terms, seat));
        if (t.pot != 0) vault.condemn(t.pot);
        uint256 amount = uint256(terms.providers) * terms.reward + uint256(t.openDemands) * terms.chunkPrice;
        if (amount != 0) vault.credit(terms.client, amount);
        emit TaskRefunded(task, amount);
        t.pot = 0;
        t.openDemands = 0;
        _enter(task, t, State.Refunded, Phase.None, 0);
    }

    /// @dev Providers have the first seats, challengers the seats after them.
    function _stakeOf(Terms calldata terms, uint256 seat) private pure returns (uint256) {
        return seat < terms.providers ? terms.stake : terms.bond;
    }
}
