// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Fault, IRoundManager, Instance, RoundState, Waiting} from "../interfaces/IRoundManager.sol";
import {IRoundStores} from "../interfaces/IRoundStores.sol";
import {Commitments} from "../libraries/Commitments.sol";
import {RunRoot, StateRoot} from "../libraries/Ids.sol";
import {TaggedHash} from "../libraries/TaggedHash.sol";
import * as Tags from "../libraries/Tags.sol";
import {TensorType} from "../libraries/TensorType.sol";
import {InstanceStore} from "./InstanceStore.sol";
import {RecordHash} from "./RecordHash.sol";
import {
    CopyPlace,
    CopyProof,
    CopyQueue,
    InstanceId,
    NoCopyProof,
    RecordedLeaf,
    RoundTerms
} from "./RoundTypes.sol";

/// @title Demands for copies: a store shows a chunk of what it has signed to hold
/// @dev There are more chunks than could be counted, and a store may ask itself. So a demand holds back
/// nothing but that store's own stake and reward, and no answer gives anybody more time.
abstract contract Copies is IRoundManager, InstanceStore {
    /// @inheritdoc IRoundStores
    function demandCopy(
        RoundTerms calldata terms,
        CopyPlace calldata copy,
        RecordedLeaf calldata leaf,
        bytes calldata receipt
    ) external {
        (InstanceId instance, Instance storage i) = _in(terms, RoundState.Challengeable);
        (uint256 participant, address owner) = _storeOf(terms, i, copy.store);
        require(!_isOut(i, participant), NothingToWin(owner));
        RunRoot run = RecordHash.check(terms, i.record, copy.place, leaf);
        _expectEnd(copy, leaf.claim.end);
        _requireSigned(RecordHash.receiptDigest(instance, copy.place, run), owner, receipt);
        CopyQueue storage queue = _queues[instance][copy.store];
        queue.due = _wait(_copies[instance][_copyKeyOf(copy)], terms, copy.place, queue.due);
        queue.open++;
        emit CopyDemanded(instance, owner, msg.sender, copy);
        _vault().collect(msg.sender, terms.price);
    }

    /// @inheritdoc IRoundStores
    function showCopy(RoundTerms calldata terms, CopyPlace calldata copy, CopyProof calldata proof) external {
        bytes32 tensor = Commitments.tensorRootOf(proof.tensorType, copy.chunk, proof.chunk, proof.chunkPath);
        _expectEnd(copy, Commitments.stateRootOf(tensor, copy.entry, proof.entries, proof.statePath));
        _shown(terms, copy);
    }

    /// @inheritdoc IRoundStores
    function showNoCopy(RoundTerms calldata terms, CopyPlace calldata copy, NoCopyProof calldata proof) external {
        if (copy.entry >= proof.entries) {
            _expectEnd(copy, StateRoot.wrap(TaggedHash.ofCount(Tags.STATE, proof.entries, proof.tree)));
        } else {
            uint256 chunks = TensorType.chunksOf(TensorType.elements(proof.tensorType));
            require(copy.chunk >= chunks, ChunkExists(chunks));
            bytes32 tensor = sha256(abi.encodePacked(Tags.TENSOR, proof.tensorType, proof.tree));
            _expectEnd(copy, Commitments.stateRootOf(tensor, copy.entry, proof.entries, proof.statePath));
        }
        _shown(terms, copy);
    }

    /// @inheritdoc IRoundStores
    function lapseCopy(RoundTerms calldata terms, CopyPlace calldata copy) external {
        InstanceId instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        (uint256 participant, address owner) = _storeOf(terms, i, copy.store);
        address by = _takeLate(i, _copies[instance][_copyKeyOf(copy)], copy.place, participant);
        _queues[instance][copy.store].open--;
        _vault().credit(by, terms.price);
        // When it closed, the performance has kept the reward back.
        bool forfeits = i.state == RoundState.Closed && terms.reward != 0 && !_isOut(i, participant);
        if (forfeits) _vault().credit(terms.client, terms.reward);
        _convict(instance, i, participant, owner, by, Fault.Withheld);
    }

    /// @inheritdoc IRoundManager
    function copyOf(InstanceId instance, CopyPlace calldata copy) external view returns (Waiting memory) {
        return _copies[instance][_copyKeyOf(copy)];
    }

    /// @inheritdoc IRoundManager
    function queueOf(InstanceId instance, uint256 store) external view returns (CopyQueue memory) {
        return _queues[instance][store];
    }

    /// @dev After the performance was closed, the last answer gives the store what it has waited for.
    function _shown(RoundTerms calldata terms, CopyPlace calldata copy) private {
        InstanceId instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        (uint256 participant, address owner) = _storeOf(terms, i, copy.store);
        _takeInTime(_copies[instance][_copyKeyOf(copy)], copy.place);
        uint32 open = --_queues[instance][copy.store].open;
        emit CopyShown(instance, copy);
        _vault().credit(owner, terms.price);
        if (open == 0 && i.state == RoundState.Closed && !_isOut(i, participant)) _pay(terms, i, owner);
    }

    function _expectEnd(CopyPlace calldata copy, StateRoot end) private pure {
        require(StateRoot.unwrap(end) == StateRoot.unwrap(copy.end), WrongCopy(end));
    }

    function _copyKeyOf(CopyPlace calldata copy) private pure returns (bytes32) {
        return keccak256(abi.encode(copy));
    }
}
