// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    LeafEvidence,
    LeafExcuse,
    LeafPlace,
    RecordedLeaf,
    RoundTerms,
    SignedRoll,
    StoreSignature
} from "../rounds/RoundTypes.sol";

/// @title What is asked about a record, and what its rolls show (spec 7.15)
/// @notice These are functions of `IRoundManager`. Their code is a contract of its own, since together they
/// would be larger than a contract may be.
interface IRoundQuestions {
    /// @notice Shows that the job of a leaf does not follow from the recorded leaves that it reads. Anyone
    /// may. Accusations of an instance are due one after the other: each has its own time for the answer.
    /// @param signature of the leaf's owner; who does not have it can `demand` it
    function accuse(RoundTerms calldata terms, LeafEvidence calldata e, bytes calldata signature) external;

    /// @notice Answers an accusation: the leaf's job follows from leaves that their owners have signed for
    /// these places. Then the record has something else than was signed, or somebody has signed twice; both
    /// can be shown, for which there is the time of an answer at least. Anyone may.
    /// @param e with the leaves that were read as its sources; neither they nor the leaf need a way to the
    /// record
    /// @param excuse the signatures of their owners, and of rolls
    function answer(RoundTerms calldata terms, LeafEvidence calldata e, LeafExcuse calldata excuse) external;

    /// @notice Ends an accusation that was not answered in time: the leaf's owner has lost. Anyone may. If
    /// it has lost before, this needs no waiting.
    function convict(RoundTerms calldata terms, LeafPlace calldata place) external;

    /// @notice Demands to see the leaf of a place, its owner's signature and the receipts of the stores that
    /// hold it, or why it has none, for the price in the terms. The vault needs an allowance. The price goes
    /// to the recorder when it answers, else back. Demands of an instance are due one after the other.
    function demand(RoundTerms calldata terms, LeafPlace calldata place) external;

    /// @notice Answers a demand. Anyone may.
    /// @param e its sources are not read
    /// @param receipts by enough different stores in increasing order; without stores nobody reads them
    function show(
        RoundTerms calldata terms,
        LeafEvidence calldata e,
        bytes calldata signature,
        StoreSignature[] calldata receipts
    ) external;

    /// @notice Answers a demand for a place whose member was absent. Anyone may.
    /// @param leaf that stands there
    /// @param before what the record has at this seat a round before: the same leaf
    /// @param missed whether its member was absent then too
    /// @param roll of the recorder
    /// @param notes by enough different stores in increasing order; without stores nobody reads them
    function showAbsence(
        RoundTerms calldata terms,
        LeafPlace calldata place,
        RecordedLeaf calldata leaf,
        RecordedLeaf calldata before,
        bool missed,
        SignedRoll calldata roll,
        StoreSignature[] calldata notes
    ) external;

    /// @notice Ends a demand that was not answered in time: the recorder has lost. Anyone may. If it has
    /// lost before, this needs no waiting.
    function lapse(RoundTerms calldata terms, LeafPlace calldata place) external;

    /// @notice Shows two rolls of the recorder for one turn of a round that say different things. Anyone may.
    function callTwice(RoundTerms calldata terms, SignedRoll[2] calldata rolls) external;

    /// @notice Shows a roll of the recorder that says something else of a member than the record. Anyone may.
    /// @param place of the member in the round of the roll
    /// @param leaf what the record has there
    /// @param absent whether it stands for an absent member
    function miscall(
        RoundTerms calldata terms,
        LeafPlace calldata place,
        RecordedLeaf calldata leaf,
        bool absent,
        SignedRoll calldata roll
    ) external;

    /// @notice Shows that a record misses more members of a turn than the plan may miss. Anyone may.
    /// @param members who was absent, in increasing order
    /// @param leaves what stands for them
    function missMany(
        RoundTerms calldata terms,
        uint32 round,
        uint32 turn,
        uint32[] calldata members,
        RecordedLeaf[] calldata leaves
    ) external;

    /// @notice Shows that a record has another leaf for an absent member than a round before. Anyone may.
    /// @param leaf that stands for it
    /// @param before what the record has at this seat a round before
    /// @param missed whether the member was absent then too
    function misplace(
        RoundTerms calldata terms,
        LeafPlace calldata place,
        RecordedLeaf calldata leaf,
        RecordedLeaf calldata before,
        bool missed
    ) external;
}
