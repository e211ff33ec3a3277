// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRoundManager} from "../interfaces/IRoundManager.sol";
import {JobId, StateRoot} from "../libraries/Ids.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import {TaggedHash} from "../libraries/TaggedHash.sol";
import * as Tags from "../libraries/Tags.sol";
import {JobFacts} from "../training/TrainingTypes.sol";
import {PlanHash} from "./PlanHash.sol";
import {RecordHash} from "./RecordHash.sol";
import {LeafEvidence, LeafPlace, PlanId, RoundTerms, TemplateJob} from "./RoundTypes.sol";

/// @title The job of a leaf, from the leaves that it reads: nobody claims it (spec 6.10)
/// @dev The counterpart of `deriveJob` in src/rounds/plan.ts.
library LeafJob {
    /// @dev The element type i32 in an encoded type (spec 5.3).
    uint8 private constant I32 = 2;
    /// @dev What a seat is given beside its own tensors: its member, the round, the seed.
    uint256 private constant GIVEN = 3;
    uint256 private constant SEED_WORDS = 8;
    /// @dev A job template's init is a graph.
    uint8 private constant BY_GRAPH = 1;
    uint256 private constant ODD_BYTES = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant ODD_PAIRS = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;

    /// @notice The final states that the leaf has to read. Reverts unless the record has them.
    /// @param record what the sources are in
    function recorded(
        RoundTerms calldata terms,
        bytes32 record,
        LeafEvidence calldata e
    ) internal view returns (StateRoot[] memory ends) {
        _expectSources(e);
        ends = new StateRoot[](e.sources.length);
        for (uint256 i = 0; i < ends.length; i++) {
            LeafPlace memory from = PlanHash.sourceOf(terms, e.place, e.template.sources[i]);
            RecordHash.check(terms, record, from, e.sources[i]);
            ends[i] = e.sources[i].claim.end;
        }
    }

    /// @notice The job of a leaf. Reverts unless template and seat are those of the plan.
    /// @param ends final states of what the leaf reads
    function factsOf(
        RoundTerms calldata terms,
        LeafEvidence calldata e,
        StateRoot[] memory ends
    ) internal view returns (JobFacts memory facts) {
        _expectSources(e);
        expectPlan(terms, e);
        TemplateJob calldata job = jobOf(e);
        facts.step = job.step;
        facts.init = job.init;
        facts.dataset = _dataset(job, ends, _ownList(terms, e));
        bytes memory info =
            abi.encodePacked(Tags.JOB_INFO, uint32(job.name.length), job.name, uint32(5), "steps", uint64(1));
        bytes memory head = abi.encodePacked(Tags.JOB, Tags.SPEC_VERSION, BY_GRAPH, job.steps, sha256(info));
        facts.id = JobId.wrap(sha256(abi.encodePacked(head, job.step, job.init, facts.dataset)));
    }

    /// @notice Reverts unless the plan has this template, and at the leaf's place a seat that has it.
    function expectPlan(RoundTerms calldata terms, LeafEvidence calldata e) internal view {
        bytes32 tree = PlanHash.templateOf(e.template);
        tree = MerkleTree.climb(tree, e.index, terms.templateCount, e.templatePath);
        require(tree == terms.templates, IRoundManager.NotInPlan());
        (uint32 turn, uint32 member) = PlanHash.turnOf(terms, e.place.seat);
        uint256 count = e.shard.length;
        bytes32 shard = TaggedHash.ofCount(Tags.STATE, count, MerkleTree.rootOf(_shardLeaves(e, 0), count));
        tree = sha256(abi.encodePacked(Tags.PLAN_PART, turn, member, e.index, shard));
        tree = MerkleTree.climb(tree, e.place.seat, PlanHash.seatsOf(terms), e.seatPath);
        require(tree == terms.seats, IRoundManager.NotInPlan());
    }

    /// @return the template of a leaf's job
    function jobOf(LeafEvidence calldata e) internal pure returns (TemplateJob calldata) {
        return e.place.round == 0 ? e.template.genesis : e.template.later;
    }

    /// @notice Reverts unless the leaf's run has the segments that its template says.
    function expectForm(LeafEvidence calldata e) internal pure {
        uint32 steps = jobOf(e).steps;
        bool hasStart = StateRoot.unwrap(e.leaf.claim.start) != 0;
        bool fits = e.leaf.claim.every == segmentOf(steps) && hasStart == (steps != 0);
        require(fits, IRoundManager.WrongForm());
    }

    /// @return training steps of a leaf's one segment
    function segmentOf(uint32 steps) internal pure returns (uint32) {
        return steps == 0 ? 1 : steps;
    }

    /// @dev Round 0 reads nothing.
    function _expectSources(LeafEvidence calldata e) private pure {
        uint256 wanted = e.place.round == 0 ? 0 : e.template.sources.length;
        require(e.sources.length == wanted && jobOf(e).lists.length == wanted + 1, IRoundManager.NotInPlan());
    }

    /// @return the root of the lists: what is read, and the seat's own
    function _dataset(TemplateJob calldata job, StateRoot[] memory ends, bytes32 own) private view returns (bytes32) {
        bytes32[] memory leaves = new bytes32[](ends.length + 1);
        uint256 first = 0;
        for (uint256 i = 0; i < leaves.length; i++) {
            bytes32 root = i < ends.length ? StateRoot.unwrap(ends[i]) : own;
            leaves[i] = TaggedHash.ofCount(Tags.LIST_LEAF, first, root);
            first += job.lists[i];
        }
        return TaggedHash.ofCount(Tags.LISTS, leaves.length, MerkleTree.rootOf(leaves, leaves.length));
    }

    /// @return the root of the seat's own list: its tensors, its member, the round and the seed
    function _ownList(RoundTerms calldata terms, LeafEvidence calldata e) private view returns (bytes32) {
        (, uint32 member) = PlanHash.turnOf(terms, e.place.seat);
        uint256 count = e.shard.length;
        bytes32[] memory leaves = _shardLeaves(e, GIVEN);
        leaves[count] = MerkleTree.hashDigest(Tags.STATE_LEAF, _scalar(member));
        leaves[count + 1] = MerkleTree.hashDigest(Tags.STATE_LEAF, _scalar(e.place.round));
        leaves[count + 2] = MerkleTree.hashDigest(Tags.STATE_LEAF, _seed(terms.plan, e.place));
        return TaggedHash.ofCount(Tags.STATE, leaves.length, MerkleTree.rootOf(leaves, leaves.length));
    }

    /// @return leaves of the seat's own tensors, and room for more
    function _shardLeaves(LeafEvidence calldata e, uint256 more) private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](e.shard.length + more);
        for (uint256 i = 0; i < e.shard.length; i++) leaves[i] = MerkleTree.hashDigest(Tags.STATE_LEAF, e.shard[i]);
    }

    /// @return the root of an i32 scalar
    function _scalar(uint32 value) private pure returns (bytes32) {
        bytes32 chunk = sha256(abi.encodePacked(Tags.CHUNK, bytes4(uint32(_reversed(value)))));
        return sha256(abi.encodePacked(Tags.TENSOR, I32, uint8(0), chunk));
    }

    /// @return the root of the seed of a seat in a round, an i32 [8]
    function _seed(PlanId plan, LeafPlace calldata place) private pure returns (bytes32) {
        bytes32 words = sha256(abi.encodePacked(Tags.ROUND_SEED, plan, place.round, place.seat));
        bytes32 chunk = sha256(abi.encodePacked(Tags.CHUNK, _reversed(uint256(words))));
        return sha256(abi.encodePacked(Tags.TENSOR, I32, uint8(1), uint32(SEED_WORDS), chunk));
    }

    /// @return word with the four bytes of each 32 bits in the other order: elements are little-endian
    function _reversed(uint256 word) private pure returns (uint256) {
        word = ((word >> 8) & ODD_BYTES) | ((word & ODD_BYTES) << 8);
        return ((word >> 16) & ODD_PAIRS) | ((word & ODD_PAIRS) << 16);
    }
}
