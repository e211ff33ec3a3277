// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Fault, IRoundManager, Instance, RoundState, Waiting} from "../interfaces/IRoundManager.sol";
import {IRoundStores} from "../interfaces/IRoundStores.sol";
import {RunRoot} from "../libraries/Ids.sol";
import {InstanceStore} from "./InstanceStore.sol";
import {PlanHash} from "./PlanHash.sol";
import {RecordHash} from "./RecordHash.sol";
import {InstanceId, LeafPlace, RecordedLeaf, RoundTerms, StoreSignature} from "./RoundTypes.sol";

/// @title What the sentences of stores show: of a store, and of a recorder that calls a member absent
/// @dev A recorder that has enough notes for each absent member is never convicted here, whatever a member
/// and stores have signed. A store that signs one sentence for a place is never convicted either.
abstract contract Stores is IRoundManager, InstanceStore {
    /// @inheritdoc IRoundStores
    function storeTwice(
        RoundTerms calldata terms,
        uint256 store,
        LeafPlace calldata place,
        RunRoot[2] calldata runs,
        bytes[2] calldata signatures
    ) external {
        (InstanceId instance, Instance storage i) = _begun(terms);
        require(runs[0] != runs[1], NoContradiction());
        (uint256 participant, address owner) = _storeOf(terms, i, store);
        for (uint256 s = 0; s < 2; s++)
            _requireSigned(_sentenceDigest(instance, place, runs[s]), owner, signatures[s]);
        _convict(instance, i, participant, owner, msg.sender, Fault.Equivocation);
    }

    /// @inheritdoc IRoundStores
    function accuseCensor(
        RoundTerms calldata terms,
        LeafPlace calldata place,
        RecordedLeaf calldata stands,
        RunRoot run,
        bytes calldata signature,
        StoreSignature[] calldata receipts
    ) external {
        (InstanceId instance, Instance storage i) = _in(terms, RoundState.Challengeable);
        require(!_isOut(i, _recorderOf(terms)), NothingToWin(terms.recorder));
        RecordHash.checkAbsent(terms, i.record, place, stands);
        (, address owner) = PlanHash.ownerOf(terms, place.seat);
        _requireSigned(RecordHash.leafDigest(instance, place, run), owner, signature);
        bytes32 digest = RecordHash.receiptDigest(instance, place, run);
        uint256 key = _keyOf(place);
        _holders[instance][key] = _signersOf(terms, i, digest, receipts, i.copies);
        i.censored = _ask(i, _censorships[instance][key], terms, place, i.censored);
        emit Censored(instance, place.round, place.seat, run);
    }

    /// @inheritdoc IRoundStores
    function showNotes(RoundTerms calldata terms, LeafPlace calldata place, StoreSignature[] calldata notes) external {
        InstanceId instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        Waiting storage w = _censorships[instance][_keyOf(place)];
        _answer(i, w, terms, place);
        uint256 missing = _signersOf(terms, i, RecordHash.noteDigest(instance, place), notes, _notesOf(i));
        uint256 both = missing & _holders[instance][_keyOf(place)];
        emit LeafAnswered(instance, place.round, place.seat);
        for (uint256 store = 0; both >> store != 0; store++) {
            if ((both >> store) & 1 == 0) continue;
            (uint256 participant, address owner) = _storeOf(terms, i, store);
            _convict(instance, i, participant, owner, w.by, Fault.Equivocation);
        }
    }

    /// @inheritdoc IRoundStores
    function convictCensor(RoundTerms calldata terms, LeafPlace calldata place) external {
        InstanceId instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        address by = _expire(i, _censorships[instance][_keyOf(place)], place, _recorderOf(terms));
        _convict(instance, i, _recorderOf(terms), terms.recorder, by, Fault.Censored);
    }

    /// @inheritdoc IRoundManager
    function censorshipOf(InstanceId instance, LeafPlace calldata place) external view returns (Waiting memory) {
        return _censorships[instance][_keyOf(place)];
    }

    /// @dev A receipt of no run would be a note, so an accusation does not come here.
    function _sentenceDigest(InstanceId instance, LeafPlace calldata place, RunRoot run) private pure returns (bytes32) {
        bool isNote = RunRoot.unwrap(run) == 0;
        return isNote ? RecordHash.noteDigest(instance, place) : RecordHash.receiptDigest(instance, place, run);
    }
}
