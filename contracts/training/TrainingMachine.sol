// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Context, Facts, Level, Position} from "../game/GameTypes.sol";
import {Machine} from "../game/Machine.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJudge} from "../interfaces/IJudge.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import * as Tags from "../libraries/Tags.sol";
import {TensorType} from "../libraries/TensorType.sol";
import {JobHash} from "./JobHash.sol";
import {KernelHead} from "./KernelHead.sol";
import {OpeningHash} from "./OpeningHash.sol";
import {Past} from "./Past.sol";
import {Place, PlaceLib} from "./Place.sol";
import {Sizes, SizesLib} from "./Sizes.sol";
import {TrainingHash} from "./TrainingHash.sol";
import {CHUNK, FOLD, GraphHead, GraphTrees, JobFacts, OP, SEGMENT, STATE, STEP} from "./TrainingTypes.sol";

/// @title Training under the game (spec 7.1): segments, training steps, operators, then the chunks of a
/// tensor and the steps of a fold, or the entries of a state
abstract contract TrainingMachine is Machine {
    using PlaceLib for Place;
    using SizesLib for Sizes;

    /// @dev Bytes of an accumulator.
    uint256 private constant ACCUMULATOR_BYTES = 4;
    uint256 private constant DIGEST_BYTES = 32;

    /// @dev Executes the step at the bottom.
    IJudge internal immutable _judge;

    constructor(IJudge judge_) {
        _judge = judge_;
    }

    /// @inheritdoc Machine
    function _top(Context memory c) internal pure override returns (uint256) {
        c.past = Past.start(c.claims);
        return c.sizes.segments();
    }

    /// @inheritdoc Machine
    function _below(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        uint256 part
    ) internal view override returns (bool) {
        Level passed = p.level;
        c.place = c.place.passing(passed, p.position, part);
        if (!_enter(p, c, facts, passed)) return false;
        if (passed < STATE) c.past = Past.passing(c.past, c.root);
        return true;
    }

    /// @inheritdoc Machine
    function _tagOf(Level level) internal pure override returns (bytes1) {
        if (level == SEGMENT) return Tags.SEGMENT_LEAF;
        if (level == STEP) return Tags.STEP_LEAF;
        if (level == OP) return Tags.OP_LEAF;
        if (level == STATE) return Tags.STATE_LEAF;
        return level == CHUNK ? Tags.CHUNK : Tags.ACCUMULATOR;
    }

    /// @inheritdoc Machine
    function _bindsLast(Level level) internal pure override returns (bool) {
        return level == STEP || level == OP || level == FOLD;
    }

    /// @inheritdoc Machine
    function _commit(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        bytes32 root
    ) internal view override returns (Claim) {
        if (p.level == CHUNK) return Claim.wrap(sha256(abi.encodePacked(Tags.TENSOR, _outputType(c, facts), root)));
        if (p.level == STATE) return Claim.wrap(sha256(abi.encodePacked(Tags.STATE, p.count, root)));
        JobFacts memory job = JobHash.open(c.job, facts.job);
        return Claim.wrap(sha256(abi.encodePacked(Tags.RUN, job.id, uint32(c.sizes.commitEvery()), root)));
    }

    /// @inheritdoc Machine
    function _partBytes(Level level) internal pure override returns (uint256) {
        return level == CHUNK ? TensorType.ELEMENT_BYTES : 0;
    }

    /// @inheritdoc Machine
    function _payloadBytes(Position memory p, Context memory c) internal pure override returns (uint256) {
        if (p.level == FOLD) return ACCUMULATOR_BYTES;
        return p.level == CHUNK ? TensorType.chunkBytes(c.sizes.elements(), p.position) : DIGEST_BYTES;
    }

    /// @inheritdoc Machine
    function _claimOf(Level level, bytes calldata payload, uint256 part) internal pure override returns (Claim) {
        if (level == CHUNK) return Claim.wrap(bytes32(TensorType.elementAt(payload, part)));
        return Claim.wrap(level == FOLD ? bytes32(uint256(uint32(bytes4(payload)))) : bytes32(payload));
    }

    /// @inheritdoc Machine
    function _leafOf(Level level, Claim claim) internal view override returns (bytes32) {
        bytes32 word = Claim.unwrap(claim);
        return level == FOLD ? TrainingHash.ofAccumulator(uint256(word)) : MerkleTree.hashDigest(_tagOf(level), word);
    }

    /// @inheritdoc Machine
    function _digestOf(
        Position memory p,
        Context memory c,
        uint256 side,
        bytes32 root,
        bytes32[] memory chain
    ) internal pure override returns (bytes32) {
        return OpeningHash.digestOf(Past.runOf(c, p.level, side, chain), p.level, c.place, root);
    }

    /// @inheritdoc Machine
    function _outcome(
        Level level,
        Context calldata c,
        bytes calldata witness
    ) internal view override returns (Claim) {
        // The job holds the initial state.
        return level == SEGMENT ? Claim.wrap(c.root) : _judge.judge(level, c, witness);
    }

    /// @return whether there is a level below
    function _enter(Position memory p, Context memory c, Facts calldata facts, Level passed) private view returns (bool) {
        if (passed == SEGMENT) {
            uint256 segment = c.place.segment();
            JobFacts memory job = JobHash.open(c.job, facts.job);
            if (segment > 0) return _enterAt(p, STEP, c.sizes.stepsOf(segment));
            if (!job.fromCheckpoint) return _enterOps(p, c, facts, job.init);
            c.root = job.init;
            return false;
        }
        if (passed == STEP) return _enterOps(p, c, facts, JobHash.open(c.job, facts.job).step);
        if (passed == OP) return _enterKernel(p, c, facts);
        return passed == CHUNK && c.sizes.foldLeaves() > 0 && _enterAt(p, FOLD, c.sizes.foldLeaves());
    }

    function _enterAt(Position memory p, Level level, uint256 count) private pure returns (bool) {
        p.level = level;
        p.count = uint32(count);
        return true;
    }

    function _enterOps(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        bytes32 root
    ) private pure returns (bool) {
        GraphHead memory head = abi.decode(facts.head, (GraphHead));
        GraphTrees memory trees = abi.decode(facts.trees, (GraphTrees));
        bytes memory counts = abi.encodePacked(Tags.GRAPH, head.inputs, head.outputs, head.kernels);
        bytes memory hashes = abi.encodePacked(head.header, trees.kernels, head.labelTree, trees.outputs);
        require(sha256(bytes.concat(counts, hashes)) == root, IDisputeGame.WrongFacts());
        c.graph = keccak256(abi.encode(trees));
        c.sizes = c.sizes.withGraph(head.inputs, head.outputs, head.kernels);
        return _enterAt(p, OP, uint256(head.kernels) + 1);
    }

    /// @dev Below the last leaf is the new state, below the others the output of a kernel.
    function _enterKernel(Position memory p, Context memory c, Facts calldata facts) private view returns (bool) {
        uint256 kernel = c.place.kernel();
        uint256 count = c.sizes.kernels();
        if (kernel == count) return _enterAt(p, STATE, c.sizes.outputs());
        c.kernel = TrainingHash.ofKernel(facts.kernel);
        bytes32 tree = MerkleTree.climb(c.kernel, kernel, count, facts.kernelProof);
        require(tree == JobHash.openTrees(c.graph, facts.trees).kernels, IDisputeGame.WrongFacts());
        (uint256 elements, uint256 length) = KernelHead.sizes(facts.kernel);
        c.sizes = c.sizes.withKernel(elements, length);
        return _enterAt(p, CHUNK, TensorType.chunksOf(elements));
    }

    /// @return the encoded type of the disputed kernel's output
    function _outputType(Context memory c, Facts calldata facts) private view returns (bytes calldata) {
        require(c.kernel == TrainingHash.ofKernel(facts.kernel), IDisputeGame.WrongFacts());
        return KernelHead.typeOf(facts.kernel);
    }
}
