// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {RotatingCommittee} from "../../contracts/RotatingCommittee.sol";
import {TaskManager} from "../../contracts/TaskManager.sol";
import {ICommittee, Verdict} from "../../contracts/interfaces/ICommittee.sol";
import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {Candidate, IRotatingCommittee, Member} from "../../contracts/interfaces/IRotatingCommittee.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {RotatingWorld} from "./RotatingWorld.sol";
import {CallingToken} from "./Tokens.sol";
import {vm} from "./Vm.sol";

/// @dev Keeps the hash of one block, as the system contract of EIP-2935 keeps those of many.
contract HistoryOf {
    uint256 private immutable _number;

    constructor(uint256 number) {
        _number = number;
    }

    fallback(bytes calldata asked) external returns (bytes memory) {
        require(abi.decode(asked, (uint256)) == _number);
        return abi.encode(bytes32("a hash"));
    }
}

/// @dev The pool, and who is drawn from it.
contract RotatingPoolTest is RotatingWorld {
    address private constant BURNED = 0x000000000000000000000000000000000000dEaD;
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    function leavePool(uint256 i) private returns (uint256) {
        vm.prank(candidate(i));
        return committee.leavePool();
    }

    function test_ItIsWellFormed() public {
        assert(committee.members() == 3 && committee.threshold() == 2 && committee.price() == PRICE_OF_PLACE);
        assert(committee.delay() == UNBONDING && address(committee.token()) == address(token));
        assert(address(committee.manager()) == address(manager) && address(committee.game()) == address(fakeGame));
        IDisputeGame none = IDisputeGame(address(0));
        uint256[3][5] memory wrong =
            [[uint256(0), 3, 2], [uint256(1), 3, 0], [uint256(1), 3, 4], [uint256(1), 16, 9], [uint256(1) << 80, 3, 2]];
        for (uint256 i = 0; i < 5; i++) {
            vm.expectRevert(ICommittee.BadCommittee.selector);
            new RotatingCommittee(manager, none, wrong[i][0], wrong[i][1], wrong[i][2]);
        }
        assert(address(new RotatingCommittee(manager, none, 1, 15, 15).game()) == address(0));
        assert(new RotatingCommittee(manager, none, type(uint80).max, 1, 1).price() == type(uint80).max);
    }

    function test_APlaceCostsAStakeForAsLongAsItIsHeld() public {
        register(0);
        Candidate memory c = committee.candidateOf(candidate(0));
        assert(c.stake == PRICE_OF_PLACE && c.place == 1 && c.readyAt == 0 && committee.candidates() == 1);
        vm.expectRevert(IRotatingCommittee.NothingToDo.selector);
        vm.prank(candidate(0));
        committee.register();
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.NotACandidate.selector, candidate(1)));
        leavePool(1);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.NotACandidate.selector, candidate(0)));
        vm.prank(candidate(0));
        committee.withdraw(candidate(0));
        uint256 readyAt = leavePool(0);
        assert(readyAt == block.timestamp + UNBONDING && committee.candidates() == 0);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.NotACandidate.selector, candidate(0)));
        leavePool(0);
        vm.warp(readyAt - 1);
        bytes memory leaving = abi.encodeWithSelector(IRotatingCommittee.Leaving.selector, readyAt);
        vm.expectRevert(leaving);
        vm.prank(candidate(0));
        committee.withdraw(candidate(0));
        vm.expectRevert(leaving);
        vm.prank(candidate(0));
        committee.register();
        vm.warp(readyAt);
        vm.prank(candidate(0));
        assert(committee.withdraw(ANYONE) == PRICE_OF_PLACE);
        assert(token.balanceOf(ANYONE) == PRICE_OF_PLACE && committee.liabilities() == 0);
        // The place is taken again, by another account.
        register(1);
        register(0);
        assert(committee.candidateOf(candidate(1)).place == 1 && committee.candidateOf(candidate(0)).place == 2);
    }

    function test_WhoTakesAFreePlaceIsDrawn() public {
        registerMany(0, 3);
        vm.warp(leavePool(0));
        vm.prank(candidate(0));
        committee.withdraw(candidate(0));
        register(3);
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        drawRound(terms, 0);
        for (uint256 i = 0; i < 4; i++) assert(committee.isMemberFor(task, candidate(i)) == (i != 0));
    }

    function test_ADrawNeedsEnoughCandidates() public {
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        registerMany(0, 2);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.TooFewCandidates.selector, 2, 3));
        committee.convene(terms);
        register(2);
        drawRound(terms, 0);
        assert(drawn(terms).length == 3 && committee.openedOf(task) == link(0));
    }

    /// @dev Who comes after the block that decides is not drawn, and who leaves in it or after it is.
    function test_ADrawIsAmongThoseOfItsBlock() public {
        registerMany(0, 4);
        leavePool(3);
        nextBlock();
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        committee.convene(terms);
        leavePool(1);
        nextBlock();
        registerMany(4, 30);
        leavePool(0);
        committee.draw(terms, link(0));
        for (uint256 i = 0; i < 30; i++) assert(committee.isMemberFor(task, candidate(i)) == (i < 3));
    }

    function test_TheClientOpensOneLinkForEachRound() public {
        registerMany(0, 8);
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.NotConvened.selector, 0));
        committee.draw(terms, link(0));
        assert(!committee.isMemberFor(task, candidate(0)));
        committee.convene(terms);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.NotConvened.selector, block.number));
        committee.draw(terms, link(0));
        nextBlock();
        vm.expectRevert(IRotatingCommittee.WrongLink.selector);
        committee.draw(terms, link(1));
        vm.prank(ANYONE);
        committee.draw(terms, link(0));
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.DrawnAlready.selector, 1));
        committee.draw(terms, link(0));
        uint256 until = committee.hearingOf(task, 1).until;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.RoundNotOver.selector, until));
        committee.convene(terms);
        pastRound(terms);
        committee.convene(terms);
        nextBlock();
        vm.expectRevert(IRotatingCommittee.WrongLink.selector);
        committee.draw(terms, link(0));
        committee.draw(terms, link(1));
        assert(committee.openedOf(task) == link(1) && committee.hearingOf(task, 1).round == 2);
    }

    /// @dev Another block decides, and its hash alone: what a draw is called with does not count.
    function test_AClientThatKeepsItsSecretStopsNothing() public {
        registerMany(0, 8);
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        committee.convene(terms);
        uint256 until = block.timestamp + terms.periods.toJudge / 12;
        vm.warp(until);
        nextBlock();
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.SecretAwaited.selector, until));
        committee.convene(terms);
        vm.warp(until + 1);
        committee.convene(terms);
        assert(committee.hearingOf(task, 1).plain);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.ConvenedBefore.selector, block.number));
        committee.convene(terms);
        nextBlock();
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.ConvenedBefore.selector, block.number - 1));
        committee.convene(terms);
        uint256 undrawn = vm.snapshotState();
        committee.draw(terms, 0);
        bytes32 drawnByHash = keccak256(abi.encode(drawn(terms)));
        assert(vm.revertToState(undrawn));
        committee.draw(terms, "anything");
        assert(committee.openedOf(task) == 0 && drawn(terms).length == 3);
        assert(keccak256(abi.encode(drawn(terms))) == drawnByHash);
    }

    function test_AForgottenHashIsReplacedOnlyWhereAnyoneCouldHaveDrawn() public {
        registerMany(0, 8);
        Terms memory terms = rotatingTerms(address(0));
        heard(terms);
        committee.convene(terms);
        uint256 number = block.number;
        vm.roll(number + 9000);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.HashForgotten.selector, number));
        committee.draw(terms, link(0));
        vm.expectPartialRevert(IRotatingCommittee.SecretAwaited.selector);
        committee.convene(terms);
        vm.warp(block.timestamp + terms.periods.toJudge / 12 + 1);
        committee.convene(terms);
        vm.roll(block.number + 9000);
        committee.convene(terms);
        number = block.number;
        vm.roll(number + 9000);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.HashForgotten.selector, number));
        committee.draw(terms, 0);
        // A chain with EIP-2935 remembers it for longer.
        vm.etch(HISTORY, address(new HistoryOf(number)).code);
        committee.draw(terms, 0);
        assert(drawn(terms).length == 3);
    }

    /// @dev Those that have shown a signature may be drawn again. With too few others, the members stay.
    function test_WhoIsSilentIsReplaced() public {
        registerMany(0, 5);
        Terms memory terms = rotatingTerms(address(0));
        TaskId task = heard(terms);
        drawRound(terms, 0);
        attest(terms, 2, 0);
        uint256[3] memory first = [drawnKeys[0], drawnKeys[1], drawnKeys[2]];
        pastRound(terms);
        drawRound(terms, 1);
        assert(stake(first[0]) == PRICE_OF_PLACE);
        for (uint256 i = 1; i < 3; i++) {
            assert(stake(first[i]) == PRICE_OF_PLACE);
            assert(!committee.isMemberFor(task, vm.addr(first[i])));
            Member memory m = committee.memberOf(task, 1, vm.addr(first[i]));
            assert(m.round == 1 && m.silent && m.vote == 0);
        }
        // The one that has spoken is a member again, since there are only three left.
        Member memory spoken = committee.memberOf(task, 1, vm.addr(first[0]));
        assert(spoken.round == 2 && !spoken.silent && spoken.vote != 0);
        pastRound(terms);
        vm.expectRevert(abi.encodeWithSelector(IRotatingCommittee.TooFewCandidates.selector, 1, 3));
        committee.convene(terms);
        submit(terms, 2, 3);
        // Others have decided, so they lose now.
        assert(stake(first[0]) == PRICE_OF_PLACE);
        for (uint256 i = 1; i < 3; i++) assert(stake(first[i]) == PRICE_OF_PLACE - PRICE_OF_PLACE / 50);
        assertCovered();
    }

    /// @dev In a pool of six, three of them are silent in each dispute, and the others rule.
    function silentDispute(uint256 number) private returns (uint256 silent) {
        Terms memory terms = rotatingTerms(address(0));
        terms.steps = uint32(100 + number);
        terms.stake = 1;
        heard(terms);
        drawRound(terms, 0);
        silent = drawnKeys[0];
        pastRound(terms);
        drawRound(terms, 1);
        submit(terms, 2, 7);
    }

    function test_WhatTheSilentLoseIsBurnedOnce() public {
        registerMany(0, 6);
        silentDispute(0);
        uint256 lost = 3 * (PRICE_OF_PLACE / 50);
        vm.prank(ANYONE);
        assert(committee.burn() == lost);
        assert(token.balanceOf(BURNED) == lost && committee.liabilities() == 6 * PRICE_OF_PLACE - lost);
        vm.expectRevert(IRotatingCommittee.NothingToDo.selector);
        committee.burn();
        assertCovered();
    }

    function test_AStakeCanBeFilledUp() public {
        registerMany(0, 6);
        uint256 by = silentDispute(0);
        address silent = vm.addr(by);
        assert(stake(by) == PRICE_OF_PLACE - PRICE_OF_PLACE / 50);
        token.mint(silent, PRICE_OF_PLACE / 50);
        vm.prank(silent);
        committee.register();
        assert(stake(by) == PRICE_OF_PLACE && token.balanceOf(silent) == 0);
        assert(committee.candidates() == 6 && committee.liabilities() == 6 * PRICE_OF_PLACE + PRICE_OF_PLACE / 50);
        assertCovered();
    }

    /// @dev That takes 26 silences. With half of a stake an account can still be drawn.
    function test_WhoHasLessThanHalfOfAStakeIsNotDrawnAnyMore() public {
        registerMany(0, 6);
        uint256 disputes = 0;
        for (; committee.candidates() == 6; disputes++) silentDispute(disputes);
        assert(disputes >= 26 && disputes < 80);
        uint256 out = 0;
        for (uint256 i = 0; i < 6; i++) {
            Candidate memory c = committee.candidateOf(candidate(i));
            assert((c.readyAt != 0) == (c.stake * 2 < PRICE_OF_PLACE));
            if (c.readyAt != 0) out++;
        }
        assert(out == 6 - committee.candidates());
        assertCovered();
    }

    /// @dev All calls that move money or change what is owed.
    function guarded() private view returns (bytes[] memory calls) {
        Terms memory terms;
        Verdict memory verdict;
        calls = new bytes[](6);
        calls[0] = abi.encodeCall(committee.register, ());
        calls[1] = abi.encodeCall(committee.withdraw, (ANYONE));
        calls[2] = abi.encodeCall(committee.payMember, (ANYONE));
        calls[3] = abi.encodeCall(committee.burn, ());
        calls[4] = abi.encodeCall(committee.settle, (terms, 1));
        calls[5] = abi.encodeCall(committee.submit, (terms, verdict, new address[](0), new bytes[](0)));
    }

    function test_PayIsClosedToATokenThatCallsBack() public {
        CallingToken calling = new CallingToken();
        TaskManager other = new TaskManager(calling, UNBONDING);
        RotatingCommittee twin = new RotatingCommittee(other, IDisputeGame(address(0)), 10, 3, 2);
        bytes[] memory calls = guarded();
        bytes memory closed = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        calling.mint(address(this), 10);
        calling.approve(address(twin), type(uint256).max);
        for (uint256 i = 0; i < calls.length; i++) {
            calling.onTransfer(address(twin), calls[i]);
            twin.register();
            assert(!calling.succeeded() && keccak256(calling.answer()) == keccak256(closed));
            twin.leavePool();
            vm.warp(block.timestamp + UNBONDING);
            calling.onTransfer(address(twin), calls[i]);
            assert(twin.withdraw(address(this)) == 10);
            assert(!calling.succeeded() && keccak256(calling.answer()) == keccak256(closed));
        }
    }
}
