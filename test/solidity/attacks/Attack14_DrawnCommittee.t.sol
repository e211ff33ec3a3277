// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Verdict} from "../../../contracts/interfaces/ICommittee.sol";
import {IRotatingCommittee} from "../../../contracts/interfaces/IRotatingCommittee.sol";
import {Phase, State} from "../../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../../contracts/libraries/Ids.sol";
import {Terms} from "../../../contracts/libraries/Terms.sol";
import {RotatingWorld} from "../RotatingWorld.sol";
import {vm} from "../Vm.sol";

/// @dev Attack 14: a party wants a committee of its own, or none. It may be silent once it is drawn, have
/// others drawn until it likes them, leave with its stake, or be paid twice.
contract Attack14_DrawnCommittee is RotatingWorld {
    uint256 private constant TRIALS = 60;

    /// @dev Where the committee is fixed, a silent one ends the dispute without a decision. Here others are
    /// drawn, twice if need be, and they decide in time.
    function test_Attack14_ASilentCommitteeIsReplacedInTime() public {
        registerMany(0, 12);
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        for (uint256 round = 0; round < 2; round++) {
            drawRound(terms, round);
            pastRound(terms);
        }
        drawRound(terms, 2);
        submit(terms, 2, 3);
        assert(committee.burn() == 6 * (PRICE_OF_PLACE / 50));
        assertState(task, State.Challengeable);
        assert(lossOf(owner(1)) == STAKE && pay(drawnKeys[0]) == 50);
        assertCovered();
    }

    /// @dev The client may keep each secret as long as it can, and three rounds still begin in time.
    function test_Attack14_ASilentClientLeavesTimeForThreeRounds() public {
        registerMany(0, 12);
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        for (uint256 round = 0; round < 3; round++) {
            if (round != 0) pastRound(terms);
            committee.convene(terms);
            nextBlock();
            vm.warp(block.timestamp + terms.periods.toJudge / 12 + 1);
            committee.convene(terms);
            nextBlock();
            committee.draw(terms, 0);
            sortDrawn(terms);
        }
        submit(terms, 2, 3);
        assertState(task, State.Challengeable);
    }

    /// @dev A third of the pool is the briber's, the numbers that 3 divides. With a majority it rules. With
    /// two of three it could also be silent for another draw, but then it has the majority anyway; with one
    /// it can't keep the others from ruling. So it rules about as often as it is drawn: C(4,2)·8/C(12,3) +
    /// 4/220, which is 0.236. In 60 draws that is 14, with a standard deviation of 3.3.
    function test_Attack14_ABriberGetsNoMoreThanItsShareOfTheDraws() public {
        registerMany(0, 12);
        uint256 majorities = 0;
        for (uint256 trial = 0; trial < TRIALS; trial++) {
            Terms memory terms = rotatingTerms(address(0));
            terms.steps = uint32(100 + trial);
            terms.stake = 1;
            heard(terms);
            drawRound(terms, 0);
            uint256 bribed = 0;
            for (uint256 i = 0; i < 3; i++) if ((drawnKeys[i] - key(0)) % 3 == 0) bribed++;
            if (bribed > 1) majorities++;
        }
        assert(majorities >= 4 && majorities <= 25);
    }

    /// @dev It needs as many silent members as would block a verdict. Each of them pays, and is not drawn
    /// again.
    function test_Attack14_ABriberWhoRedrawsPaysAndLosesItsMembers() public {
        registerMany(0, 12);
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        drawRound(terms, 0);
        uint256[2] memory bribed = [drawnKeys[0], drawnKeys[1]];
        // The honest one shows that it has not been silent.
        attest(terms, 2, 2);
        uint256 honest = drawnKeys[2];
        pastRound(terms);
        drawRound(terms, 1);
        for (uint256 i = 0; i < 2; i++) assert(!committee.isMemberFor(task, vm.addr(bribed[i])));
        // Their late signatures count for nothing.
        Verdict memory v = verdictOf(terms, 1);
        bytes memory late = sign(bribed[0], committee.digestOf(task, v));
        vm.expectRevert();
        committee.attest(terms, v, vm.addr(bribed[0]), late);
        submit(terms, 2, 7);
        assertState(task, State.Challengeable);
        for (uint256 i = 0; i < 2; i++) assert(stake(bribed[i]) == PRICE_OF_PLACE - PRICE_OF_PLACE / 50);
        assert(stake(honest) == PRICE_OF_PLACE);
    }

    /// @dev One party has both seats and shows nobody its data. It pays nothing for that, so the members must
    /// not lose anything, either.
    function test_Attack14_ATaskThatNobodyCanDecideCostsNoMemberAnything() public {
        registerMany(0, 12);
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        for (uint256 round = 0; round < 3; round++) {
            if (round != 0) pastRound(terms);
            drawRound(terms, round);
        }
        pastDeadline(task);
        manager.expire(terms);
        assertState(task, State.Refunded);
        for (uint256 i = 0; i < 12; i++) assert(committee.candidateOf(candidate(i)).stake == PRICE_OF_PLACE);
    }

    /// @dev A round that would end after the deadline can't be ended, so nobody loses for too little time.
    function test_Attack14_NobodyLosesForARoundWithoutEnoughTime() public {
        registerMany(0, 12);
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        toDeadline(task);
        drawRound(terms, 0);
        pastRound(terms);
        vm.expectRevert();
        committee.convene(terms);
        manager.expire(terms);
        for (uint256 i = 0; i < 3; i++) assert(stake(drawnKeys[i]) == PRICE_OF_PLACE);
        assertState(task, State.Refunded);
    }

    /// @dev It remains a member, and its stake stays for longer than any task lasts. If it is silent, it
    /// pays.
    function test_Attack14_AMemberThatLeavesAfterTheDrawIsStillLiable() public {
        registerMany(0, 8);
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        drawRound(terms, 0);
        uint256 leaver = drawnKeys[0];
        vm.prank(vm.addr(leaver));
        uint256 readyAt = committee.leavePool();
        assert(committee.isMemberFor(task, vm.addr(leaver)));
        pastRound(terms);
        drawRound(terms, 1);
        submit(terms, 2, 7);
        assert(stake(leaver) == PRICE_OF_PLACE - PRICE_OF_PLACE / 50);
        pastDeadline(task);
        assert(block.timestamp < readyAt);
        vm.warp(readyAt);
        vm.prank(vm.addr(leaver));
        assert(committee.withdraw(vm.addr(leaver)) == PRICE_OF_PLACE - PRICE_OF_PLACE / 50);
        assertCovered();
    }

    /// @dev One party has both seats. It is silent in the game with the right claim, so that honest members
    /// have voted against the claim that stands. They lose the pay, and no stake.
    function test_Attack14_ALossBySilenceInTheGameTakesNoHonestStake() public {
        registerMany(0, 5);
        Terms memory terms = rotatingTerms(address(fakeGame));
        heard(terms);
        drawRound(terms, 0);
        submit(terms, 2, 7);
        overrule(terms, 2, 1, 1);
        committee.settle(terms, 1);
        assert(lossOf(owner(0)) == STAKE);
        for (uint256 i = 0; i < 3; i++) assert(stake(drawnKeys[i]) == PRICE_OF_PLACE && pay(drawnKeys[i]) == 0);
        assertCovered();
    }

    /// @dev Nor does it get out of the draw: who was there in its block is drawn.
    function test_Attack14_LeavingBeforeTheDrawDoesNotHelp() public {
        registerMany(0, 3);
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        committee.convene(terms);
        nextBlock();
        vm.prank(candidate(1));
        committee.leavePool();
        committee.draw(terms, link(0));
        assert(committee.isMemberFor(task, candidate(1)));
    }

    /// @dev Pay and stakes are claimed once: by each member, and for each verdict.
    function test_Attack14_NothingIsClaimedTwice() public {
        registerMany(0, 5);
        Terms memory terms = rotatingTerms(address(fakeGame));
        TaskId task = heard(terms);
        drawRound(terms, 0);
        submit(terms, 2, 3);
        pastDeadline(task);
        manager.enforce(terms, waiting(terms, 2));
        committee.settle(terms, 1);
        bytes memory again = abi.encodeWithSelector(IRotatingCommittee.NothingToSettle.selector);
        vm.expectRevert(again);
        committee.settle(terms, 1);
        vm.expectRevert(again);
        committee.settle(terms, 2);
        assert(committee.payMember(vm.addr(drawnKeys[0])) == 50);
        vm.expectRevert();
        committee.payMember(vm.addr(drawnKeys[0]));
        assert(committee.payMember(vm.addr(drawnKeys[1])) == 50);
        assert(token.balanceOf(address(committee)) == 5 * PRICE_OF_PLACE);
        assert(committee.liabilities() == 5 * PRICE_OF_PLACE);
    }

    /// @dev A game that says that it has not decided could have its committee paid from what others have
    /// earned.
    function test_Attack14_AGameOfTheClientsIsRefused() public {
        registerMany(0, 5);
        Terms memory terms = rotatingTerms(GAME);
        TaskId task = heard(terms);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.ForeignGame.selector, GAME));
        committee.convene(terms);
        pastDeadline(task);
        manager.expire(terms);
        assertState(task, State.Refunded);
        assert(manager.taskOf(task).phase == Phase.None);
    }
}
