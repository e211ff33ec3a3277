// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IRoundManager} from "../interfaces/IRoundManager.sol";
import {RunRoot, StateRoot} from "../libraries/Ids.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import * as Tags from "../libraries/Tags.sol";
import {PlanHash} from "./PlanHash.sol";
import {InstanceId, LeafClaim, LeafPlace, RecordedLeaf, RoundTerms, SignedRoll} from "./RoundTypes.sol";

/// @title What a record commits to, and what participants sign (spec 6.10)
/// @dev The counterpart of src/rounds/statement.ts. The domain names no chain: the instance does.
library RecordHash {
    bytes32 private constant DOMAIN_TYPE = keccak256("EIP712Domain(string name,string version)");
    bytes32 private constant DOMAIN = keccak256(abi.encode(DOMAIN_TYPE, keccak256("Verde rounds"), keccak256("1")));
    bytes32 private constant LEAF = keccak256("Leaf(bytes32 instance,uint32 round,uint32 seat,bytes32 run)");
    bytes32 private constant ROLL = keccak256("Roll(bytes32 instance,uint32 round,uint32 turn,bytes32 present)");
    bytes32 private constant STORED = keccak256("Stored(bytes32 instance,uint32 round,uint32 seat,bytes32 run)");
    bytes32 private constant MISSING = keccak256("Missing(bytes32 instance,uint32 round,uint32 seat)");
    bytes32 private constant RECORD = keccak256("Record(bytes32 instance,uint32 rounds,bytes32 record)");

    /// @return the run root of a leaf (spec 6.7)
    function runOf(LeafClaim memory claim) internal view returns (RunRoot) {
        bytes32 tree = MerkleTree.hashDigest(Tags.SEGMENT_LEAF, StateRoot.unwrap(claim.end));
        bytes32 start = StateRoot.unwrap(claim.start);
        if (start != 0) tree = MerkleTree.hashNode(MerkleTree.hashDigest(Tags.SEGMENT_LEAF, start), tree);
        return RunRoot.wrap(sha256(abi.encodePacked(Tags.RUN, claim.job, claim.every, tree)));
    }

    /// @notice Reverts unless a record has the leaf at this place.
    /// @return run its run root
    function check(
        RoundTerms calldata terms,
        bytes32 record,
        LeafPlace memory place,
        RecordedLeaf calldata leaf
    ) internal view returns (RunRoot run) {
        run = runOf(leaf.claim);
        expectWord(terms, record, place, RunRoot.unwrap(run), leaf.inRound, leaf.inRecord);
    }

    /// @notice Reverts unless a record says of a place that its member was absent, and that this leaf stands
    /// there.
    /// @return run its run root
    function checkAbsent(
        RoundTerms calldata terms,
        bytes32 record,
        LeafPlace memory place,
        RecordedLeaf calldata leaf
    ) internal view returns (RunRoot run) {
        run = runOf(leaf.claim);
        bytes32 word = MerkleTree.hashDigest(Tags.ABSENT_LEAF, RunRoot.unwrap(run));
        expectWord(terms, record, place, word, leaf.inRound, leaf.inRecord);
    }

    /// @notice Reverts unless a record has this word at a place.
    function expectWord(
        RoundTerms calldata terms,
        bytes32 record,
        LeafPlace memory place,
        bytes32 word,
        bytes32[] calldata inRound,
        bytes32[] calldata inRecord
    ) internal view {
        bytes32 hash = MerkleTree.hashDigest(Tags.TURN_LEAF, word);
        hash = MerkleTree.climb(hash, place.seat, PlanHash.seatsOf(terms), inRound);
        hash = MerkleTree.hashDigest(Tags.ROUND_LEAF, hash);
        uint32 rounds = terms.rounds + 1;
        hash = MerkleTree.climb(hash, place.round, rounds, inRecord);
        bool holds = sha256(abi.encodePacked(Tags.RECORD, terms.plan, rounds, hash)) == record;
        require(holds, IRoundManager.NotInRecord(place.round, place.seat));
    }

    /// @return what the owner of a leaf signs
    function leafDigest(InstanceId instance, LeafPlace memory place, RunRoot run) internal pure returns (bytes32) {
        return _digest(keccak256(abi.encode(LEAF, instance, place.round, place.seat, run)));
    }

    /// @return what the recorder signs
    function recordDigest(InstanceId instance, uint32 rounds, bytes32 record) internal pure returns (bytes32) {
        return _digest(keccak256(abi.encode(RECORD, instance, rounds, record)));
    }

    /// @return what the recorder signs when it closes a turn
    function rollDigest(
        RoundTerms calldata terms,
        InstanceId instance,
        SignedRoll calldata roll
    ) internal pure returns (bytes32) {
        uint256[] memory present = new uint256[](terms.turns[roll.turn].members);
        for (uint256 i = 0; i < present.length; i++) present[i] = (roll.present >> i) & 1;
        bytes32 word = keccak256(abi.encodePacked(present));
        return _digest(keccak256(abi.encode(ROLL, instance, roll.round, roll.turn, word)));
    }

    /// @return what a store signs that holds the final state of a leaf
    function receiptDigest(InstanceId instance, LeafPlace calldata place, RunRoot run) internal pure returns (bytes32) {
        return _digest(keccak256(abi.encode(STORED, instance, place.round, place.seat, run)));
    }

    /// @return what a store signs that holds no leaf of a place: a note of absence
    function noteDigest(InstanceId instance, LeafPlace calldata place) internal pure returns (bytes32) {
        return _digest(keccak256(abi.encode(MISSING, instance, place.round, place.seat)));
    }

    function _digest(bytes32 hash) private pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(DOMAIN, hash);
    }
}
