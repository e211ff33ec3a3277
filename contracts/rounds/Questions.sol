// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Fault, IRoundManager, Instance, RoundState} from "../interfaces/IRoundManager.sol";
import {JobId, RunRoot, StateRoot} from "../libraries/Ids.sol";
import {InstanceStore} from "./InstanceStore.sol";
import {LeafJob} from "./LeafJob.sol";
import {PlanHash} from "./PlanHash.sol";
import {RecordHash} from "./RecordHash.sol";
import {InstanceId, LeafEvidence, LeafPlace, RoundTerms} from "./RoundTypes.sol";

/// @title What has to be answered: an accusation by a leaf's owner, a demand by the recorder
abstract contract Questions is InstanceStore {
    /// @inheritdoc IRoundManager
    function accuse(RoundTerms calldata terms, LeafEvidence calldata e, bytes calldata signature) external {
        (InstanceId instance, Instance storage i) = _in(terms, RoundState.Challengeable);
        (uint256 participant, address owner) = PlanHash.ownerOf(terms, e.place.seat);
        require(i.out & (1 << participant) == 0, NothingToWin(owner));
        RunRoot run = RecordHash.check(terms, i.record, e.place, e.leaf);
        _requireSigned(RecordHash.leafDigest(instance, e.place, run), owner, signature);
        JobId right = LeafJob.factsOf(terms, e, LeafJob.recorded(terms, i.record, e)).id;
        JobId job = e.leaf.claim.job;
        require(!(job == right), RightJob(right));
        i.accused = _ask(i, _accusations[instance][_keyOf(e.place)], terms, e.place, i.accused);
        emit Accused(instance, e.place.round, e.place.seat, job, right);
    }

    /// @inheritdoc IRoundManager
    function answer(RoundTerms calldata terms, LeafEvidence calldata e, bytes[] calldata signatures) external {
        InstanceId instance = instanceOf(terms);
        Instance storage i = _instances[instance];
        _answer(i, _accusations[instance][_keyOf(e.place)], terms, e.place);
        RecordHash.check(terms, i.record, e.place, e.leaf);
        JobId right = LeafJob.factsOf(terms, e, _signed(terms, instance, e, signatures)).id;
        require(e.leaf.claim.job == right, OtherJob(right));
        emit LeafAnswered(instance, e.place.round, e.place.seat);
    }

    /// @inheritdoc IRoundManager
    function convict(RoundTerms calldata terms, LeafPlace calldata place) external {
        InstanceId instance = instanceOf(terms);
        Instance storage i = _instances[instance];
        (uint256 participant, address owner) = PlanHash.ownerOf(terms, place.seat);
        address by = _expire(i, _accusations[instance][_keyOf(place)], place, participant);
        _convict(instance, i, participant, owner, by, Fault.Inputs);
    }

    /// @inheritdoc IRoundManager
    function demand(RoundTerms calldata terms, LeafPlace calldata place) external {
        (InstanceId instance, Instance storage i) = _in(terms, RoundState.Challengeable);
        bool exists = place.round <= terms.rounds && place.seat < PlanHash.seatsOf(terms);
        require(exists, NoSuchSeat(place.seat));
        require(i.out & (1 << _recorderOf(terms)) == 0, NothingToWin(terms.recorder));
        i.demanded = _ask(i, _demands[instance][_keyOf(place)], terms, place, i.demanded);
        emit LeafDemanded(instance, place.round, place.seat);
        vault.collect(msg.sender, terms.price);
    }

    /// @inheritdoc IRoundManager
    function show(RoundTerms calldata terms, LeafEvidence calldata e, bytes calldata signature) external {
        InstanceId instance = instanceOf(terms);
        Instance storage i = _instances[instance];
        _answer(i, _demands[instance][_keyOf(e.place)], terms, e.place);
        LeafJob.expectPlan(terms, e);
        LeafJob.expectForm(e);
        RunRoot run = RecordHash.check(terms, i.record, e.place, e.leaf);
        (, address owner) = PlanHash.ownerOf(terms, e.place.seat);
        _requireSigned(RecordHash.leafDigest(instance, e.place, run), owner, signature);
        emit LeafAnswered(instance, e.place.round, e.place.seat);
        vault.credit(terms.recorder, terms.price);
    }

    /// @inheritdoc IRoundManager
    function lapse(RoundTerms calldata terms, LeafPlace calldata place) external {
        InstanceId instance = instanceOf(terms);
        Instance storage i = _instances[instance];
        address by = _expire(i, _demands[instance][_keyOf(place)], place, _recorderOf(terms));
        vault.credit(by, terms.price);
        _convict(instance, i, _recorderOf(terms), terms.recorder, by, Fault.Unsigned);
    }

    /// @return ends the final states of leaves that their owners have signed for the places that a leaf reads
    function _signed(
        RoundTerms calldata terms,
        InstanceId instance,
        LeafEvidence calldata e,
        bytes[] calldata signatures
    ) private view returns (StateRoot[] memory ends) {
        ends = new StateRoot[](e.sources.length);
        for (uint256 s = 0; s < ends.length; s++) {
            LeafPlace memory from = PlanHash.sourceOf(terms, e.place, e.template.sources[s]);
            RunRoot run = RecordHash.runOf(e.sources[s].claim);
            (, address owner) = PlanHash.ownerOf(terms, from.seat);
            _requireSigned(RecordHash.leafDigest(instance, from, run), owner, signatures[s]);
            ends[s] = e.sources[s].claim.end;
        }
    }
}
