// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Task} from "../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {Payouts} from "../../contracts/tasks/Payouts.sol";

/// @title What a task's slashes and its ends do to the money that the vault holds for it
/// @dev For tasks with few seats: the checker follows a loop once for each.
contract PayoutProofs is Payouts {
    uint256 private constant SEATS = 3;

    /// @dev All of the stakes is shared: into the pot, to the authority, and to be burned.
    function slashes(
        TaskId task,
        Terms calldata terms,
        Task memory t,
        uint256 mask,
        address authority
    ) external {
        _any(t);
        uint256 pot = _pot;
        _slash(task, terms, t, mask, authority);
        assert(_slashed == _condemned + _credited + (_pot - pot));
        assert(_pot - pot <= _slashed / 2);
        assert(_credited <= _slashed / 10 && (authority != address(0) || _credited == 0));
    }

    /// @dev All of the pot and of the rewards is shared, and no unit more.
    function pays(TaskId task, Terms calldata terms, Task memory t) external {
        _any(t);
        uint256 held = _pot + uint256(terms.providers) * terms.reward;
        require(_wins(t, 0) || _wins(t, 1) || _wins(t, 2));
        _pay(task, terms, t);
        assert(_condemned + _credited == held);
        assert(_pot == 0);
    }

    function refunds(TaskId task, Terms calldata terms, Task memory t) external {
        _any(t);
        // Nothing is known of shifts.
        require((1 << t.seats) > 0);
        uint256 prices = uint256(t.openDemands) * terms.chunkPrice;
        uint256 held = _pot + uint256(terms.providers) * terms.reward + prices;
        _refund(task, terms, t);
        assert(_condemned + _credited == held);
        assert(_pot == 0);
    }

    /// @dev Shows that the checker follows the loops up to the last seat, for it is reached.
    function fills(TaskId task, Terms calldata terms, Task memory t) external {
        _any(t);
        require(t.seats == SEATS && (1 << t.seats) > 0);
        _refund(task, terms, t);
    }

    /// @dev The pot has less than `TermsLib.check` lets a task have, less the stakes that may join it.
    function _any(Task memory t) private {
        require(t.seats <= SEATS && _pot < 140 * 2 ** 80 && block.timestamp < 2 ** 39);
        (_slashed, _credited, _condemned) = (0, 0, 0);
    }

    function _wins(Task memory t, uint256 seat) private pure returns (bool) {
        return seat < t.seats && _standing(t) & (1 << seat) != 0;
    }
}
