// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Fault, IRoundManager, Instance, RoundState} from "../interfaces/IRoundManager.sol";
import {IRoundQuestions} from "../interfaces/IRoundQuestions.sol";
import {JobId, RunRoot, StateRoot} from "../libraries/Ids.sol";
import {LeafJob} from "./LeafJob.sol";
import {PlanHash} from "./PlanHash.sol";
import {RecordHash} from "./RecordHash.sol";
import {Rolls} from "./Rolls.sol";
import {
    InstanceId,
    LeafClaim,
    LeafEvidence,
    LeafExcuse,
    LeafPlace,
    LeafReads,
    RecordedLeaf,
    RoundTerms,
    SignedRoll,
    StoreSignature
} from "./RoundTypes.sol";

/// @title What has to be answered: an accusation by a leaf's owner, a demand by the recorder
abstract contract Questions is Rolls {
    /// @inheritdoc IRoundQuestions
    function accuse(RoundTerms calldata terms, LeafEvidence calldata e, bytes calldata signature) external {
        (InstanceId instance, Instance storage i) = _in(terms, RoundState.Challengeable);
        (uint256 participant, address owner) = PlanHash.ownerOf(terms, e.place.seat);
        require(!_isOut(i, participant), IRoundManager.NothingToWin(owner));
        RunRoot run = RecordHash.check(terms, i.record, e.place, e.leaf);
        _requireSigned(RecordHash.leafDigest(instance, e.place, run), owner, signature);
        LeafReads memory reads = LeafJob.recorded(terms, i.record, e);
        JobId right = LeafJob.factsOf(terms, e, reads).id;
        JobId job = e.leaf.claim.job;
        require(!(job == right), IRoundManager.RightJob(right));
        i.accused = _ask(i, _accusations[instance][_keyOf(e.place)], terms, e.place, i.accused);
        emit IRoundManager.Accused(instance, e.place.round, e.place.seat, job, right);
        uint32[] memory stood = e.standing.length == 0 ? new uint32[](0) : reads.rounds;
        _accused[instance][_keyOf(e.place)] = _accusationHash(run, stood);
        if (stood.length != 0) emit IRoundManager.LeafStood(instance, e.place.round, e.place.seat, stood);
    }

    /// @inheritdoc IRoundQuestions
    function answer(RoundTerms calldata terms, LeafEvidence calldata e, LeafExcuse calldata excuse) external {
        InstanceId instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        _answer(i, _accusations[instance][_keyOf(e.place)], terms, e.place);
        bytes32 accused = _accusationHash(RecordHash.runOf(e.leaf.claim), excuse.stood);
        require(accused == _accused[instance][_keyOf(e.place)], IRoundManager.OtherAccusation());
        JobId right = LeafJob.factsOf(terms, e, _read(terms, instance, e, excuse)).id;
        require(e.leaf.claim.job == right, IRoundManager.OtherJob(right));
        emit IRoundManager.LeafAnswered(instance, e.place.round, e.place.seat);
    }

    /// @inheritdoc IRoundQuestions
    function convict(RoundTerms calldata terms, LeafPlace calldata place) external {
        InstanceId instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        (uint256 participant, address owner) = PlanHash.ownerOf(terms, place.seat);
        address by = _expire(i, _accusations[instance][_keyOf(place)], place, participant);
        _convict(instance, i, participant, owner, by, Fault.Inputs);
    }

    /// @inheritdoc IRoundQuestions
    function demand(RoundTerms calldata terms, LeafPlace calldata place) external {
        (InstanceId instance, Instance storage i) = _in(terms, RoundState.Challengeable);
        bool exists = place.round <= terms.rounds && place.seat < PlanHash.seatsOf(terms);
        require(exists, IRoundManager.NoSuchSeat(place.seat));
        require(!_isOut(i, _recorderOf(terms)), IRoundManager.NothingToWin(terms.recorder));
        i.demanded = _ask(i, _demands[instance][_keyOf(place)], terms, place, i.demanded);
        emit IRoundManager.LeafDemanded(instance, place.round, place.seat);
        _vault().collect(msg.sender, terms.price);
    }

    /// @inheritdoc IRoundQuestions
    function show(
        RoundTerms calldata terms,
        LeafEvidence calldata e,
        bytes calldata signature,
        StoreSignature[] calldata receipts
    ) external {
        InstanceId instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        _answer(i, _demands[instance][_keyOf(e.place)], terms, e.place);
        LeafJob.expectPlan(terms, e);
        LeafJob.expectForm(e);
        RunRoot run = RecordHash.check(terms, i.record, e.place, e.leaf);
        (, address owner) = PlanHash.ownerOf(terms, e.place.seat);
        _requireSigned(RecordHash.leafDigest(instance, e.place, run), owner, signature);
        _requireStores(terms, i, RecordHash.receiptDigest(instance, e.place, run), receipts, i.copies);
        emit IRoundManager.LeafAnswered(instance, e.place.round, e.place.seat);
        _vault().credit(terms.recorder, terms.price);
    }

    /// @inheritdoc IRoundQuestions
    function showAbsence(
        RoundTerms calldata terms,
        LeafPlace calldata place,
        RecordedLeaf calldata leaf,
        RecordedLeaf calldata before,
        bool missed,
        SignedRoll calldata roll,
        StoreSignature[] calldata notes
    ) external {
        InstanceId instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        _answer(i, _demands[instance][_keyOf(place)], terms, place);
        _expectAbsent(terms, instance, place, leaf, before, missed, roll);
        _requireStores(terms, i, RecordHash.noteDigest(instance, place), notes, _notesOf(i));
        emit IRoundManager.LeafAnswered(instance, place.round, place.seat);
        _vault().credit(terms.recorder, terms.price);
    }

    /// @inheritdoc IRoundQuestions
    function lapse(RoundTerms calldata terms, LeafPlace calldata place) external {
        InstanceId instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        address by = _expire(i, _demands[instance][_keyOf(place)], place, _recorderOf(terms));
        _vault().credit(by, terms.price);
        _convict(instance, i, _recorderOf(terms), terms.recorder, by, Fault.Unsigned);
    }

    /// @dev Reverts unless the record misses the member of a place, has there what it has a round before, and
    /// a roll of the recorder says so.
    function _expectAbsent(
        RoundTerms calldata terms,
        InstanceId instance,
        LeafPlace calldata place,
        RecordedLeaf calldata leaf,
        RecordedLeaf calldata before,
        bool missed,
        SignedRoll calldata roll
    ) private view {
        (RunRoot run, RunRoot earlier) = _standing(terms, _instances[instance].record, place, leaf, before, missed);
        bool holds = !(run != earlier) && !_calls(terms, instance, place, roll);
        require(holds, IRoundManager.WrongRoll(place.round, roll.turn));
    }

    /// @dev Reverts unless so many stores have signed this. A plan without stores needs none.
    function _requireStores(
        RoundTerms calldata terms,
        Instance storage i,
        bytes32 digest,
        StoreSignature[] calldata signatures,
        uint256 least
    ) private view {
        if (least != 0) _signersOf(terms, i, digest, signatures, least);
    }

    /// @return reads what a leaf has read: leaves that their owners have signed, each for the place that the
    /// leaf reads, or if a roll of the recorder says so, for an earlier round
    /// @dev The record has the leaf of another round only if it says something else of the later of both
    /// rounds than the roll does. So a roll for that round is enough, however long a member was absent.
    function _read(
        RoundTerms calldata terms,
        InstanceId instance,
        LeafEvidence calldata e,
        LeafExcuse calldata excuse
    ) private view returns (LeafReads memory reads) {
        reads = LeafJob.emptyReads(e);
        (uint256 next, uint256 called) = (0, 0);
        for (uint256 s = 0; s < e.sources.length; s++) {
            LeafPlace memory from = PlanHash.sourceOf(terms, e.place, e.template.sources[s]);
            uint32 listed = excuse.stood.length == 0 ? from.round : excuse.stood[s];
            if (LeafJob.stands(e, next, s)) {
                uint32 made = e.standing[next++].round;
                LeafJob.expectMissing(terms, e.template.sources[s].turn, from.round, made);
                (from.round, reads.absent[s]) = (made, true);
            }
            if (from.round != listed) called = _callsFor(terms, instance, from, listed, excuse.rolls, called);
            reads.ends[s] = _signedEnd(terms, instance, from, e.sources[s].claim, excuse.signatures[s]);
        }
        require(next == e.standing.length, IRoundManager.NotInPlan());
    }

    /// @dev Reverts unless the next roll, or the last one, says why a leaf of another round was read than the
    /// record has.
    /// @param from where it was read
    /// @param listed the round of what the record has
    /// @return called how many rolls were used
    function _callsFor(
        RoundTerms calldata terms,
        InstanceId instance,
        LeafPlace memory from,
        uint32 listed,
        SignedRoll[] calldata rolls,
        uint256 used
    ) private view returns (uint256 called) {
        (uint32 turn, uint32 member) = PlanHash.turnOf(terms, from.seat);
        bool isLater = from.round > listed;
        uint32 round = isLater ? from.round : listed;
        called = used;
        if (used == 0 || !_isOf(rolls[used - 1], round, turn)) {
            SignedRoll calldata roll = rolls[called++];
            require(_isOf(roll, round, turn), IRoundManager.WrongRoll(round, turn));
            _requireRoll(terms, instance, roll);
        }
        bool present = (rolls[called - 1].present >> member) & 1 == 1;
        require(present == isLater, IRoundManager.WrongRoll(round, turn));
    }

    function _isOf(SignedRoll calldata roll, uint32 round, uint32 turn) private pure returns (bool) {
        return roll.round == round && roll.turn == turn;
    }

    /// @return the final state of a leaf that its owner has signed for a place
    function _signedEnd(
        RoundTerms calldata terms,
        InstanceId instance,
        LeafPlace memory from,
        LeafClaim calldata claim,
        bytes calldata signature
    ) private view returns (StateRoot) {
        (, address owner) = PlanHash.ownerOf(terms, from.seat);
        _requireSigned(RecordHash.leafDigest(instance, from, RecordHash.runOf(claim)), owner, signature);
        return claim.end;
    }
}
