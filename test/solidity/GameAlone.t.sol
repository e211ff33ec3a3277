// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITaskManager, Phase, Resolution, State} from "../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

/// @dev Tasks without a committee: only the game decides.
contract GameAloneTest is TestWorld {
    function gameAlone() private pure returns (Terms memory terms) {
        terms = withGame();
        terms.committee = address(0);
    }

    function test_DifferentClaimsAreBeforeTheGameAtOnce() public {
        Terms memory terms = gameAlone();
        TaskId task = disputed(terms);
        assertPhase(task, Phase.Playing);
        assert(manager.taskOf(task).deadline == block.timestamp + 3 days);
        toDeadline(task);
        resolve(terms, secondLies(task));
        assertState(task, State.Challengeable);
        assert(lossOf(owner(1)) == STAKE && vault.condemned() == 600 && manager.taskOf(task).pot == 400);
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(0)) == REWARD + 400 && credit(CLIENT) == REWARD);
        assertSettled();
    }

    function test_AChallengeIsBeforeTheGameAtOnce() public {
        Terms memory terms = gameAlone();
        TaskId task = agreed(terms);
        challenge(terms, 2, LIE);
        closeWindow(terms);
        assertPhase(task, Phase.Revealing);
        revealChallenge(terms, 2, LIE);
        assertPhase(task, Phase.Playing);
        resolve(terms, secondLies(task));
        assert(lossOf(owner(2)) == BOND && manager.taskOf(task).pot == 200 && credit(GAME) == 0);
        pastDeadline(task);
        manager.finalize(terms);
        assertSettled();
    }

    function test_OnlyTheGameDecides() public {
        Terms memory terms = gameAlone();
        TaskId task = disputed(terms);
        Resolution memory r = secondLies(task);
        address[3] memory others = [COMMITTEE, CLIENT, address(0)];
        for (uint256 i = 0; i < others.length; i++) {
            vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongCaller.selector, others[i], GAME));
            vm.prank(others[i]);
            manager.resolve(terms, r);
        }
        vm.expectRevert(wrongState(State.Disputed, Phase.Playing));
        vm.prank(owner(1));
        manager.escalate(terms, r, 1);
        pastDeadline(task);
        vm.expectRevert(ITaskManager.WrongResolution.selector);
        manager.enforce(terms, r);
    }

    function test_ASilentGameDecidesNothing() public {
        Terms memory terms = gameAlone();
        TaskId task = disputed(terms);
        toDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooEarly.selector, block.timestamp));
        manager.expire(terms);
        pastDeadline(task);
        vm.prank(ANYONE);
        manager.expire(terms);
        assertState(task, State.Refunded);
        assert(lossOf(owner(0)) == 0 && lossOf(owner(1)) == 0 && credit(CLIENT) == 2 * REWARD);
        assertSettled();
    }

    function test_WithACommitteeASilentGameLeavesItsRuling() public {
        Terms memory terms = withGame();
        TaskId task = disputed(terms);
        Resolution memory r = secondLies(task);
        resolve(terms, r);
        vm.prank(owner(1));
        manager.escalate(terms, r, 1);
        pastDeadline(task);
        vm.expectRevert(wrongState(State.Disputed, Phase.Playing));
        manager.expire(terms);
    }
}
