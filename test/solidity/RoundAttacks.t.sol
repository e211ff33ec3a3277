// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RoundManager} from "../../contracts/RoundManager.sol";
import {RoundQuestions} from "../../contracts/RoundQuestions.sol";
import {IRoundManager} from "../../contracts/interfaces/IRoundManager.sol";
import {ITaskManager} from "../../contracts/interfaces/ITaskManager.sol";
import {JobId, RunRoot, StateRoot} from "../../contracts/libraries/Ids.sol";
import {RecordHash} from "../../contracts/rounds/RecordHash.sol";
import "../../contracts/rounds/RoundTypes.sol";
import {RoundWorld} from "./RoundWorld.sol";
import {vm} from "./Vm.sol";

/// @dev What a thief would like to be the game.
contract ThievesGame {
    function steal(IRoundManager manager, RoundTerms calldata terms, address victim) external {
        manager.challenged(terms, 0, victim);
    }

    function convict(IRoundManager manager, InstanceId instance, address victim, address thief) external {
        manager.decide(instance, 0, victim, thief, 2);
    }
}

/// @dev Attacks on those who have done nothing wrong. Each must fail.
contract RoundAttacksTest is RoundWorld {
    address private constant THIEF = address(0x7413F);

    function setUp() public {
        build();
        fund(THIEF);
    }

    function _refusesEveryAccusation(RoundTerms memory t, LeafEvidence memory e, bytes memory signature) private {
        refuses(IRoundManager.NotSignedBy.selector);
        vm.prank(ANYONE);
        manager.accuse(t, e, signature);
        refuses(IRoundManager.NotSignedBy.selector);
        vm.prank(ANYONE);
        game.challenge(t, e, StateRoot.wrap("start"), StateRoot.wrap("end"), signature);
    }

    /// @dev Only the game that the deployer has named speaks about stakes, whatever a client posts.
    function test_aGameOfAThiefMovesNoStake() public {
        record();
        ThievesGame own = new ThievesGame();
        RoundTerms memory t = terms();
        (InstanceId id, address victim) = (instance(), account(0));
        refuses(ITaskManager.WrongCaller.selector);
        own.steal(manager, t, victim);
        refuses(ITaskManager.WrongCaller.selector);
        own.convict(manager, id, victim, THIEF);
    }

    function test_theGameIsNamedOnceByTheDeployer() public {
        RoundManager other = new RoundManager(token, 60 days, new RoundQuestions());
        RoundTerms memory t = terms();
        vm.prank(CLIENT);
        vm.expectRevert(IRoundManager.NoGame.selector);
        other.post(t, "plan", "root of the turns", storagePart());
        vm.prank(THIEF);
        refuses(ITaskManager.WrongCaller.selector);
        other.nameGame(THIEF);
        vm.expectRevert(IRoundManager.NoGame.selector);
        other.nameGame(address(0));
        other.nameGame(address(game));
        assert(other.game() == address(game));
        refuses(IRoundManager.GameExists.selector);
        other.nameGame(THIEF);
    }

    /// @dev A call that is handed to an account without code would be taken for one that has worked.
    function test_aManagerHasTheCodeOfItsQuestions() public {
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.NoQuestions.selector, THIEF));
        new RoundManager(token, 60 days, RoundQuestions(THIEF));
    }

    /// @dev The recorder lists leaves that their owners have never signed, with another job or with other
    /// states. Then nobody can ask the owners, and the recorder can't show them.
    function test_aRecorderCannotFrameAParticipant() public {
        claims[1][0].job = JobId.wrap("never signed");
        StateRoot right = claims[1][1].end;
        claims[1][1].end = StateRoot.wrap("never signed");
        record();
        RoundTerms memory t = terms();
        for (uint32 seat = 0; seat < 2; seat++) {
            LeafEvidence memory e = evidenceOf(1, seat);
            bytes32 digest = RecordHash.leafDigest(instance(), e.place, RecordHash.runOf(e.leaf.claim));
            _refusesEveryAccusation(t, e, "");
            _refusesEveryAccusation(t, e, sign(keyOf(RECORDER), digest));
            // What the owner has signed is another leaf.
            e.leaf.claim.end = right;
            bytes memory own = signedOf(e);
            e = evidenceOf(1, seat);
            _refusesEveryAccusation(t, e, own);
            vm.prank(account(seat));
            manager.demand(t, e.place);
        }
        vm.warp(block.timestamp + 2 hours + 1);
        for (uint32 seat = 0; seat < 2; seat++) manager.lapse(t, LeafPlace(1, seat));
        assert(state().out == 1 << RECORDER && state().open == 0);
        for (uint256 i = 0; i < 2; i++) assert(vault.accountOf(account(i)).active == RICH);
    }

    /// @dev All leaves are demanded at once. Each answer has its own time.
    function test_aFloodOfDemandsLeavesTimeForEach() public {
        record();
        RoundTerms memory t = terms();
        vm.warp(state().deadline);
        for (uint32 i = 0; i < 6; i++) {
            vm.prank(ANYONE);
            manager.demand(t, LeafPlace(i / 3, i % 3));
        }
        for (uint32 i = 0; i < 6; i++) {
            LeafEvidence memory e = evidenceOf(i / 3, i % 3);
            bytes memory signature = signedOf(e);
            // The last second of each.
            vm.warp(manager.demandOf(instance(), e.place).deadline);
            manager.show(t, e, signature, new StoreSignature[](0));
            if (i < 5) vm.warp(block.timestamp + 1 hours - 1);
        }
        assert(state().out == 0 && state().open == 0);
        expectMoney(account(RECORDER), 0, 6 * PRICE);
    }

    function test_accusationsAreDueOneAfterTheOther() public {
        for (uint32 seat = 0; seat < 3; seat++) claims[1][seat].job = JobId.wrap("another job");
        record();
        RoundTerms memory t = terms();
        uint256 begun = block.timestamp;
        for (uint32 seat = 0; seat < 3; seat++) {
            LeafEvidence memory e = evidenceOf(1, seat);
            manager.accuse(t, e, signedOf(e));
            assert(manager.accusationOf(instance(), e.place).deadline == begun + (seat + 1) * 1 hours);
        }
        vm.warp(begun + 1 hours + 1);
        manager.convict(t, LeafPlace(1, 0));
        refuses(ITaskManager.TooEarly.selector);
        manager.convict(t, LeafPlace(1, 1));
    }

    /// @dev Once it has lost, nobody has to wait for it.
    function test_nobodyWaitsForWhoHasLost() public {
        claims[0][0].job = claims[1][0].job = JobId.wrap("another job");
        record();
        RoundTerms memory t = terms();
        for (uint32 round = 0; round < 2; round++) {
            LeafEvidence memory e = evidenceOf(round, 0);
            manager.accuse(t, e, signedOf(e));
            vm.prank(ANYONE);
            manager.demand(t, e.place);
        }
        vm.warp(block.timestamp + 1 hours + 1);
        for (uint32 round = 0; round < 2; round++) {
            manager.convict(t, LeafPlace(round, 0));
            manager.lapse(t, LeafPlace(round, 0));
        }
        assert(state().open == 0 && state().out == (1 << RECORDER) | 1);
        expectMoney(account(0), STAKE, 0);
        expectMoney(account(RECORDER), STAKE, 0);
    }

    /// @dev An answer in the last second shows a second signature. There is time to use it.
    function test_aLateAnswerDoesNotCloseTheDoor() public {
        LeafClaim memory listed = claims[1][0];
        claims[1][0].end = StateRoot.wrap("another state");
        LeafClaim memory given = claims[1][0];
        compute(1, SERVER);
        claims[1][0] = listed;
        record();
        (RoundTerms memory t, LeafEvidence memory e) = (terms(), evidenceOf(1, SERVER));
        vm.warp(state().deadline);
        manager.accuse(t, e, signedOf(e));
        bytes[] memory signatures = new bytes[](3);
        signatures[0] = signedLeaf(0, 1, 0, RecordHash.runOf(given));
        signatures[1] = signedLeaf(1, 1, 1, RecordHash.runOf(claims[1][1]));
        signatures[2] = signedLeaf(SERVER, 0, SERVER, RecordHash.runOf(claims[0][SERVER]));
        e.sources[0].claim = given;
        vm.warp(block.timestamp + 1 hours);
        manager.answer(t, e, excuseBy(signatures));
        refuses(ITaskManager.TooEarly.selector);
        manager.close(t);
        RunRoot[2] memory runs = [RecordHash.runOf(listed), RecordHash.runOf(given)];
        manager.equivocate(t, LeafPlace(1, 0), runs, [signedLeaf(0, 1, 0, runs[0]), signatures[0]]);
        assert(state().out == 1);
        pastDeadline();
        manager.close(t);
    }
}
