// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MerkleTree} from "../libraries/MerkleTree.sol";
import {TensorType} from "../libraries/TensorType.sol";
import {Context, Facts, GraphFacts, JobFacts, Level, Position, Question} from "./GameTypes.sol";
import {KernelHead} from "./KernelHead.sol";
import {Levels} from "./Levels.sol";
import {PlaceWord} from "./PlaceWord.sol";

/// @title The way down: which question follows once both sides have answered one (spec 7.1, 7.2)
/// @dev Positions and contexts are changed in place.
library Descent {
    using PlaceWord for uint256;

    bytes1 private constant GRAPH = 0x0c;

    /// @notice Begins with a tree's root, on which the two sides differ.
    function begin(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        bytes32[2] memory roots
    ) internal view returns (bytes32[2] memory) {
        c.root = roots[0];
        p.height = heightOf(p.count);
        p.position = 0;
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
        c.past = keccak256(abi.encode(c.past, c.root));
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
            JobFacts calldata job = _job(c, facts);
            if (segment > 0) return _enterAt(p, Level.Step, stepsOf(job, segment));
            return !job.fromCheckpoint && _enterOps(p, c, facts, job.init);
        }
        if (passed == Level.Step) return _enterOps(p, c, facts, _job(c, facts).step);
        if (passed == Level.Op) return _enterKernel(p, c, facts);
        return passed == Level.Chunk && c.place.foldLength() > 0 && _enterAt(p, Level.Fold, c.place.foldLength());
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
        GraphFacts calldata g = facts.graph;
        bytes memory counts = abi.encodePacked(GRAPH, g.inputs, g.outputs, g.kernels);
        require(
            sha256(abi.encodePacked(counts, g.header, g.kernelTree, g.labelTree, g.outputTree)) == root,
            Levels.WrongFacts()
        );
        c.graph = keccak256(abi.encode(g));
        return _enterAt(p, Level.Op, uint256(g.kernels) + 1);
    }

    /// @dev Below the last leaf lies the new state, below the others the output of a kernel.
    function _enterKernel(Position memory p, Context memory c, Facts calldata facts) private view returns (bool) {
        GraphFacts calldata g = facts.graph;
        require(c.graph == keccak256(abi.encode(g)), Levels.WrongFacts());
        uint256 kernel = c.place.kernel();
        if (kernel == g.kernels) return _enterAt(p, Level.State, g.outputs);
        c.kernel = Levels.leafOfKernel(facts.kernel);
        require(
            MerkleTree.climb(c.kernel, kernel, g.kernels, facts.kernelProof) == g.kernelTree,
            Levels.WrongFacts()
        );
        (uint256 elements, uint256 length) = KernelHead.sizes(facts.kernel);
        c.place = c.place.within(elements, length);
        return _enterAt(p, Level.Chunk, TensorType.chunksOf(elements));
    }

    function _job(Context memory c, Facts calldata facts) private pure returns (JobFacts calldata) {
        require(c.job == keccak256(abi.encode(facts.job)), Levels.WrongFacts());
        return facts.job;
    }

    /// @return steps of segment 1, 2, …; the last one may be shorter
    function stepsOf(JobFacts calldata job, uint256 segment) internal pure returns (uint256) {
        uint256 first = (segment - 1) * job.commitEvery;
        uint256 left = job.steps - first;
        return left < job.commitEvery ? left : job.commitEvery;
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
