// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Commitments} from "../libraries/Commitments.sol";
import {Context, Level} from "./GameTypes.sol";
import {JobHash} from "./JobHash.sol";
import {Levels} from "./Levels.sol";
import {PlaceWord} from "./PlaceWord.sol";
import {SizeWord} from "./SizeWord.sol";
import {Read, Tape} from "./Tape.sol";

/// @notice Evidence for the step at the bottom. What stands where in it: see `Judge`.
/// @param kernel the disputed kernel's encoding; empty where the new state is disputed
/// @param data types and chunks of tensors
/// @param path hashes: roots of trees, and siblings in proofs
struct Witness {
    bytes kernel;
    bytes data;
    bytes32[] path;
}

/// @notice What has been read of a witness, and the roots of side 0's trees above the bottom, with which its path begins. Both sides agree
/// on all leaves to the left of the place.
/// @param step zero in segment 0, which has no steps
struct Trees {
    Read read;
    bytes32 segment;
    bytes32 step;
    bytes32 op;
}

/// @notice Tensors of the disputed graph.
/// @param numbers ascending
/// @param roots what is to be proven for each
struct Tensors {
    uint256[] numbers;
    bytes32[] roots;
}

/// @title What both sides agree on (spec 7.5): all that lies to the left of the place where they part
library Agreed {
    using PlaceWord for uint256;
    using SizeWord for uint256;

    /// @notice The witness does not lead to what both sides agree on.
    error NotAgreed();

    /// @return t with the trees of the levels that have been passed
    function open(Context calldata c, Witness calldata w) internal pure returns (Trees memory t) {
        t.segment = Tape.next(t.read, w.path);
        bytes32 chain = _link(0, t.segment);
        if (c.place.segment() > 0) {
            t.step = Tape.next(t.read, w.path);
            chain = _link(chain, t.step);
        }
        t.op = Tape.next(t.read, w.path);
        require(_link(chain, t.op) == c.past, NotAgreed());
    }

    /// @notice Proves the roots of tensors, wherever they come from.
    /// @dev The path holds the siblings in the op tree; the siblings in the state before, and that one's siblings; the siblings
    /// in the dataset, and the hash of the job without it. Of these, those that are needed.
    function checkTensors(
        Trees memory t,
        Context calldata c,
        Witness calldata w,
        Tensors memory tensors
    ) internal view {
        // Inputs have the lower numbers: the state's entries, then the dataset. The init graph has none.
        uint256 inputs = c.sizes.inputs();
        uint256 entries = inputs == 0 ? 0 : c.sizes.outputs();
        uint256 inState = _below(tensors.numbers, entries);
        uint256 inInputs = _below(tensors.numbers, inputs);
        uint256 all = tensors.numbers.length;
        if (inInputs < all) {
            require(tensors.numbers[all - 1] < inputs + c.place.kernel(), NotAgreed());
            Tensors memory part = _slice(tensors, inInputs, all, inputs, Levels.OP_LEAF);
            bytes32 root = Tape.climb(t.read, w.path, c.sizes.kernels() + 1, part.numbers, part.roots);
            require(root == t.op, NotAgreed());
        }
        if (inState > 0) {
            Tensors memory part = _slice(tensors, 0, inState, 0, Commitments.STATE_LEAF);
            _checkStateBefore(t, c, w, _listRoot(t, w, part, entries));
        }
        if (inState < inInputs) {
            Tensors memory part = _slice(tensors, inState, inInputs, entries, Commitments.STATE_LEAF);
            bytes32 list = _listRoot(t, w, part, inputs - entries);
            require(JobHash.withDataset(Tape.next(t.read, w.path), list) == c.job, NotAgreed());
        }
    }

    /// @notice Proves the accumulator before the disputed one.
    function checkAccumulator(Trees memory t, Context calldata c, Witness calldata w, uint32 bits) internal view {
        bytes32 leaf = Levels.leafOf(Level.Fold, bytes32(uint256(bits)));
        bytes32 root = Tape.climbOne(t.read, w.path, c.sizes.foldLength(), c.place.fold() - 1, leaf);
        require(root == c.root, NotAgreed());
    }

    /// @dev The state before a step is the leaf to the left in the step tree; before the first of a segment, in the segment tree.
    function _checkStateBefore(
        Trees memory t,
        Context calldata c,
        Witness calldata w,
        bytes32 state
    ) private view {
        uint256 segment = c.place.segment();
        uint256 step = c.place.step();
        bool first = step == 0;
        bytes32 leaf = Levels.leafOf(first ? Level.Segment : Level.Step, state);
        uint256 count = first ? c.sizes.segments() : c.sizes.stepsOf(segment);
        bytes32 root = Tape.climbOne(t.read, w.path, count, (first ? segment : step) - 1, leaf);
        require(root == (first ? t.segment : t.step), NotAgreed());
    }

    /// @return the root of a list of `count` tensors, of which the leaves in `part` are known
    function _listRoot(
        Trees memory t,
        Witness calldata w,
        Tensors memory part,
        uint256 count
    ) private view returns (bytes32) {
        bytes32 tree = Tape.climb(t.read, w.path, count, part.numbers, part.roots);
        return sha256(abi.encodePacked(Commitments.STATE, uint32(count), tree));
    }

    /// @return part tensors `from … to - 1` as leaves of a tree that begins with tensor `first`
    function _slice(
        Tensors memory tensors,
        uint256 from,
        uint256 to,
        uint256 first,
        bytes1 tag
    ) private pure returns (Tensors memory part) {
        part = Tensors({numbers: new uint256[](to - from), roots: new bytes32[](to - from)});
        for (uint256 i = from; i < to; i++) {
            part.numbers[i - from] = tensors.numbers[i] - first;
            part.roots[i - from] = sha256(abi.encodePacked(tag, tensors.roots[i]));
        }
    }

    /// @return count how many of the numbers, which ascend, lie below `limit`
    function _below(uint256[] memory numbers, uint256 limit) private pure returns (uint256 count) {
        while (count < numbers.length && numbers[count] < limit) count++;
    }

    function _link(bytes32 chain, bytes32 root) private pure returns (bytes32) {
        return keccak256(abi.encode(chain, root));
    }
}
