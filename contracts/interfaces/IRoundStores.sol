// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RunRoot} from "../libraries/Ids.sol";
import {
    CopyPlace,
    CopyProof,
    LeafPlace,
    NoCopyProof,
    RecordedLeaf,
    RoundTerms,
    StoreSignature
} from "../rounds/RoundTypes.sol";

/// @title What stores have signed, and what they have to show (spec 7.15)
/// @notice These are functions of `IRoundManager`. A store signs one sentence for a place: a receipt of one
/// run, or a note of absence. A leaf has receipts of `copies` stores. An absent member has notes of so many
/// stores that they and any `copies` stores have one in common.
interface IRoundStores {
    /// @notice Shows two sentences of a store for one place: the store has lost. Anyone may.
    /// @param store its number among the stores
    /// @param runs what its receipts are of; zero for a note of absence
    function storeTwice(
        RoundTerms calldata terms,
        uint256 store,
        LeafPlace calldata place,
        RunRoot[2] calldata runs,
        bytes[2] calldata signatures
    ) external;

    /// @notice Accuses the recorder: the record says that a member was absent, which has signed a leaf for
    /// the place that enough stores hold. Anyone may. Such accusations of an instance are due one after the
    /// other.
    /// @param stands what the record has at the place
    /// @param run of the leaf that the member has signed
    /// @param signature of the member
    /// @param receipts of the run, by different stores in increasing order
    function accuseCensor(
        RoundTerms calldata terms,
        LeafPlace calldata place,
        RecordedLeaf calldata stands,
        RunRoot run,
        bytes calldata signature,
        StoreSignature[] calldata receipts
    ) external;

    /// @notice Answers such an accusation: enough stores have signed that they hold no leaf of the place.
    /// Anyone may. Each store that has signed the shown receipts too has lost.
    /// @param notes of different stores in increasing order
    function showNotes(RoundTerms calldata terms, LeafPlace calldata place, StoreSignature[] calldata notes) external;

    /// @notice Ends such an accusation that was not answered in time: the recorder has lost. Anyone may. If
    /// it has lost before, this needs no waiting.
    function convictCensor(RoundTerms calldata terms, LeafPlace calldata place) external;

    /// @notice Demands a chunk of a leaf's final state from a store that has signed a receipt of the leaf,
    /// for the price in the terms. The vault needs an allowance. The price goes to the store when it answers,
    /// else back. Demands of a store are due one after the other. They hold back its stake and its reward,
    /// and nobody else's: the performance closes without them.
    /// @param copy the chunk; it may be one that does not exist
    /// @param leaf what the record has at the place
    /// @param receipt of the store
    function demandCopy(
        RoundTerms calldata terms,
        CopyPlace calldata copy,
        RecordedLeaf calldata leaf,
        bytes calldata receipt
    ) external;

    /// @notice Answers such a demand with the chunk. Anyone may.
    function showCopy(RoundTerms calldata terms, CopyPlace calldata copy, CopyProof calldata proof) external;

    /// @notice Answers such a demand: the state has no such entry, or the entry no such chunk. Anyone may.
    function showNoCopy(RoundTerms calldata terms, CopyPlace calldata copy, NoCopyProof calldata proof) external;

    /// @notice Ends such a demand that was not answered in time: the store has lost. Anyone may. If it has
    /// lost before, this needs no waiting.
    function lapseCopy(RoundTerms calldata terms, CopyPlace calldata copy) external;
}
