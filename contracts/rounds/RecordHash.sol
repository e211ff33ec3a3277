// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IRoundManager} from "../interfaces/IRoundManager.sol";
import {RunRoot, StateRoot} from "../libraries/Ids.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import * as Tags from "../libraries/Tags.sol";
import {PlanHash} from "./PlanHash.sol";
import {InstanceId, LeafClaim, LeafPlace, RecordedLeaf, RoundTerms} from "./RoundTypes.sol";

/// @title What a record commits to, and what participants sign (spec 6.10)
/// @dev The counterpart of src/rounds/statement.ts. The domain names no chain: the instance does.
library RecordHash {
    bytes32 private constant DOMAIN_TYPE = keccak256("EIP712Domain(string name,string version)");
    bytes32 private constant DOMAIN = keccak256(abi.encode(DOMAIN_TYPE, keccak256("Verde rounds"), keccak256("1")));
    bytes32 private constant LEAF = keccak256("Leaf(bytes32 instance,uint32 round,uint32 seat,bytes32 run)");
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
        bytes32 hash = MerkleTree.hashDigest(Tags.TURN_LEAF, RunRoot.unwrap(run));
        hash = MerkleTree.climb(hash, place.seat, PlanHash.seatsOf(terms), leaf.inRound);
        hash = MerkleTree.hashDigest(Tags.ROUND_LEAF, hash);
        uint32 rounds = terms.rounds + 1;
        hash = MerkleTree.climb(hash, place.round, rounds, leaf.inRecord);
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

    function _digest(bytes32 hash) private pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(DOMAIN, hash);
    }
}
