// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRoundManager, RoundState} from "../../contracts/interfaces/IRoundManager.sol";
import {ITaskManager} from "../../contracts/interfaces/ITaskManager.sol";
import {RunRoot} from "../../contracts/libraries/Ids.sol";
import {RecordHash} from "../../contracts/rounds/RecordHash.sol";
import "../../contracts/rounds/RoundTypes.sol";
import {StoreWorld} from "./StoreWorld.sol";
import {vm} from "./Vm.sol";

/// @dev What the sentences of stores show. A recorder with enough notes never loses, and neither does a store
/// that has signed one sentence for each place.
contract RoundStoresTest is StoreWorld {
    LeafPlace private place = LeafPlace(2, 0);

    function setUp() public {
        prepare();
    }

    function test_aPlanIsPostedWithItsStoragePart() public {
        RoundTerms memory t = terms();
        bytes32 part = sha256(abi.encodePacked(hex"1b", uint32(3), uint32(5), "store", uint32(3), uint32(2)));
        bytes memory own = abi.encodePacked(hex"1a", uint32(4), uint32(2), uint32(4), "plan", bytes32("root of the turns"));
        own = abi.encodePacked(own, t.templates, t.seats, part);
        assert(PlanId.unwrap(t.plan) == sha256(own));
        PlanStores memory none;
        vm.prank(CLIENT);
        refuses(IRoundManager.WrongPlan.selector);
        manager.post(t, "plan", "root of the turns", none);
        PlanStores memory more = storagePart();
        more.copies = 3;
        vm.prank(CLIENT);
        refuses(IRoundManager.WrongPlan.selector);
        manager.post(t, "plan", "root of the turns", more);
        post();
        assert(state().stores == 3 && state().copies == 2);
        // All are paid, and the stores have a stake too.
        for (uint256 i = 0; i <= recorderNumber(); i++) join(i);
        expectState(RoundState.Running);
        assert(vault.escrow() == 7 * REWARD && vault.accountOf(ownerAt(FIRST)).exposed == STAKE);
    }

    function test_aStoragePartOutOfRangeIsRefused() public {
        uint32[2][5] memory parts = [[uint32(3), 0], [uint32(3), 4], [uint32(0), 1], [uint32(4), 2], [uint32(7), 2]];
        for (uint256 p = 0; p < parts.length; p++) {
            RoundTerms memory t = terms();
            PlanStores memory part = PlanStores("store", parts[p][0], parts[p][1]);
            t.plan = this.planOf(t, "plan", "root of the turns", part);
            vm.prank(CLIENT);
            vm.expectRevert(IRoundManager.TermsOutOfRange.selector);
            manager.post(t, "plan", "root of the turns", part);
        }
    }

    /// @dev Nobody computes anything there, but no party is harmed by it.
    function test_allParticipantsMayBeStores() public {
        RoundTerms memory t = terms();
        t.turns = new RoundTurn[](0);
        PlanStores memory part = PlanStores("store", uint32(t.participants.length), 2);
        t.plan = this.planOf(t, "plan", "root of the turns", part);
        vm.prank(CLIENT);
        InstanceId id = manager.post(t, "plan", "root of the turns", part);
        assert(manager.stateOf(id).stores == t.participants.length);
        part.members++;
        t.plan = this.planOf(t, "plan", "root of the turns", part);
        vm.prank(CLIENT);
        vm.expectRevert(IRoundManager.TermsOutOfRange.selector);
        manager.post(t, "plan", "root of the turns", part);
    }

    function test_aStoreThatSignsTwoSentencesLoses() public {
        joinAll();
        RoundTerms memory t = terms();
        RunRoot[3] memory runs = [RunRoot.wrap(0), RunRoot.wrap("run"), RunRoot.wrap("other run")];
        bytes[3] memory all = [noteBy(1, 2, 0), receiptBy(1, 2, 0, runs[1]), receiptBy(1, 2, 0, runs[2])];
        for (uint256 a = 0; a < 3; a++) {
            uint256 b = (a + 1) % 3;
            uint256 id = vm.snapshotState();
            vm.prank(ANYONE);
            manager.storeTwice(t, 1, place, [runs[a], runs[b]], [all[a], all[b]]);
            assert(state().out == 1 << (FIRST + 1));
            expectMoney(ownerAt(FIRST + 1), STAKE, 0);
            expectMoney(ANYONE, 0, STAKE / 2);
            // A second time nothing is lost.
            manager.storeTwice(t, 1, place, [runs[a], runs[b]], [all[a], all[b]]);
            expectMoney(ownerAt(FIRST + 1), STAKE, 0);
            assert(vm.revertToState(id));
        }
    }

    function test_oneSentenceForAPlaceIsNoContradiction() public {
        RoundTerms memory t = terms();
        RunRoot run = RunRoot.wrap("run");
        RunRoot[2] memory runs = [run, RunRoot.wrap(0)];
        bytes[2] memory signatures = [receiptBy(1, 2, 0, run), noteBy(1, 2, 0)];
        // Nobody has begun.
        refuses(IRoundManager.WrongRoundState.selector);
        manager.storeTwice(t, 1, place, runs, signatures);
        joinAll();
        refuses(IRoundManager.NoContradiction.selector);
        manager.storeTwice(t, 1, place, [run, run], [signatures[0], signatures[0]]);
        // Of another store, of another place, and of what was not signed.
        refuses(IRoundManager.NotSignedBy.selector);
        manager.storeTwice(t, 0, place, runs, signatures);
        bytes memory other = noteBy(1, 1, 0);
        refuses(IRoundManager.NotSignedBy.selector);
        manager.storeTwice(t, 1, place, runs, [signatures[0], other]);
        refuses(IRoundManager.NotSignedBy.selector);
        manager.storeTwice(t, 1, place, [run, RunRoot.wrap("other run")], signatures);
        // A member's signature of a leaf is no receipt, and the recorder no store.
        refuses(IRoundManager.NoSuchStore.selector);
        manager.storeTwice(t, 3, place, runs, signatures);
        refuses(IRoundManager.NoSuchStore.selector);
        manager.storeTwice(t, type(uint256).max, place, runs, signatures);
        assert(state().out == 0);
    }

    /// @dev The record misses a member, and two of three stores hold its leaf.
    function test_whoCensorsAMemberLosesHalfToTheAccuser() public {
        record();
        RoundTerms memory t = terms();
        StoreSignature[] memory receipts = receiptsBy(0, 1);
        vm.prank(ANYONE);
        this.accuses(t, receipts);
        assert(manager.censorshipOf(instance(), place).by == ANYONE && state().open == 1);
        refuses(ITaskManager.TooEarly.selector);
        manager.convictCensor(t, place);
        pastDeadline();
        refuses(IRoundManager.StillOpen.selector);
        manager.close(t);
        manager.convictCensor(t, place);
        assert(state().out == 1 << recorderNumber() && state().open == 0);
        expectMoney(account(RECORDER), STAKE, 0);
        expectMoney(ANYONE, 0, STAKE / 2);
        refuses(IRoundManager.NothingWaiting.selector);
        manager.convictCensor(t, place);
        // Nobody accuses a recorder that has lost.
        vm.warp(state().deadline);
        refuses(IRoundManager.NothingToWin.selector);
        this.accuses(t, receipts);
        pastDeadline();
        manager.close(t);
        expectMoney(ownerAt(FIRST), 0, REWARD);
        expectMoney(CLIENT, 0, REWARD);
    }

    /// @dev As whoever calls this.
    function accuses(RoundTerms memory t, StoreSignature[] memory receipts) external {
        RunRoot run = censoredRun();
        (RecordedLeaf memory stands, bytes memory signature) = (recorded(2, 0), signedLeaf(0, 2, 0, run));
        vm.prank(msg.sender);
        manager.accuseCensor(t, place, stands, run, signature, receipts);
    }

    /// @dev One store in both certificates has signed both.
    function test_notesAcquitTheRecorderAndConvictTheStoresInBoth() public {
        record();
        RoundTerms memory t = terms();
        StoreSignature[] memory receipts = receiptsBy(0, 1);
        vm.prank(ANYONE);
        this.accuses(t, receipts);
        StoreSignature[] memory notes = notesBy(1, 2);
        manager.showNotes(t, place, notes);
        assert(state().out == 1 << (FIRST + 1) && state().open == 0);
        expectMoney(ownerAt(FIRST + 1), STAKE, 0);
        expectMoney(ANYONE, 0, STAKE / 2);
        expectMoney(account(RECORDER), 0, 0);
        // The answer counts once, and the place is not asked about again.
        refuses(IRoundManager.NothingWaiting.selector);
        manager.showNotes(t, place, notes);
        refuses(IRoundManager.NothingWaiting.selector);
        manager.convictCensor(t, place);
        refuses(IRoundManager.AskedBefore.selector);
        this.accuses(t, receipts);
        pastDeadline();
        manager.close(t);
        expectMoney(CLIENT, 0, REWARD);
        expectMoney(ownerAt(FIRST), 0, REWARD);
    }

    function test_allStoresInBothLoseAndEachOnce() public {
        record();
        RoundTerms memory t = terms();
        manager.storeTwice(t, 0, place, [censoredRun(), RunRoot.wrap(0)], [receiptsBy(0, 1)[0].signature, noteBy(0, 2, 0)]);
        accuse(receiptsBy(0, 2));
        StoreSignature[] memory notes = new StoreSignature[](3);
        for (uint32 s = 0; s < 3; s++) notes[s] = StoreSignature(s, noteBy(s, 2, 0));
        manager.showNotes(t, place, notes);
        assert(state().out == (1 << FIRST) | (1 << (FIRST + 2)));
        expectMoney(ownerAt(FIRST), STAKE, 0);
        expectMoney(ownerAt(FIRST + 1), 0, 0);
        expectMoney(ownerAt(FIRST + 2), STAKE, 0);
    }

    function test_onlyEnoughReceiptsOfASignedLeafAccuse() public {
        record();
        RoundTerms memory t = terms();
        StoreSignature[] memory receipts = new StoreSignature[](1);
        receipts[0] = receiptsBy(0, 1)[0];
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.TooFewStores.selector, 2));
        this.accuses(t, receipts);
        receipts = receiptsBy(0, 0);
        refuses(IRoundManager.NoSuchStore.selector);
        this.accuses(t, receipts);
        receipts = receiptsBy(1, 0);
        refuses(IRoundManager.NoSuchStore.selector);
        this.accuses(t, receipts);
        receipts = receiptsBy(1, 3);
        refuses(IRoundManager.NoSuchStore.selector);
        this.accuses(t, receipts);
        receipts = receiptsBy(0, 1);
        receipts[1].store = 2;
        refuses(IRoundManager.NotSignedBy.selector);
        this.accuses(t, receipts);
        receipts = notesBy(0, 1);
        refuses(IRoundManager.NotSignedBy.selector);
        this.accuses(t, receipts);
        receipts = receiptsBy(0, 1);
        RunRoot run = censoredRun();
        (RecordedLeaf memory stands, bytes memory signature) = (recorded(2, 0), signedLeaf(1, 2, 0, run));
        refuses(IRoundManager.NotSignedBy.selector);
        manager.accuseCensor(t, place, stands, run, signature, receipts);
        assert(state().open == 0);
    }

    /// @dev Notes are no receipts of an empty run, whatever a member signs: else they would convict stores.
    function test_notesAccuseNobodyAsReceiptsOfNoRun() public {
        record();
        RoundTerms memory t = terms();
        bytes memory signature = signedLeaf(0, 2, 0, RunRoot.wrap(0));
        (RecordedLeaf memory stands, StoreSignature[] memory notes) = (recorded(2, 0), notesBy(0, 1));
        refuses(IRoundManager.NotSignedBy.selector);
        manager.accuseCensor(t, place, stands, RunRoot.wrap(0), signature, notes);
    }

    function test_onlyAnAbsenceOfTheRecordIsAccusedAndInTime() public {
        record();
        RoundTerms memory t = terms();
        RunRoot run = censoredRun();
        (StoreSignature[] memory receipts, bytes memory signature) = (receiptsBy(0, 1), signedLeaf(0, 2, 0, run));
        RecordedLeaf memory other = recorded(2, 0);
        other.claim = claims[2][1];
        refuses(IRoundManager.NotInRecord.selector);
        manager.accuseCensor(t, place, other, run, signature, receipts);
        other = recorded(1, 0);
        refuses(IRoundManager.NotInRecord.selector);
        manager.accuseCensor(t, LeafPlace(1, 0), other, run, signature, receipts);
        RecordedLeaf memory stands = recorded(2, 0);
        pastDeadline();
        refuses(ITaskManager.TooLate.selector);
        manager.accuseCensor(t, place, stands, run, signature, receipts);
    }

    function test_onlyEnoughNotesAnswerAndInTime() public {
        record();
        RoundTerms memory t = terms();
        accuse(receiptsBy(0, 1));
        StoreSignature[] memory notes = new StoreSignature[](1);
        notes[0] = notesBy(0, 1)[0];
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.TooFewStores.selector, 2));
        manager.showNotes(t, place, notes);
        notes = notesBy(2, 2);
        refuses(IRoundManager.NoSuchStore.selector);
        manager.showNotes(t, place, notes);
        notes = notesBy(1, 2);
        notes[0].store = 0;
        refuses(IRoundManager.NotSignedBy.selector);
        manager.showNotes(t, place, notes);
        notes = receiptsBy(0, 1);
        refuses(IRoundManager.NotSignedBy.selector);
        manager.showNotes(t, place, notes);
        notes = notesBy(1, 2);
        refuses(IRoundManager.NothingWaiting.selector);
        manager.showNotes(t, LeafPlace(2, 1), notes);
        vm.warp(block.timestamp + 1 hours + 1);
        refuses(ITaskManager.TooLate.selector);
        manager.showNotes(t, place, notes);
        manager.convictCensor(t, place);
        assert(state().out == 1 << recorderNumber());
    }

    /// @dev A leaf that too few stores hold could be kept back, so it should not have been listed.
    function test_aDemandedLeafIsShownWithReceipts() public {
        record();
        RoundTerms memory t = terms();
        vm.prank(ANYONE);
        manager.demand(t, LeafPlace(1, 1));
        LeafEvidence memory e = evidenceOf(1, 1);
        bytes memory signature = signedOf(e);
        RunRoot run = RecordHash.runOf(claims[1][1]);
        StoreSignature[] memory receipts = new StoreSignature[](1);
        receipts[0] = StoreSignature(0, receiptBy(0, 1, 1, run));
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.TooFewStores.selector, 2));
        manager.show(t, e, signature, receipts);
        receipts = new StoreSignature[](2);
        for (uint32 s = 0; s < 2; s++) receipts[s] = StoreSignature(s, noteBy(s, 1, 1));
        refuses(IRoundManager.NotSignedBy.selector);
        manager.show(t, e, signature, receipts);
        for (uint32 s = 0; s < 2; s++) receipts[s] = StoreSignature(2 * s, receiptBy(2 * s, 1, 1, run));
        manager.show(t, e, signature, receipts);
        expectMoney(account(RECORDER), 0, PRICE);
        assert(state().open == 0);
    }

    function test_aDemandedAbsenceIsShownWithNotes() public {
        record();
        RoundTerms memory t = terms();
        vm.prank(ANYONE);
        manager.demand(t, place);
        SignedRoll memory roll = SignedRoll(2, 0, 2, "");
        roll.signature = sign(keyOf(RECORDER), this.rollDigestOf(t, roll));
        (RecordedLeaf memory leaf, RecordedLeaf memory before) = (recorded(2, 0), recorded(1, 0));
        StoreSignature[] memory notes = new StoreSignature[](1);
        notes[0] = notesBy(0, 1)[0];
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.TooFewStores.selector, 2));
        manager.showAbsence(t, place, leaf, before, false, roll, notes);
        notes = receiptsBy(0, 1);
        refuses(IRoundManager.NotSignedBy.selector);
        manager.showAbsence(t, place, leaf, before, false, roll, notes);
        manager.showAbsence(t, place, leaf, before, false, roll, notesBy(0, 2));
        expectMoney(account(RECORDER), 0, PRICE);
        assert(state().open == 0);
    }

    function rollDigestOf(RoundTerms calldata t, SignedRoll calldata roll) external view returns (bytes32) {
        return RecordHash.rollDigest(t, instance(), roll);
    }

    function test_aRecorderThatHasLostIsNotWaitedFor() public {
        record();
        RoundTerms memory t = terms();
        accuse(receiptsBy(0, 1));
        bytes memory mark = sign(keyOf(RECORDER), RecordHash.recordDigest(instance(), 3, "another record"));
        manager.misrecord(t, "another record", mark);
        manager.convictCensor(t, place);
        assert(state().open == 0);
        expectMoney(account(RECORDER), STAKE, 0);
    }
}

/// @dev Both clients were absent, for what the terms allow: their accusations come one after the other.
contract RoundCensoredTwiceTest is StoreWorld {
    function setUp() public {
        prepare();
        away[1][1] = true;
        away[2][1] = true;
        compute(1, SERVER);
        compute(2, SERVER);
    }

    function test_accusationsOfARecorderAreDueOneAfterTheOther() public {
        record();
        RoundTerms memory t = terms();
        accuse(receiptsBy(0, 1));
        RunRoot run = RunRoot.wrap("run of client 1");
        StoreSignature[] memory receipts = new StoreSignature[](2);
        for (uint32 s = 0; s < 2; s++) receipts[s] = StoreSignature(s, receiptBy(s, 1, 1, run));
        (RecordedLeaf memory stands, bytes memory signature) = (recorded(1, 1), signedLeaf(1, 1, 1, run));
        manager.accuseCensor(t, LeafPlace(1, 1), stands, run, signature, receipts);
        assert(manager.censorshipOf(instance(), LeafPlace(2, 0)).deadline == block.timestamp + 1 hours);
        assert(manager.censorshipOf(instance(), LeafPlace(1, 1)).deadline == block.timestamp + 2 hours);
        assert(state().open == 2);
        vm.warp(block.timestamp + 2 hours);
        StoreSignature[] memory notes = new StoreSignature[](2);
        for (uint32 s = 1; s < 3; s++) notes[s - 1] = StoreSignature(s, noteBy(s, 1, 1));
        manager.showNotes(t, LeafPlace(1, 1), notes);
        assert(state().out == 1 << (FIRST + 1));
    }
}

/// @dev A plan without a storage part.
contract RoundWithoutStoresTest is StoreWorld {
    function storeCount() internal pure override returns (uint32) {
        return 0;
    }

    function copies() internal pure override returns (uint32) {
        return 0;
    }

    function setUp() public {
        prepare();
    }

    function test_withoutStoresNobodyIsAccusedByReceipts() public {
        record();
        RoundTerms memory t = terms();
        RunRoot run = censoredRun();
        (RecordedLeaf memory stands, bytes memory signature) = (recorded(2, 0), signedLeaf(0, 2, 0, run));
        refuses(IRoundManager.TooFewStores.selector);
        manager.accuseCensor(t, LeafPlace(2, 0), stands, run, signature, new StoreSignature[](0));
        refuses(IRoundManager.NothingWaiting.selector);
        manager.showNotes(t, LeafPlace(2, 0), new StoreSignature[](1));
        bytes[2] memory none;
        refuses(IRoundManager.NoSuchStore.selector);
        manager.storeTwice(t, 0, LeafPlace(2, 0), [run, RunRoot.wrap(0)], none);
        CopyPlace memory copy;
        refuses(IRoundManager.NoSuchStore.selector);
        manager.demandCopy(t, copy, stands, "");
    }
}
