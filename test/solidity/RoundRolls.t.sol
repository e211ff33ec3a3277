// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRoundManager} from "../../contracts/interfaces/IRoundManager.sol";
import {ITaskManager} from "../../contracts/interfaces/ITaskManager.sol";
import {JobId, RunRoot, StateRoot} from "../../contracts/libraries/Ids.sol";
import {RecordHash} from "../../contracts/rounds/RecordHash.sol";
import "../../contracts/rounds/RoundTypes.sol";
import {RoundWorld} from "./RoundWorld.sol";
import {vm} from "./Vm.sol";

/// @dev Clients that may be away, one at a time, in three rounds. Bit i of a roll is client i.
abstract contract RollWorld is RoundWorld {
    function last() internal pure override returns (uint32) {
        return 3;
    }

    function quorum() internal pure override returns (uint32) {
        return 1;
    }

    function digestOf(
        RoundTerms calldata t,
        InstanceId id,
        SignedRoll calldata roll
    ) external pure returns (bytes32) {
        return RecordHash.rollDigest(t, id, roll);
    }

    /// @dev A roll of the clients, signed by the recorder.
    function rollOf(uint32 round, uint256 present) internal view returns (SignedRoll memory roll) {
        roll = SignedRoll(round, 0, present, "");
        roll.signature = sign(keyOf(RECORDER), this.digestOf(terms(), instance(), roll));
    }

    /// @dev Client 0 is away in a round, and the server knows it.
    function leaves(uint32 round) internal {
        away[round][0] = true;
        compute(round, SERVER);
    }

    /// @dev What the server of a round shows of what it has read, all signed. Its own last leaf is the third.
    function excuseOf(
        LeafEvidence memory e,
        uint32[3] memory rounds,
        uint32[] memory stood,
        SignedRoll[] memory rolls
    ) internal view returns (LeafExcuse memory excuse) {
        bytes[] memory signatures = new bytes[](3);
        for (uint32 s = 0; s < 3; s++)
            signatures[s] = signedLeaf(s, rounds[s], s, RecordHash.runOf(e.sources[s].claim));
        (excuse.signatures, excuse.stood, excuse.rolls) = (signatures, stood, rolls);
    }

    function threeRounds(uint32 a, uint32 b, uint32 c) internal pure returns (uint32[] memory rounds) {
        rounds = new uint32[](3);
        (rounds[0], rounds[1], rounds[2]) = (a, b, c);
    }

    function one(SignedRoll memory roll) internal pure returns (SignedRoll[] memory rolls) {
        rolls = new SignedRoll[](1);
        rolls[0] = roll;
    }

    /// @dev What the server of a round has read: another leaf of client 0, or the same one as standing.
    function read(
        uint32 round,
        LeafClaim memory claim,
        uint32 made
    ) internal view returns (LeafEvidence memory e) {
        e = evidenceOf(round, SERVER);
        e.sources[0].claim = claim;
        e.standing = new StandingLeaf[](made < round ? 1 : 0);
        if (made < round) e.standing[0] = StandingLeaf(0, made, new bytes32[](0), new bytes32[](0));
    }
}

/// @dev Who is absent in a record, what a reader may read by rolls, and what shows that a recorder lies. An
/// honest participant never loses, and neither does a recorder that lists what its one roll says.
contract RoundRollsTest is RollWorld {
    function setUp() public {
        build();
    }

    function _accuse(uint32 round, uint32 seat) private {
        LeafEvidence memory e = evidenceOf(round, seat);
        manager.accuse(terms(), e, signedOf(e));
    }

    function _expectAcquitted(uint32 round) private {
        assert(state().open == 0 && state().out == 0);
        RoundTerms memory t = terms();
        refuses(IRoundManager.NothingWaiting.selector);
        manager.convict(t, LeafPlace(round, SERVER));
    }

    function _expectRecorderConvicted() private view {
        assert(state().out == 1 << RECORDER);
        expectMoney(account(RECORDER), STAKE, 0);
    }

    function test_whoReadWhatStandsIsRight() public {
        for (uint32 round = 1; round <= 2; round++) leaves(round);
        compute(3, SERVER);
        record();
        RoundTerms memory t = terms();
        for (uint32 round = 1; round <= 3; round++) {
            LeafEvidence memory e = evidenceOf(round, SERVER);
            bytes memory signature = signedOf(e);
            assert(e.standing.length == (round < 3 ? 1 : 0));
            refuses(IRoundManager.RightJob.selector);
            manager.accuse(t, e, signature);
        }
    }

    /// @dev In both directions: the record has the other one.
    function test_whoReadAnAbsentMemberAsPresentLoses() public {
        leaves(2);
        JobId absent = claims[2][SERVER].job;
        LeafEvidence memory present = evidenceOf(2, SERVER);
        present.standing = new StandingLeaf[](0);
        claims[2][SERVER].job = this.jobOf(terms(), present);
        assert(!(claims[2][SERVER].job == absent));
        claims[3][SERVER].job = absent;
        record();
        _accuse(2, SERVER);
        _accuse(3, SERVER);
        pastDeadline();
        manager.convict(terms(), LeafPlace(2, SERVER));
        assert(state().out == 1 << SERVER);
        manager.convict(terms(), LeafPlace(3, SERVER));
    }

    /// @dev An accuser can't make an absence up, nor hide one.
    function test_theRecordSaysWhoWasAbsent() public {
        leaves(2);
        record();
        RoundTerms memory t = terms();
        LeafEvidence memory e = evidenceOf(2, SERVER);
        bytes memory signature = signedOf(e);
        e.standing = new StandingLeaf[](0);
        refuses(IRoundManager.NotInRecord.selector);
        manager.accuse(t, e, signature);
        e = evidenceOf(2, SERVER);
        // Where it was made, it was another leaf.
        (e.standing[0].round, e.standing[0].inRecord) = (0, recorded(0, 0).inRecord);
        refuses(IRoundManager.NotInRecord.selector);
        manager.accuse(t, e, signature);
        e = evidenceOf(2, SERVER);
        e.standing[0].round = 2;
        refuses(IRoundManager.NotInPlan.selector);
        manager.accuse(t, e, signature);
        e = evidenceOf(3, SERVER);
        signature = signedOf(e);
        StandingLeaf[] memory made = evidenceOf(2, SERVER).standing;
        e.standing = made;
        refuses(IRoundManager.NotInRecord.selector);
        manager.accuse(t, e, signature);
        // The server's turn misses nobody.
        e.standing[0].source = 2;
        refuses(IRoundManager.NotInPlan.selector);
        manager.accuse(t, e, signature);
        e.standing[0].source = 3;
        refuses(IRoundManager.NotInPlan.selector);
        manager.accuse(t, e, signature);
    }

    /// @dev The leaf of an absent member is no leaf of the record, whatever it has signed for the place.
    function test_whoWasAbsentAnswersForNothing() public {
        LeafEvidence memory late = evidenceOf(2, 0);
        leaves(2);
        record();
        RoundTerms memory t = terms();
        bytes memory signature = signedOf(late);
        late.leaf.inRound = recorded(2, 0).inRound;
        late.leaf.inRecord = recorded(2, 0).inRecord;
        refuses(IRoundManager.NotInRecord.selector);
        manager.accuse(t, late, signature);
        late.leaf.claim = claims[1][0];
        refuses(IRoundManager.NotInRecord.selector);
        manager.accuse(t, late, signature);
        refuses(IRoundManager.NotInRecord.selector);
        vm.prank(ANYONE);
        game.challenge(t, late, StateRoot.wrap("start"), StateRoot.wrap("end"), signature);
        pastDeadline();
        manager.close(t);
        // It is paid: the terms pay for taking part, not for rounds.
        expectMoney(account(0), 0, REWARD);
    }

    function test_aLeafThatReadsAnAbsentMemberIsChallenged() public {
        leaves(2);
        record();
        (RoundTerms memory t, LeafEvidence memory e) = (terms(), evidenceOf(2, SERVER));
        bytes memory signature = signedOf(e);
        vm.prank(ANYONE);
        game.challenge(t, e, StateRoot.wrap(0), StateRoot.wrap("right end"), signature);
        assert(state().open == 1);
    }

    /// @dev The reader has read a leaf in time, by a roll. The record says that its owner was absent.
    function test_whoReadAMemberThatTheRecordMissesIsAcquitted() public {
        LeafClaim memory given = claims[2][0];
        away[2][0] = true;
        record();
        RoundTerms memory t = terms();
        _accuse(2, SERVER);
        LeafEvidence memory e = read(2, given, 2);
        uint32[] memory stood = threeRounds(1, 2, 1);
        LeafExcuse memory excuse = excuseOf(e, [uint32(2), 2, 1], stood, one(rollOf(2, 2)));
        refuses(IRoundManager.WrongRoll.selector);
        manager.answer(t, e, excuse);
        excuse.rolls = one(rollOf(1, 3));
        refuses(IRoundManager.WrongRoll.selector);
        manager.answer(t, e, excuse);
        excuse.rolls = one(rollOf(2, 3));
        excuse.rolls[0].signature = sign(keyOf(SERVER), this.digestOf(t, instance(), excuse.rolls[0]));
        refuses(IRoundManager.NotSignedBy.selector);
        manager.answer(t, e, excuse);
        excuse.rolls = one(rollOf(2, 3));
        excuse.stood = new uint32[](0);
        refuses(IRoundManager.OtherAccusation.selector);
        manager.answer(t, e, excuse);
        excuse.stood = threeRounds(2, 2, 1);
        refuses(IRoundManager.OtherAccusation.selector);
        manager.answer(t, e, excuse);
        excuse.stood = stood;
        manager.answer(t, e, excuse);
        _expectAcquitted(2);
        manager.miscall(t, LeafPlace(2, 0), recorded(2, 0), true, rollOf(2, 3));
        _expectRecorderConvicted();
    }

    /// @dev The reader has followed a roll. The record has the leaf of the absent one after all.
    function test_whoReadAnAbsenceThatTheRecordDeniesIsAcquitted() public {
        leaves(2);
        LeafClaim memory given = claims[1][0];
        away[2][0] = false;
        record();
        RoundTerms memory t = terms();
        _accuse(2, SERVER);
        LeafEvidence memory e = read(2, given, 1);
        LeafExcuse memory excuse = excuseOf(e, [uint32(1), 2, 1], new uint32[](0), one(rollOf(2, 3)));
        refuses(IRoundManager.WrongRoll.selector);
        manager.answer(t, e, excuse);
        excuse.rolls = one(rollOf(2, 2));
        manager.answer(t, e, excuse);
        _expectAcquitted(2);
        manager.miscall(t, LeafPlace(2, 0), recorded(2, 0), false, rollOf(2, 2));
        _expectRecorderConvicted();
    }

    /// @dev The record misses a round in which the member was there: the reader has read a later leaf.
    function test_whoReadALaterLeafThanTheRecordHasIsAcquitted() public {
        leaves(2);
        leaves(3);
        LeafClaim memory given = claims[1][0];
        away[1][0] = true;
        record();
        _accuse(3, SERVER);
        LeafEvidence memory e = read(3, given, 1);
        uint32[] memory stood = threeRounds(0, 3, 2);
        LeafExcuse memory excuse = excuseOf(e, [uint32(1), 3, 2], stood, one(rollOf(1, 2)));
        RoundTerms memory t = terms();
        refuses(IRoundManager.WrongRoll.selector);
        manager.answer(t, e, excuse);
        excuse.rolls = one(rollOf(1, 3));
        manager.answer(t, e, excuse);
        _expectAcquitted(3);
    }

    /// @dev The record has a leaf of a round in which the member was absent: the reader has read an earlier
    /// one.
    function test_whoReadAnEarlierLeafThanTheRecordHasIsAcquitted() public {
        leaves(1);
        leaves(2);
        leaves(3);
        LeafClaim memory given = claims[0][0];
        away[1][0] = false;
        record();
        _accuse(3, SERVER);
        LeafEvidence memory e = read(3, given, 0);
        LeafExcuse memory excuse = excuseOf(e, [uint32(0), 3, 2], threeRounds(1, 3, 2), one(rollOf(1, 3)));
        RoundTerms memory t = terms();
        refuses(IRoundManager.WrongRoll.selector);
        manager.answer(t, e, excuse);
        excuse.rolls = one(rollOf(1, 2));
        manager.answer(t, e, excuse);
        _expectAcquitted(3);
    }

    /// @dev Without a contradiction of the recorder, a stale leaf is no excuse, and neither is a late one.
    function test_whoReadAnotherLeafThanStandsLoses() public {
        LeafClaim memory late = claims[2][0];
        leaves(2);
        leaves(3);
        LeafEvidence memory stale = read(3, claims[0][0], 0);
        claims[3][SERVER].job = this.jobOf(terms(), stale);
        stale = read(3, claims[0][0], 0);
        record();
        _accuse(3, SERVER);
        RoundTerms memory t = terms();
        uint32[] memory stood = threeRounds(1, 3, 2);
        LeafExcuse memory excuse = excuseOf(stale, [uint32(0), 3, 2], stood, one(rollOf(1, 3)));
        refuses(IRoundManager.WrongRoll.selector);
        manager.answer(t, stale, excuse);
        LeafEvidence memory e = read(3, late, 2);
        excuse = excuseOf(e, [uint32(2), 3, 2], stood, one(rollOf(2, 2)));
        refuses(IRoundManager.WrongRoll.selector);
        manager.answer(t, e, excuse);
        pastDeadline();
        manager.convict(t, LeafPlace(3, SERVER));
        assert(state().out == 1 << SERVER);
    }

    function test_twoRollsOfOneTurnAreShown() public {
        joinAll();
        RoundTerms memory t = terms();
        SignedRoll[2] memory rolls = [rollOf(2, 2), rollOf(2, 2)];
        refuses(IRoundManager.NoContradiction.selector);
        manager.callTwice(t, rolls);
        // Bits beyond the members say nothing.
        rolls[1].present = 6;
        refuses(IRoundManager.NoContradiction.selector);
        manager.callTwice(t, rolls);
        rolls[1] = rollOf(1, 3);
        refuses(IRoundManager.WrongRoll.selector);
        manager.callTwice(t, rolls);
        rolls[1] = SignedRoll(2, 0, 3, rolls[0].signature);
        refuses(IRoundManager.NotSignedBy.selector);
        manager.callTwice(t, rolls);
        rolls[1] = rollOf(2, 3);
        manager.callTwice(t, rolls);
        _expectRecorderConvicted();
    }

    /// @dev From when all have joined until the performance is closed.
    function test_rollsAreShownWhileTheRecorderHasAStake() public {
        RoundTerms memory t = terms();
        SignedRoll[2] memory rolls = [rollOf(2, 2), rollOf(2, 3)];
        refuses(IRoundManager.WrongRoundState.selector);
        manager.callTwice(t, rolls);
        record();
        uint256 before = vm.snapshotState();
        manager.callTwice(t, rolls);
        _expectRecorderConvicted();
        vm.revertToState(before);
        pastDeadline();
        manager.close(t);
        refuses(IRoundManager.WrongRoundState.selector);
        manager.callTwice(t, rolls);
        RecordedLeaf memory leaf = recorded(2, 0);
        refuses(IRoundManager.WrongRoundState.selector);
        manager.miscall(t, LeafPlace(2, 0), leaf, false, rolls[0]);
    }

    function test_aRollThatTheRecorderHasNotSignedShowsNothing() public {
        leaves(2);
        record();
        RoundTerms memory t = terms();
        SignedRoll memory roll = rollOf(2, 3);
        roll.signature = sign(keyOf(SERVER), this.digestOf(t, instance(), roll));
        RecordedLeaf memory leaf = recorded(2, 0);
        refuses(IRoundManager.NotSignedBy.selector);
        manager.miscall(t, LeafPlace(2, 0), leaf, true, roll);
        RecordedLeaf memory before = recorded(1, 0);
        vm.prank(ANYONE);
        manager.demand(t, LeafPlace(2, 0));
        roll.present = 2;
        refuses(IRoundManager.NotSignedBy.selector);
        manager.showAbsence(t, LeafPlace(2, 0), leaf, before, false, roll, new StoreSignature[](0));
    }

    /// @dev The owner of an accused leaf has no record, and has to know which leaves stood by it.
    function test_anAccusationTellsWhatStood() public {
        leaves(2);
        claims[2][SERVER].job = JobId.wrap("another job");
        record();
        LeafEvidence memory e = evidenceOf(2, SERVER);
        bytes memory signature = signedOf(e);
        RoundTerms memory t = terms();
        vm.expectEmit();
        emit IRoundManager.LeafStood(instance(), 2, SERVER, threeRounds(1, 2, 1));
        manager.accuse(t, e, signature);
    }

    /// @dev One roll for two sources in a row; and no leaf that stands for nobody.
    function test_oneRollExcusesTwoSources() public {
        (LeafClaim memory first, LeafClaim memory second) = (claims[2][0], claims[2][1]);
        (away[2][0], away[2][1]) = (true, true);
        record();
        RoundTerms memory t = terms();
        _accuse(2, SERVER);
        LeafEvidence memory e = read(2, first, 2);
        e.sources[1].claim = second;
        LeafExcuse memory excuse = excuseOf(e, [uint32(2), 2, 1], threeRounds(1, 1, 1), one(rollOf(2, 3)));
        e.standing = new StandingLeaf[](1);
        e.standing[0].source = 7;
        refuses(IRoundManager.NotInPlan.selector);
        manager.answer(t, e, excuse);
        e.standing = new StandingLeaf[](0);
        manager.answer(t, e, excuse);
        _expectAcquitted(2);
    }

    /// @dev A recorder that lists what it has called loses by none of its rolls.
    function test_anHonestRecorderIsNotConvicted() public {
        leaves(2);
        leaves(3);
        record();
        RoundTerms memory t = terms();
        for (uint32 round = 1; round <= 3; round++) {
            bool absent = round != 1;
            SignedRoll memory roll = rollOf(round, absent ? 2 : 3);
            LeafPlace memory place = LeafPlace(round, 0);
            RecordedLeaf memory leaf = recorded(round, 0);
            refuses(IRoundManager.NoContradiction.selector);
            manager.miscall(t, place, leaf, absent, roll);
            refuses(IRoundManager.NotInRecord.selector);
            manager.miscall(t, place, leaf, !absent, roll);
            RecordedLeaf memory servers = recorded(round, SERVER);
            refuses(IRoundManager.WrongRoll.selector);
            manager.miscall(t, LeafPlace(round, SERVER), servers, false, roll);
            if (!absent) continue;
            RecordedLeaf memory before = recorded(round - 1, 0);
            refuses(IRoundManager.NoContradiction.selector);
            manager.misplace(t, place, leaf, before, round == 3);
            refuses(IRoundManager.NotInRecord.selector);
            manager.misplace(t, place, leaf, before, round != 3);
            _refusesMissMany(round, leaf);
        }
        assert(state().out == 0);
    }

    function _refusesMissMany(uint32 round, RecordedLeaf memory leaf) private {
        RoundTerms memory t = terms();
        (uint32[] memory members, RecordedLeaf[] memory all) = (new uint32[](1), new RecordedLeaf[](1));
        all[0] = leaf;
        refuses(IRoundManager.MayMiss.selector);
        manager.missMany(t, round, 0, members, all);
        (members, all) = (new uint32[](2), new RecordedLeaf[](2));
        (all[0], all[1]) = (leaf, leaf);
        refuses(IRoundManager.NoSuchSeat.selector);
        manager.missMany(t, round, 0, members, all);
        members[1] = 1;
        all[1] = recorded(round, 1);
        refuses(IRoundManager.NotInRecord.selector);
        manager.missMany(t, round, 0, members, all);
        members[1] = 2;
        refuses(IRoundManager.NoSuchSeat.selector);
        manager.missMany(t, round, 0, members, all);
    }

    function test_aRecordBelowTheQuorumIsShown() public {
        (away[2][0], away[2][1]) = (true, true);
        record();
        (uint32[] memory members, RecordedLeaf[] memory all) = (new uint32[](2), new RecordedLeaf[](2));
        for (uint32 i = 0; i < 2; i++) (members[i], all[i]) = (i, recorded(2, i));
        manager.missMany(terms(), 2, 0, members, all);
        _expectRecorderConvicted();
    }

    /// @dev The server's turn misses nobody.
    function test_anAbsenceWhereNobodyMayBeMissedIsShown() public {
        away[2][SERVER] = true;
        record();
        (uint32[] memory members, RecordedLeaf[] memory all) = (new uint32[](1), new RecordedLeaf[](1));
        all[0] = recorded(2, SERVER);
        manager.missMany(terms(), 2, 1, members, all);
        _expectRecorderConvicted();
    }

    function test_theRecorderShowsWhyAPlaceHasNoLeaf() public {
        leaves(2);
        leaves(3);
        record();
        RoundTerms memory t = terms();
        for (uint32 round = 2; round <= 3; round++) {
            LeafPlace memory place = LeafPlace(round, 0);
            vm.prank(ANYONE);
            manager.demand(t, place);
            (RecordedLeaf memory leaf, RecordedLeaf memory before) = (recorded(round, 0), recorded(round - 1, 0));
            SignedRoll memory roll = rollOf(round, 3);
            refuses(IRoundManager.WrongRoll.selector);
            manager.showAbsence(t, place, leaf, before, round == 3, roll, new StoreSignature[](0));
            manager.showAbsence(t, place, leaf, before, round == 3, rollOf(round, 2), new StoreSignature[](0));
        }
        expectMoney(account(RECORDER), 0, 2 * PRICE);
        assert(state().open == 0 && state().out == 0);
    }
}

/// @dev A record in which another leaf stands for an absent member than the last one that it has made.
contract RoundMisplacedTest is RollWorld {
    function setUp() public {
        build();
        leaves(2);
        LeafEvidence memory right = read(2, claims[1][0], 1);
        claims[2][SERVER].job = this.jobOf(terms(), right);
    }

    /// @dev In round 2 the leaf of round 0 stands, and not that of round 1.
    function recorded(uint32 round, uint32 seat) internal view override returns (RecordedLeaf memory leaf) {
        leaf = super.recorded(round, seat);
        if (round == 2 && seat == 0) leaf.claim = claims[0][0];
    }

    function wordOf(uint32 round, uint32 seat) internal view override returns (bytes32) {
        if (round != 2 || seat != 0) return super.wordOf(round, seat);
        return sha256(abi.encodePacked(hex"21", RecordHash.runOf(claims[0][0])));
    }

    /// @dev The server has read what stood by the rolls. It shows the leaf of round 1, and nobody else loses.
    function test_theRecorderLosesAndTheReaderDoesNot() public {
        record();
        RoundTerms memory t = terms();
        LeafEvidence memory e = evidenceOf(2, SERVER);
        RecordedLeaf memory first = recorded(0, 0);
        e.standing[0] = StandingLeaf(0, 0, first.inRound, first.inRecord);
        manager.accuse(t, e, signedOf(e));
        e = read(2, claims[1][0], 1);
        manager.answer(t, e, excuseOf(e, [uint32(1), 2, 1], threeRounds(0, 2, 1), one(rollOf(1, 3))));
        assert(state().open == 0 && state().out == 0);
        manager.misplace(t, LeafPlace(2, 0), recorded(2, 0), recorded(1, 0), false);
        assert(state().out == 1 << RECORDER);
    }

    /// @dev Nor can it show the place to whoever demands it.
    function test_theRecorderCannotShowIt() public {
        record();
        RoundTerms memory t = terms();
        vm.prank(ANYONE);
        manager.demand(t, LeafPlace(2, 0));
        (RecordedLeaf memory leaf, RecordedLeaf memory before) = (recorded(2, 0), recorded(1, 0));
        SignedRoll memory roll = rollOf(2, 2);
        refuses(IRoundManager.WrongRoll.selector);
        manager.showAbsence(t, LeafPlace(2, 0), leaf, before, false, roll, new StoreSignature[](0));
        refuses(ITaskManager.TooEarly.selector);
        manager.lapse(t, LeafPlace(2, 0));
    }
}

/// @dev A record that says of a member that it was absent in round 0, before which nobody has made a leaf.
contract RoundZeroTest is RollWorld {
    function setUp() public {
        build();
    }

    function wordOf(uint32 round, uint32 seat) internal view override returns (bytes32) {
        if (round != 0 || seat != 0) return super.wordOf(round, seat);
        return sha256(abi.encodePacked(hex"21", RecordHash.runOf(claims[0][0])));
    }

    function test_nothingStandsInRoundZero() public {
        record();
        RoundTerms memory t = terms();
        RecordedLeaf memory leaf = recorded(0, 0);
        refuses(IRoundManager.NoSuchSeat.selector);
        manager.misplace(t, LeafPlace(0, 0), leaf, leaf, false);
    }
}
