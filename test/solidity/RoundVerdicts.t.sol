// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRoundManager, RoundState} from "../../contracts/interfaces/IRoundManager.sol";
import {ITaskManager} from "../../contracts/interfaces/ITaskManager.sol";
import {JobId, RunRoot, StateRoot} from "../../contracts/libraries/Ids.sol";
import {RecordHash} from "../../contracts/rounds/RecordHash.sol";
import "../../contracts/rounds/RoundTypes.sol";
import {RoundWorld} from "./RoundWorld.sol";
import {vm} from "./Vm.sol";

/// @dev What is shown without the game.
contract RoundVerdictsTest is RoundWorld {
    function setUp() public {
        build();
    }

    function test_whoReadSomethingElseLosesHalfToTheAccuser() public {
        claims[1][SERVER].job = JobId.wrap("another job");
        record();
        (RoundTerms memory t, LeafEvidence memory e) = (terms(), evidenceOf(1, SERVER));
        bytes memory signature = signedOf(e);
        vm.prank(ANYONE);
        manager.accuse(t, e, signature);
        assert(manager.accusationOf(instance(), e.place).by == ANYONE && state().open == 1);
        refuses(IRoundManager.AskedBefore.selector);
        manager.accuse(t, e, signature);
        refuses(ITaskManager.TooEarly.selector);
        manager.convict(t, e.place);
        pastDeadline();
        refuses(IRoundManager.StillOpen.selector);
        manager.close(t);
        manager.convict(t, e.place);
        expectMoney(account(SERVER), STAKE, 0);
        expectMoney(ANYONE, 0, STAKE / 2);
        assert(vault.condemned() == STAKE / 2 && state().open == 0);
        refuses(IRoundManager.NothingWaiting.selector);
        manager.convict(t, e.place);
        manager.close(t);
        expectMoney(CLIENT, 0, REWARD);
        expectMoney(account(SERVER), STAKE, 0);
        expectMoney(account(0), 0, REWARD);
    }

    function test_onlyAWrongJobOfTheRecordIsAccused() public {
        claims[1][0].job = JobId.wrap("another job");
        record();
        RoundTerms memory t = terms();
        LeafEvidence memory e = evidenceOf(1, 1);
        bytes memory signature = signedOf(e);
        refuses(IRoundManager.RightJob.selector);
        manager.accuse(t, e, signature);
        e.leaf.claim.job = JobId.wrap("another job");
        refuses(IRoundManager.NotInRecord.selector);
        manager.accuse(t, e, signature);
        signature = signedOf(evidenceOf(1, 0));
        for (uint256 part = 0; part < 5; part++) {
            e = evidenceOf(1, 0);
            if (part == 0) e.template.later.steps = 3;
            if (part == 1) e.shard[0] = "other data";
            if (part == 2) e.sources = new RecordedLeaf[](0);
            if (part == 3) e.template.later.lists = new uint32[](3);
            if (part == 4) (e.index, e.templatePath, e.template) = (1, evidenceOf(1, SERVER).templatePath, templateOf(1));
            vm.expectRevert(IRoundManager.NotInPlan.selector);
            manager.accuse(t, e, signature);
        }
        e = evidenceOf(1, 0);
        e.sources[0].claim.end = StateRoot.wrap("another state");
        refuses(IRoundManager.NotInRecord.selector);
        manager.accuse(t, e, signature);
        e = evidenceOf(1, 0);
        e.place.seat = 3;
        refuses(IRoundManager.NoSuchSeat.selector);
        manager.accuse(t, e, signature);
        pastDeadline();
        e = evidenceOf(1, 0);
        refuses(ITaskManager.TooLate.selector);
        manager.accuse(t, e, signature);
    }

    /// @dev Client 0 has signed another leaf than the record has, and gave that one to the server.
    function test_whoBuiltOnWhatWasSignedIsNotToBlame() public {
        LeafClaim memory listed = claims[1][0];
        claims[1][0].end = StateRoot.wrap("another state");
        LeafClaim memory given = claims[1][0];
        compute(1, SERVER);
        claims[1][0] = listed;
        record();
        (RoundTerms memory t, LeafEvidence memory e) = (terms(), evidenceOf(1, SERVER));
        bytes memory signature = signedOf(e);
        manager.accuse(t, e, signature);
        bytes[] memory signatures = new bytes[](3);
        signatures[0] = signedLeaf(0, 1, 0, RecordHash.runOf(given));
        signatures[1] = signedLeaf(1, 1, 1, RecordHash.runOf(claims[1][1]));
        signatures[2] = signedLeaf(SERVER, 0, SERVER, RecordHash.runOf(claims[0][SERVER]));
        refuses(IRoundManager.NotSignedBy.selector);
        manager.answer(t, e, excuseBy(signatures));
        bytes memory own = signatures[0];
        signatures[0] = signedLeaf(0, 1, 0, RecordHash.runOf(listed));
        refuses(IRoundManager.OtherJob.selector);
        manager.answer(t, e, excuseBy(signatures));
        signatures[0] = own;
        e.sources[0].claim = given;
        // Its owner may not have the record, so no way leads there from the leaf either.
        RecordedLeaf memory leaf = e.leaf;
        e.leaf = RecordedLeaf(given, new bytes32[](0), new bytes32[](0));
        refuses(IRoundManager.OtherAccusation.selector);
        manager.answer(t, e, excuseBy(signatures));
        e.leaf.claim = leaf.claim;
        uint256 id = vm.snapshotState();
        vm.warp(block.timestamp + 1 hours + 1);
        refuses(ITaskManager.TooLate.selector);
        manager.answer(t, e, excuseBy(signatures));
        assert(vm.revertToState(id));
        manager.answer(t, e, excuseBy(signatures));
        assert(state().open == 0 && state().out == 0);
        refuses(IRoundManager.NothingWaiting.selector);
        manager.answer(t, e, excuseBy(signatures));
        // It is not asked again.
        e.leaf = leaf;
        e.sources[0].claim = listed;
        refuses(IRoundManager.AskedBefore.selector);
        manager.accuse(t, e, signature);
        _equivocates(listed, given, own);
    }

    function _equivocates(LeafClaim memory listed, LeafClaim memory given, bytes memory own) private {
        RoundTerms memory t = terms();
        RunRoot[2] memory runs = [RecordHash.runOf(listed), RecordHash.runOf(given)];
        bytes[2] memory both = [signedLeaf(0, 1, 0, runs[0]), own];
        RunRoot[2] memory same = [runs[0], runs[0]];
        refuses(IRoundManager.NoContradiction.selector);
        manager.equivocate(t, LeafPlace(1, 0), same, both);
        refuses(IRoundManager.NotSignedBy.selector);
        manager.equivocate(t, LeafPlace(1, 1), runs, both);
        vm.prank(ANYONE);
        manager.equivocate(t, LeafPlace(1, 0), runs, both);
        expectMoney(account(0), STAKE, 0);
        expectMoney(ANYONE, 0, STAKE / 2);
        // A second time nothing is lost, and it can't be accused any more.
        manager.equivocate(t, LeafPlace(1, 0), runs, both);
        expectMoney(account(0), STAKE, 0);
        LeafEvidence memory e = evidenceOf(1, 0);
        refuses(IRoundManager.NothingToWin.selector);
        manager.accuse(t, e, "");
    }

    function test_signaturesOfAPerformanceThatHasNotBegunDoNotCount() public {
        RoundTerms memory t = terms();
        RunRoot[2] memory runs = [RunRoot.wrap("a"), RunRoot.wrap("b")];
        bytes[2] memory both = [signedLeaf(0, 1, 0, runs[0]), signedLeaf(0, 1, 0, runs[1])];
        refuses(IRoundManager.WrongRoundState.selector);
        manager.equivocate(t, LeafPlace(1, 0), runs, both);
        joinAll();
        manager.equivocate(t, LeafPlace(1, 0), runs, both);
        assert(state().out == 1);
        refuses(IRoundManager.WrongRoundState.selector);
        manager.misrecord(t, "another record", "");
    }

    function test_theRecorderShowsALeafForThePrice() public {
        record();
        RoundTerms memory t = terms();
        for (uint32 seat = 0; seat < 3; seat++) {
            LeafEvidence memory e = evidenceOf(1, seat);
            bytes memory signature = signedLeaf(seat, 1, seat, RecordHash.runOf(e.leaf.claim));
            vm.prank(ANYONE);
            manager.demand(t, e.place);
            assert(manager.demandOf(instance(), e.place).by == ANYONE);
            bytes memory other = signedLeaf(seat, 0, seat, RecordHash.runOf(e.leaf.claim));
            refuses(IRoundManager.NotSignedBy.selector);
            manager.show(t, e, other, new StoreSignature[](0));
            manager.show(t, e, signature, new StoreSignature[](0));
        }
        expectMoney(account(RECORDER), 0, 3 * PRICE);
        assert(token.balanceOf(ANYONE) == RICH - 3 * PRICE);
        refuses(IRoundManager.NoSuchSeat.selector);
        manager.demand(t, LeafPlace(1, 3));
        refuses(IRoundManager.NoSuchSeat.selector);
        manager.demand(t, LeafPlace(2, 0));
    }

    /// @dev A leaf with other segments than its template says can't be shown, and nor can an unsigned one.
    function test_theRecorderLosesWithALeafThatItCannotShow() public {
        claims[1][0].every = 3;
        claims[1][1].start = StateRoot.wrap(0);
        record();
        RoundTerms memory t = terms();
        for (uint32 seat = 0; seat < 2; seat++) {
            LeafEvidence memory e = evidenceOf(1, seat);
            vm.prank(ANYONE);
            manager.demand(t, e.place);
            bytes memory signature = signedLeaf(seat, 1, seat, RecordHash.runOf(e.leaf.claim));
            vm.expectRevert(IRoundManager.WrongForm.selector);
            manager.show(t, e, signature, new StoreSignature[](0));
        }
        refuses(ITaskManager.TooEarly.selector);
        manager.lapse(t, LeafPlace(1, 0));
        uint256 due = manager.demandOf(instance(), LeafPlace(1, 0)).deadline;
        vm.warp(due);
        refuses(ITaskManager.TooEarly.selector);
        manager.lapse(t, LeafPlace(1, 0));
        vm.warp(due + 1);
        manager.lapse(t, LeafPlace(1, 0));
        expectMoney(account(RECORDER), STAKE, 0);
        expectMoney(ANYONE, 0, STAKE / 2 + PRICE);
        manager.lapse(t, LeafPlace(1, 1));
        expectMoney(ANYONE, 0, STAKE / 2 + 2 * PRICE);
        refuses(IRoundManager.NothingToWin.selector);
        manager.demand(t, LeafPlace(0, 0));
    }

    function test_aRecorderThatSignsAnotherRecordLoses() public {
        record();
        RoundTerms memory t = terms();
        bytes memory signature = sign(keyOf(RECORDER), RecordHash.recordDigest(instance(), 2, "another record"));
        bytes32 root = recordRoot();
        refuses(IRoundManager.NoContradiction.selector);
        manager.misrecord(t, root, signature);
        refuses(IRoundManager.NotSignedBy.selector);
        manager.misrecord(t, "a third record", signature);
        vm.prank(ANYONE);
        manager.misrecord(t, "another record", signature);
        expectMoney(account(RECORDER), STAKE, 0);
        expectMoney(ANYONE, 0, STAKE / 2);
        expectState(RoundState.Challengeable);
    }
}
