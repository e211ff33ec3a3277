// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICommittee, Verdict} from "../../contracts/interfaces/ICommittee.sol";
import {Hearing, IRotatingCommittee} from "../../contracts/interfaces/IRotatingCommittee.sol";
import {ITaskManager, Phase, State} from "../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {RotatingWorld} from "./RotatingWorld.sol";
import {vm} from "./Vm.sol";

/// @dev Verdicts of a drawn committee, and who is paid for them.
contract RotatingCommitteeTest is RotatingWorld {
    uint256 private constant GIFT = 100_000;

    function ready(address game) private returns (Terms memory terms, TaskId task) {
        registerMany(0, 5);
        terms = rotatingTerms(game);
        task = heard(terms);
        drawRound(terms, 0);
    }

    /// @dev Then what is paid is not bounded by what the committee has.
    function give() private {
        token.mint(address(committee), GIFT);
    }

    function test_ThoseThatSignShareTheSlash() public {
        (Terms memory terms, TaskId task) = ready(address(0));
        for (uint256 i = 0; i < 3; i++) assert(committee.isMemberFor(task, vm.addr(drawnKeys[i])));
        assert(!committee.isMemberFor(task, ANYONE));
        submit(terms, 2, 5);
        assertState(task, State.Challengeable);
        assert(lossOf(owner(1)) == STAKE && credit(address(committee)) == 100);
        assert(pay(drawnKeys[0]) == 50 && pay(drawnKeys[1]) == 0 && pay(drawnKeys[2]) == 50);
        assertCovered();
        // The vault pays it in when somebody asks for it.
        address first = vm.addr(drawnKeys[0]);
        vm.prank(ANYONE);
        assert(committee.payMember(first) == 50);
        assert(token.balanceOf(first) == 50 && committee.paid(first) == 50 && credit(address(committee)) == 0);
        vm.expectRevert(ICommittee.NothingToPay.selector);
        committee.payMember(first);
        assert(committee.payMember(vm.addr(drawnKeys[2])) == 50);
        assert(committee.liabilities() == 5 * PRICE_OF_PLACE);
        vm.expectRevert(IRotatingCommittee.NothingToSettle.selector);
        committee.settle(terms, 1);
    }

    /// @dev What the vault still holds of an earlier slash is owed to others.
    function test_AVerdictSharesItsOwnSlashAlone() public {
        (Terms memory terms, ) = ready(address(0));
        submit(terms, 2, 3);
        challenged(terms, 2, LIE);
        drawRound(terms, 1);
        uint256[3] memory before = [pay(drawnKeys[0]), pay(drawnKeys[1]), pay(drawnKeys[2])];
        submit(terms, 2, 7);
        for (uint256 i = 0; i < 3; i++) assert(pay(drawnKeys[i]) == before[i] + 16);
        assert(credit(address(committee)) == 150);
        assertCovered();
    }

    /// @dev Those who submit can't leave out a member that has shown its signature.
    function test_AShownSignatureIsPaid() public {
        (Terms memory terms, ) = ready(address(0));
        attest(terms, 2, 1);
        submit(terms, 2, 5);
        for (uint256 i = 0; i < 3; i++) assert(pay(drawnKeys[i]) == 33);
        assertCovered();
    }

    function test_AMemberHasOneVote() public {
        (Terms memory terms, ) = ready(address(0));
        attest(terms, 1, 1);
        Verdict memory v = verdictOf(terms, 2);
        (address[] memory signers, bytes[] memory signed) = signatures(terms, v, 3);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.VotedOtherwise.selector, signers[1]));
        committee.submit(terms, v, signers, signed);
        submit(terms, 2, 5);
        assert(pay(drawnKeys[1]) == 0);
    }

    function refused(Terms memory t, Verdict memory v, address[] memory who, bytes[] memory what, bytes memory why) private {
        vm.expectRevert(why);
        committee.submit(t, v, who, what);
    }

    function test_SignersAreEnoughDrawnMembersInOrder() public {
        (Terms memory terms, ) = ready(address(0));
        Verdict memory v = verdictOf(terms, 2);
        (address[] memory signers, bytes[] memory signed) = signatures(terms, v, 3);
        bytes4 count = ICommittee.WrongSignatureCount.selector;
        bytes4 wrong = ICommittee.WrongSigner.selector;
        refused(terms, v, signers, new bytes[](1), abi.encodeWithSelector(count, 1, 2));
        refused(terms, v, new address[](1), new bytes[](1), abi.encodeWithSelector(count, 1, 2));
        (signers[0], signers[1]) = (signers[1], signers[0]);
        refused(terms, v, signers, signed, abi.encodeWithSelector(ICommittee.WrongSignature.selector, signers[0]));
        (signed[0], signed[1]) = (signed[1], signed[0]);
        refused(terms, v, signers, signed, abi.encodeWithSelector(wrong, signers[1]));
        signers[0] = address(1);
        refused(terms, v, signers, signed, abi.encodeWithSelector(wrong, address(1)));
        // A candidate that was not drawn.
        for (uint256 i = 0; i < 5; i++) {
            if (committee.isMemberFor(manager.taskId(terms), candidate(i))) continue;
            signers[0] = candidate(i);
            refused(terms, v, signers, signed, abi.encodeWithSelector(wrong, candidate(i)));
        }
    }

    /// @dev One member is no threshold, however often its signature is given.
    function test_AMemberCountsOnce() public {
        (Terms memory terms, ) = ready(address(0));
        Verdict memory v = verdictOf(terms, 2);
        (address[] memory signers, bytes[] memory signed) = signatures(terms, v, 3);
        (signers[1], signed[1]) = (signers[0], signed[0]);
        refused(terms, v, signers, signed, abi.encodeWithSelector(ICommittee.WrongSigner.selector, signers[0]));
    }

    function test_AVerdictLeavesOneClaimThatStands() public {
        (Terms memory terms, ) = ready(address(0));
        (address[] memory signers, bytes[] memory signed) = signatures(terms, verdictOf(terms, 2), 3);
        bytes memory why = abi.encodeWithSelector(IRotatingCommittee.NoSuchVerdict.selector);
        Verdict memory v = verdictOf(terms, 0);
        refused(terms, v, signers, signed, why);
        v = verdictOf(terms, 2);
        v.claims = list(LIE_2, LIE);
        refused(terms, v, signers, signed, why);
        v = verdictOf(terms, 2);
        v.dispute = 2;
        refused(terms, v, signers, signed, why);
        v = verdictOf(terms, 2);
        vm.warp(block.timestamp + 1);
        v.validUntil = uint64(block.timestamp - 1);
        refused(terms, v, signers, signed, abi.encodeWithSelector(ICommittee.VerdictExpired.selector, v.validUntil));
        // What the manager refuses changes nothing.
        v = verdictOf(terms, 2);
        v.claims = list(TRUTH, LIE_2);
        (signers, signed) = signatures(terms, v, 3);
        refused(terms, v, signers, signed, abi.encodeWithSelector(ITaskManager.WrongClaims.selector));
        submit(terms, 2, 3);
    }

    function test_AClaimThatHasLostIsNotLeftByTheNextVerdict() public {
        (Terms memory terms, TaskId task) = ready(address(0));
        submit(terms, 2, 3);
        challenged(terms, 2, LIE_2);
        drawRound(terms, 1);
        Verdict memory v = verdictOf(terms, 1);
        bytes memory signed = sign(drawnKeys[0], committee.digestOf(task, v));
        vm.expectRevert(IRotatingCommittee.NoSuchVerdict.selector);
        committee.attest(terms, v, vm.addr(drawnKeys[0]), signed);
        v.claims = list(TRUTH, LIE_2);
        signed = sign(drawnKeys[0], committee.digestOf(task, v));
        committee.attest(terms, v, vm.addr(drawnKeys[0]), signed);
        assert(committee.memberOf(task, 2, vm.addr(drawnKeys[0])).vote == keccak256(abi.encode(LIE_2)));
    }

    /// @dev Those that vote too late have no share, and those that are paid are not replaced.
    function test_AfterAVerdictNobodyVotesAndNobodyIsDrawn() public {
        (Terms memory terms, TaskId task) = ready(address(fakeGame));
        Verdict memory v = verdictOf(terms, 2);
        (address[] memory signers, bytes[] memory signed) = signatures(terms, v, 7);
        submit(terms, 2, 3);
        bytes memory why = abi.encodeWithSelector(IRotatingCommittee.NotJudging.selector, State.Disputed, Phase.Ruled);
        vm.expectRevert(why);
        committee.attest(terms, v, signers[2], signed[2]);
        refused(terms, v, signers, signed, why);
        vm.expectRevert(why);
        committee.convene(terms);
        vm.expectRevert(why);
        committee.draw(terms, link(1));
        assert(committee.memberOf(task, 1, signers[2]).vote == 0 && committee.hearingOf(task, 1).round == 1);
    }

    /// @dev Then nobody's claim stands, and the client is refunded.
    function test_AVerdictMayLeaveNoClaim() public {
        (Terms memory terms, TaskId task) = ready(address(0));
        submit(terms, 3, 7);
        assertState(task, State.Refunded);
        for (uint256 i = 0; i < 3; i++) assert(pay(drawnKeys[i]) == 66);
        assertCovered();
    }

    function test_TheLinksAreThoseOfTheDraws() public view {
        bytes32 next = "next";
        assert(committee.linkOf(next) == keccak256(abi.encode(keccak256("Verde draw link 1"), next)));
        assert(committee.saltOf(next) == keccak256(abi.encode(keccak256("Verde draw commitment 1"), next)));
    }

    function test_AnEnforcedVerdictIsPaid() public {
        (Terms memory terms, TaskId task) = ready(address(fakeGame));
        submit(terms, 2, 3);
        assertPhase(task, Phase.Ruled);
        vm.expectRevert(IRotatingCommittee.NothingToSettle.selector);
        committee.settle(terms, 1);
        pastDeadline(task);
        manager.enforce(terms, waiting(terms, 2));
        vm.expectEmit();
        emit IRotatingCommittee.VerdictSettled(task, 1, false);
        committee.settle(terms, 1);
        assert(pay(drawnKeys[0]) == 50 && pay(drawnKeys[1]) == 50 && pay(drawnKeys[2]) == 0);
        vm.expectRevert(IRotatingCommittee.NothingToSettle.selector);
        committee.settle(terms, 1);
        assert(committee.payMember(vm.addr(drawnKeys[1])) == 50);
        assertCovered();
    }

    /// @dev The game was opened, and has not decided in time.
    function test_AVerdictThatTheGameLeavesIsPaid() public {
        (Terms memory terms, TaskId task) = ready(address(fakeGame));
        submit(terms, 2, 3);
        escalate(terms, 2, 1);
        fakeGame.set(task, 1, 2, false);
        vm.expectRevert(IRotatingCommittee.NothingToSettle.selector);
        committee.settle(terms, 1);
        pastDeadline(task);
        manager.enforce(terms, waiting(terms, 2));
        committee.settle(terms, 1);
        assert(pay(drawnKeys[0]) == 50);
        assertCovered();
    }

    /// @dev Its share is burned, so the committee is not paid, and nobody loses a stake.
    function test_AVerdictThatTheGameConfirmsIsNotPaid() public {
        (Terms memory terms, ) = ready(address(fakeGame));
        give();
        submit(terms, 2, 3);
        overrule(terms, 2, 1, 2);
        committee.settle(terms, 1);
        for (uint256 i = 0; i < 3; i++) assert(pay(drawnKeys[i]) == 0 && stake(drawnKeys[i]) == PRICE_OF_PLACE);
        assertCovered();
    }

    /// @dev The game may have decided so because the right side was silent.
    function test_AnOverturnedVerdictIsNotPaidAndTakesNothing() public {
        (Terms memory terms, TaskId task) = ready(address(fakeGame));
        give();
        attest(terms, 2, 2);
        submit(terms, 1, 3);
        overrule(terms, 1, 0, 2);
        vm.expectEmit();
        emit IRotatingCommittee.VerdictSettled(task, 1, true);
        committee.settle(terms, 1);
        for (uint256 i = 0; i < 3; i++) assert(pay(drawnKeys[i]) == 0 && stake(drawnKeys[i]) == PRICE_OF_PLACE);
        assertCovered();
        vm.expectRevert(IRotatingCommittee.NothingToDo.selector);
        committee.burn();
    }

    /// @dev The manager has credited nothing, and the game shows no bracket.
    function test_NobodyIsPaidFromTheStakesOfOthers() public {
        (Terms memory terms, ) = ready(address(fakeGame));
        submit(terms, 2, 3);
        escalate(terms, 2, 1);
        vm.prank(address(fakeGame));
        manager.resolve(terms, ruling(1, list(TRUTH, LIE), 2));
        committee.settle(terms, 1);
        for (uint256 i = 0; i < 3; i++) assert(pay(drawnKeys[i]) == 0);
        assert(committee.liabilities() == 5 * PRICE_OF_PLACE);
        assertCovered();
    }

    /// @dev Two disputes of one task, with a challenger's bond in the second one. A gift is nobody's pay.
    function test_EachDisputeIsSettledByItself() public {
        (Terms memory terms, TaskId task) = ready(address(fakeGame));
        give();
        submit(terms, 2, 3);
        pastDeadline(task);
        manager.enforce(terms, waiting(terms, 2));
        challenged(terms, 2, LIE);
        // The first dispute is over, and the second one is not before the committee yet.
        committee.settle(terms, 1);
        assert(committee.liabilities() == 5 * PRICE_OF_PLACE + 100);
        drawRound(terms, 1);
        uint256[3] memory before = [pay(drawnKeys[0]), pay(drawnKeys[1]), pay(drawnKeys[2])];
        submit(terms, 2, 7);
        pastDeadline(task);
        manager.enforce(terms, waiting(terms, 2));
        committee.settle(terms, 2);
        assert(committee.hearingOf(task, 1).losers == 2 && committee.hearingOf(task, 2).losers == 4);
        for (uint256 i = 0; i < 3; i++) assert(pay(drawnKeys[i]) == before[i] + 16);
        assertState(task, State.Settled);
        assertCovered();
    }

    function test_AnotherGameIsRefused() public {
        registerMany(0, 5);
        Terms memory terms = rotatingTerms(GAME);
        heard(terms);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.ForeignGame.selector, GAME));
        committee.convene(terms);
        terms.committee = COMMITTEE;
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.NotThisCommittee.selector, COMMITTEE));
        committee.convene(terms);
    }

    function test_ASilentCommitteeCanStillBeTooLate() public {
        (Terms memory terms, TaskId task) = ready(address(0));
        Hearing memory h = committee.hearingOf(task, 1);
        assert(h.round == 1 && h.until == block.timestamp + terms.periods.toJudge / 3 && !h.plain && !h.ruled);
        uint256 deadline = manager.taskOf(task).deadline;
        pastDeadline(task);
        Verdict memory v = verdictOf(terms, 2);
        (address[] memory signers, bytes[] memory signed) = signatures(terms, v, 3);
        refused(terms, v, signers, signed, abi.encodeWithSelector(ITaskManager.TooLate.selector, deadline));
        manager.expire(terms);
        assertState(task, State.Refunded);
        bytes memory why = abi.encodeWithSelector(IRotatingCommittee.NotJudging.selector, State.Refunded, Phase.None);
        refused(terms, v, signers, signed, why);
    }
}
