// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MerkleTree} from "../libraries/MerkleTree.sol";
import {TensorType} from "../libraries/TensorType.sol";
import {Context, Facts, GraphHead, GraphTrees, JobFacts, Level, Position, Question} from "./GameTypes.sol";
import {JobHash} from "./JobHash.sol";
import {KernelHead} from "./KernelHead.sol";
import {Levels} from "./Levels.sol";
import {PlaceWord} from "./PlaceWord.sol";
import {SizeWord} from "./SizeWord.sol";

/// @title The way down: which question follows once both sides have answered one (spec 7.1, 7.2)
/// @dev Positions and contexts are changed in place.
library Descent {
    using PlaceWord for uint256;
    using SizeWord for uint256;

    bytes1 private constant GRAPH = 0x0c;

    /// @notice Begins with a tree's root, on which the two sides differ.
    /// @param p of an opening, which is at position 0
    function begin(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        bytes32[2] memory roots
    ) internal view returns (bytes32[2] memory) {
        c.root = roots[0];
        p.height = heightOf(p.count);
        return settle(p, c, facts, roots);
    }

    /// @notice Passes the nodes that stand unchanged one level below, and the leaf whose payload is known.
    /// @param nodes what both sides claim for the node at the position
    /// @return the same for the node that it has come to
    function settle(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        bytes32[2] memory nodes
    ) internal view returns (bytes32[2] memory) {
        while (p.height > 0 && isPromoted(p.count, p.height, p.position)) {
            p.height--;
            p.position *= 2;
        }
        p.question = p.height > 0 ? Question.Children : Question.Payload;
        bool known = p.height == 0 && Levels.bindsLast(p.level) && p.position + 1 == p.count;
        return known ? pass(p, c, facts, c.claims, 0) : nodes;
    }

    /// @notice Passes a level at the position, where the two sides claim what `claims` says, and enters the one below.
    /// @param part in a chunk, the element that counts
    function pass(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        bytes32[2] memory claims,
        uint256 part
    ) internal view returns (bytes32[2] memory nodes) {
        Level passed = p.level;
        c.place = c.place.passing(passed, p.position, part);
        c.claims = claims;
        if (!_enter(p, c, facts, passed)) {
            p.question = Question.Bottom;
            return nodes;
        }
        if (passed < Level.State) c.past = keccak256(abi.encode(c.past, c.root));
        c.root = 0;
        p.question = Question.Opening;
        p.height = 0;
        p.position = 0;
        // A tree of one leaf that is the claim itself has nothing to show.
        if (p.count == 1 && Levels.bindsLast(p.level)) {
            bytes32[2] memory leaves = [Levels.leafOf(p.level, claims[0]), Levels.leafOf(p.level, claims[1])];
            return begin(p, c, facts, leaves);
        }
    }

    /// @return whether there is a level below
    function _enter(Position memory p, Context memory c, Facts calldata facts, Level passed) private view returns (bool) {
        if (passed == Level.Segment) {
            uint256 segment = c.place.segment();
            JobFacts memory job = JobHash.open(c.job, facts.job);
            if (segment > 0) return _enterAt(p, Level.Step, c.sizes.stepsOf(segment));
            if (!job.fromCheckpoint) return _enterOps(p, c, facts, job.init);
            c.root = job.init;
            return false;
        }
        if (passed == Level.Step) return _enterOps(p, c, facts, JobHash.open(c.job, facts.job).step);
        if (passed == Level.Op) return _enterKernel(p, c, facts);
        return passed == Level.Chunk && c.sizes.foldLeaves() > 0 && _enterAt(p, Level.Fold, c.sizes.foldLeaves());
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
        bytes memory counts = abi.encodePacked(GRAPH, head.inputs, head.outputs, head.kernels);
        bytes memory hashes = abi.encodePacked(head.header, trees.kernels, head.labelTree, trees.outputs);
        require(sha256(bytes.concat(counts, hashes)) == root, JobHash.WrongFacts());
        c.graph = keccak256(abi.encode(trees));
        c.sizes = c.sizes.withGraph(head.inputs, head.outputs, head.kernels);
        return _enterAt(p, Level.Op, uint256(head.kernels) + 1);
    }

    /// @dev Below the last leaf lies the new state, below the others the output of a kernel.
    function _enterKernel(Position memory p, Context memory c, Facts calldata facts) private view returns (bool) {
        uint256 kernel = c.place.kernel();
        uint256 count = c.sizes.kernels();
        if (kernel == count) return _enterAt(p, Level.State, c.sizes.outputs());
        c.kernel = Levels.leafOfKernel(facts.kernel);
        bytes32 tree = MerkleTree.climb(c.kernel, kernel, count, facts.kernelProof);
        require(tree == JobHash.openTrees(c.graph, facts.trees).kernels, JobHash.WrongFacts());
        (uint256 elements, uint256 length) = KernelHead.sizes(facts.kernel);
        c.sizes = c.sizes.withKernel(elements, length);
        return _enterAt(p, Level.Chunk, TensorType.chunksOf(elements));
    }

    /// @return height of the root above `count` leaves
    function heightOf(uint256 count) internal pure returns (uint8 height) {
        while ((count + (1 << height) - 1) >> height > 1) height++;
    }

    /// @return whether the node stands unchanged one level below
    function isPromoted(uint256 count, uint256 height, uint256 position) internal pure returns (bool) {
        // Of at most 32 bits, but for the height, which is not zero.
        unchecked {
            uint256 below = height - 1;
            return 2 * position + 1 >= (count + (1 << below) - 1) >> below;
        }
    }
}
