// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Fault, IRoundManager, Instance, RoundState} from "../interfaces/IRoundManager.sol";
import {IRoundQuestions} from "../interfaces/IRoundQuestions.sol";
import {RunRoot} from "../libraries/Ids.sol";
import {InstanceStore} from "./InstanceStore.sol";
import {PlanHash} from "./PlanHash.sol";
import {RecordHash} from "./RecordHash.sol";
import {InstanceId, LeafPlace, RecordedLeaf, RoundTerms, SignedRoll} from "./RoundTypes.sol";

/// @title What the rolls of a recorder show, and a record that misses members
/// @dev What a record says of a member is opened by what it is a hash of: a leaf, or the leaf that stands. No
/// word can be opened in both ways. A recorder that signs one roll for a turn, lists what the roll says and
/// closes no turn below the quorum is never convicted here.
abstract contract Rolls is IRoundQuestions, InstanceStore {
    /// @inheritdoc IRoundQuestions
    function callTwice(RoundTerms calldata terms, SignedRoll[2] calldata rolls) external {
        (InstanceId instance, Instance storage i) = _begun(terms);
        bool same = rolls[0].round == rolls[1].round && rolls[0].turn == rolls[1].turn;
        require(same, IRoundManager.WrongRoll(rolls[1].round, rolls[1].turn));
        bytes32 first = _requireRoll(terms, instance, rolls[0]);
        require(first != _requireRoll(terms, instance, rolls[1]), IRoundManager.NoContradiction());
        _convictRecorder(instance, i, terms, Fault.Equivocation);
    }

    /// @inheritdoc IRoundQuestions
    function miscall(
        RoundTerms calldata terms,
        LeafPlace calldata place,
        RecordedLeaf calldata leaf,
        bool absent,
        SignedRoll calldata roll
    ) external {
        (InstanceId instance, Instance storage i) = _challengeable(terms);
        _inRecord(terms, i.record, place, leaf, absent);
        require(_calls(terms, instance, place, roll) == absent, IRoundManager.NoContradiction());
        _convictRecorder(instance, i, terms, Fault.Roll);
    }

    /// @inheritdoc IRoundQuestions
    function missMany(
        RoundTerms calldata terms,
        uint32 round,
        uint32 turn,
        uint32[] calldata members,
        RecordedLeaf[] calldata leaves
    ) external {
        (InstanceId instance, Instance storage i) = _challengeable(terms);
        uint32 count = terms.turns[turn].members;
        uint256 most = PlanHash.mayMiss(terms, round, turn) ? count - terms.turns[turn].quorum : 0;
        require(members.length > most, IRoundManager.MayMiss(most));
        LeafPlace memory first = LeafPlace(round, PlanHash.firstSeatOf(terms, turn));
        for (uint256 m = 0; m < members.length; m++) {
            bool ordered = members[m] < count && (m == 0 || members[m] > members[m - 1]);
            require(ordered, IRoundManager.NoSuchSeat(members[m]));
            _absentIn(terms, i.record, first, members[m], leaves[m]);
        }
        _convictRecorder(instance, i, terms, Fault.Roll);
    }

    /// @inheritdoc IRoundQuestions
    function misplace(
        RoundTerms calldata terms,
        LeafPlace calldata place,
        RecordedLeaf calldata leaf,
        RecordedLeaf calldata before,
        bool missed
    ) external {
        (InstanceId instance, Instance storage i) = _challengeable(terms);
        (RunRoot run, RunRoot earlier) = _standing(terms, i.record, place, leaf, before, missed);
        require(run != earlier, IRoundManager.NoContradiction());
        _convictRecorder(instance, i, terms, Fault.Roll);
    }

    /// @return run what the record has for an absent member
    /// @return earlier what it has at this seat a round before
    function _standing(
        RoundTerms calldata terms,
        bytes32 record,
        LeafPlace calldata place,
        RecordedLeaf calldata leaf,
        RecordedLeaf calldata before,
        bool missed
    ) internal view returns (RunRoot run, RunRoot earlier) {
        run = _inRecord(terms, record, place, leaf, true);
        require(place.round != 0, IRoundManager.NoSuchSeat(place.seat));
        earlier = _inRecord(terms, record, LeafPlace(place.round - 1, place.seat), before, missed);
    }

    /// @return whether a roll of the recorder says that the member of a place was there
    function _calls(
        RoundTerms calldata terms,
        InstanceId instance,
        LeafPlace calldata place,
        SignedRoll calldata roll
    ) internal view returns (bool) {
        (uint32 turn, uint32 member) = PlanHash.turnOf(terms, place.seat);
        require(roll.round == place.round && roll.turn == turn, IRoundManager.WrongRoll(place.round, turn));
        _requireRoll(terms, instance, roll);
        return (roll.present >> member) & 1 == 1;
    }

    /// @return digest what the recorder has signed
    function _requireRoll(
        RoundTerms calldata terms,
        InstanceId instance,
        SignedRoll calldata roll
    ) internal view returns (bytes32 digest) {
        digest = RecordHash.rollDigest(terms, instance, roll);
        _requireSigned(digest, terms.recorder, roll.signature);
    }

    /// @dev Reverts unless a record says of a member that it was absent.
    /// @param first the place of the turn's member 0
    function _absentIn(
        RoundTerms calldata terms,
        bytes32 record,
        LeafPlace memory first,
        uint32 member,
        RecordedLeaf calldata leaf
    ) private view {
        _inRecord(terms, record, LeafPlace(first.round, first.seat + member), leaf, true);
    }

    function _inRecord(
        RoundTerms calldata terms,
        bytes32 record,
        LeafPlace memory place,
        RecordedLeaf calldata leaf,
        bool absent
    ) private view returns (RunRoot) {
        return
            absent
                ? RecordHash.checkAbsent(terms, record, place, leaf)
                : RecordHash.check(terms, record, place, leaf);
    }

    /// @dev What is shown counts until the performance is closed.
    function _challengeable(RoundTerms calldata terms) private view returns (InstanceId instance, Instance storage i) {
        instance = _instanceOf(terms);
        i = _instances[instance];
        require(i.state == RoundState.Challengeable, IRoundManager.WrongRoundState(i.state));
    }

    function _convictRecorder(
        InstanceId instance,
        Instance storage i,
        RoundTerms calldata terms,
        Fault fault
    ) private {
        _convict(instance, i, _recorderOf(terms), terms.recorder, msg.sender, fault);
    }
}
