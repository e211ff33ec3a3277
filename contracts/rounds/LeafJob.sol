// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRoundManager} from "../interfaces/IRoundManager.sol";
import {JobId, RunRoot, StateRoot} from "../libraries/Ids.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import {TaggedHash} from "../libraries/TaggedHash.sol";
import * as Tags from "../libraries/Tags.sol";
import {JobFacts} from "../training/TrainingTypes.sol";
import {PlanHash} from "./PlanHash.sol";
import {RecordHash} from "./RecordHash.sol";
import {
    LeafEvidence,
    LeafPlace,
    LeafReads,
    PlanId,
    RoundTemplate,
    RoundTerms,
    StandingLeaf,
    TemplateJob
} from "./RoundTypes.sol";

/// @title The job of a leaf, from the leaves that it reads: nobody claims it (spec 6.10)
/// @dev The counterpart of `deriveJob` in src/rounds/plan.ts.
library LeafJob {
    /// @dev The element type i32 in an encoded type (spec 5.3).
    uint8 private constant I32 = 2;
    /// @dev What a seat is given beside its own tensors: its member, the round, the seed.
    uint256 private constant GIVEN = 3;
    uint256 private constant SEED_WORDS = 8;
    /// @dev Elements of a chunk (spec 6.4).
    uint256 private constant CHUNK = 64;
    /// @dev A job template's init is a graph.
    uint8 private constant BY_GRAPH = 1;
    uint256 private constant ODD_BYTES = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant ODD_PAIRS = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;

    /// @notice What the leaf has to read. Reverts unless the record has it.
    /// @param record what the sources are in
    function recorded(
        RoundTerms calldata terms,
        bytes32 record,
        LeafEvidence calldata e
    ) internal view returns (LeafReads memory reads) {
        reads = emptyReads(e);
        uint256 next = 0;
        for (uint256 i = 0; i < e.sources.length; i++) {
            LeafPlace memory from = PlanHash.sourceOf(terms, e.place, e.template.sources[i]);
            reads.ends[i] = e.sources[i].claim.end;
            reads.rounds[i] = from.round;
            if (!stands(e, next, i)) {
                RecordHash.check(terms, record, from, e.sources[i]);
                continue;
            }
            StandingLeaf calldata leaf = e.standing[next++];
            expectMissing(terms, e.template.sources[i].turn, from.round, leaf.round);
            RunRoot run = RecordHash.checkAbsent(terms, record, from, e.sources[i]);
            (from.round, reads.rounds[i], reads.absent[i]) = (leaf.round, leaf.round, true);
            RecordHash.expectWord(terms, record, from, RunRoot.unwrap(run), leaf.inRound, leaf.inRecord);
        }
        require(next == e.standing.length, IRoundManager.NotInPlan());
    }

    /// @return whether the next leaf that stands for an absent member is what a source reads
    function stands(LeafEvidence calldata e, uint256 next, uint256 source) internal pure returns (bool) {
        return next < e.standing.length && e.standing[next].source == source;
    }

    /// @notice Reverts unless a turn may miss a member in a round, for which a leaf of an earlier one stands.
    function expectMissing(RoundTerms calldata terms, uint32 turn, uint32 round, uint32 made) internal pure {
        require(PlanHash.mayMiss(terms, round, turn) && made < round, IRoundManager.NotInPlan());
    }

    /// @return reads as many as the leaf has, of which nothing is known
    function emptyReads(LeafEvidence calldata e) internal pure returns (LeafReads memory reads) {
        _expectSources(e);
        uint256 count = e.sources.length;
        reads = LeafReads({ends: new StateRoot[](count), rounds: new uint32[](count), absent: new bool[](count)});
    }

    /// @notice The job of a leaf. Reverts unless template and seat are those of the plan.
    /// @param reads what the leaf reads
    function factsOf(
        RoundTerms calldata terms,
        LeafEvidence calldata e,
        LeafReads memory reads
    ) internal view returns (JobFacts memory facts) {
        _expectSources(e);
        expectPlan(terms, e);
        TemplateJob calldata job = jobOf(e);
        facts.step = job.step;
        facts.init = job.init;
        facts.dataset = _dataset(job, reads.ends, _ownList(terms, e, reads.absent));
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

    /// @return the root of the seat's own list: its tensors, its member, the round and the seed, and if a
    /// source may be absent, who was there
    function _ownList(
        RoundTerms calldata terms,
        LeafEvidence calldata e,
        bool[] memory absent
    ) private view returns (bytes32) {
        (, uint32 member) = PlanHash.turnOf(terms, e.place.seat);
        uint256 count = e.shard.length;
        bool told = _isToldPresence(terms, e.template);
        bytes32[] memory leaves = _shardLeaves(e, told ? GIVEN + 1 : GIVEN);
        leaves[count] = MerkleTree.hashDigest(Tags.STATE_LEAF, _scalar(member));
        leaves[count + 1] = MerkleTree.hashDigest(Tags.STATE_LEAF, _scalar(e.place.round));
        leaves[count + 2] = MerkleTree.hashDigest(Tags.STATE_LEAF, _seed(terms.plan, e.place));
        if (told) leaves[count + 3] = MerkleTree.hashDigest(Tags.STATE_LEAF, _presence(e.template.sources.length, absent));
        return TaggedHash.ofCount(Tags.STATE, leaves.length, MerkleTree.rootOf(leaves, leaves.length));
    }

    function _isToldPresence(RoundTerms calldata terms, RoundTemplate calldata template) private pure returns (bool) {
        for (uint256 i = 0; i < template.sources.length; i++)
            if (terms.turns[template.sources[i].turn].quorum != 0) return true;
        return false;
    }

    /// @return the root of the presence of sources: an i32 [count] of ones, with zeros for the absent
    /// @param absent of each source; in round 0 of none
    function _presence(uint256 count, bool[] memory absent) private view returns (bytes32) {
        bytes32[] memory chunks = new bytes32[]((count + CHUNK - 1) / CHUNK);
        for (uint256 c = 0; c < chunks.length; c++) {
            uint256 first = c * CHUNK;
            bytes memory text = new bytes(1 + 4 * (count - first < CHUNK ? count - first : CHUNK));
            text[0] = Tags.CHUNK;
            for (uint256 i = 0; 4 * i + 1 < text.length; i++)
                if (absent.length == 0 || !absent[first + i]) text[4 * i + 1] = 0x01;
            chunks[c] = sha256(text);
        }
        bytes32 tree = MerkleTree.rootOf(chunks, chunks.length);
        return sha256(abi.encodePacked(Tags.TENSOR, I32, uint8(1), uint32(count), tree));
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
