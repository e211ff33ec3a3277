// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Context, Place, Sizes} from "../game/GameTypes.sol";
import {IJudge} from "../interfaces/IJudge.sol";
import {StateRoot} from "../libraries/Ids.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import {TaggedHash} from "../libraries/TaggedHash.sol";
import * as Tags from "../libraries/Tags.sol";
import {JobHash} from "./JobHash.sol";
import {Leaves, LeavesLib} from "./Leaves.sol";
import {Past} from "./Past.sol";
import {PlaceLib} from "./Place.sol";
import {SizesLib} from "./Sizes.sol";
import {Read, Tape} from "./Tape.sol";
import {TrainingHash} from "./TrainingHash.sol";

/// @notice What is still to be read of a witness, and the roots of side 0's trees above the bottom, with
/// which the witness begins, after the hash of both run roots. Both sides agree on all leaves to the left of
/// the place.
/// @param step zero in segment 0, which has no training steps
struct Trees {
    Read read;
    bytes32 segment;
    bytes32 step;
    bytes32 op;
}

/// @title What both sides agree on (spec 7.5): everything to the left of the place where they differ
library Agreed {
    using LeavesLib for Leaves;
    using PlaceLib for Place;
    using SizesLib for Sizes;

    /// @return t the trees of the levels that have been passed
    function open(Context calldata c, bytes calldata witness) internal pure returns (Trees memory t) {
        Read memory read = Tape.begin(witness);
        t.read = read;
        bytes32 past = Tape.next(read);
        t.segment = Tape.next(read);
        past = Past.passing(past, t.segment);
        if (c.place.segment() > 0) {
            t.step = Tape.next(read);
            past = Past.passing(past, t.step);
        }
        t.op = Tape.next(read);
        require(Past.passing(past, t.op) == c.past, IJudge.NotAgreed());
    }

    /// @notice Proves the roots of tensors, for all their sources.
    /// @dev The witness holds, as far as needed: the siblings in the operator tree; the siblings in the
    /// pre-state, and the siblings of the pre-state's root; the siblings in the dataset, and the hash of the
    /// job without the dataset. In a dataset of several lists these are, for each list that is read: its
    /// number, the number of its first tensor and that of its tensors (4 bytes each), and the siblings in it;
    /// then the siblings in the tree of lists.
    /// @param tensors of the disputed graph, by number, at least one; the list is consumed
    function checkTensors(Trees memory t, Context calldata c, Leaves memory tensors) internal view {
        Read memory read = t.read;
        // Inputs have the lower numbers: first the state's entries, then the dataset. All inputs of the init
        // graph, if it has any, are the dataset.
        uint256 inputs = c.sizes.inputs();
        uint256 entries = c.place.segment() == 0 ? 0 : c.sizes.outputs();
        (uint256 from, uint256 to) = (tensors.from, tensors.to);
        uint256 pastState = _pastThose(from, to, entries);
        uint256 pastInputs = _pastThose(pastState, to, inputs);
        if (pastInputs < to) {
            require(LeavesLib.indexAt(to - LeavesLib.SIZE) < inputs + c.place.kernel(), IJudge.NotAgreed());
            _enter(pastInputs, to, inputs, Tags.OP_LEAF);
            require(Tape.climb(read, c.sizes.kernels() + 1, pastInputs, to) == t.op, IJudge.NotAgreed());
        }
        if (from < pastState) _checkStateBefore(t, c, StateRoot.wrap(_listRoot(read, from, pastState, 0, entries)));
        if (pastState < pastInputs) {
            uint256 lists = c.sizes.lists();
            bytes32 dataset = lists == 0
                ? _listRoot(read, pastState, pastInputs, entries, inputs - entries)
                : _listsRoot(read, pastState, pastInputs, entries, lists);
            require(JobHash.withDataset(Tape.next(read), dataset) == c.job, IJudge.NotAgreed());
        }
    }

    /// @notice Proves the accumulator before the disputed one.
    function checkAccumulator(Trees memory t, Context calldata c, uint256 bits) internal view {
        bytes32 leaf = TrainingHash.ofAccumulator(bits);
        bytes32 root = Tape.climbOne(t.read, c.sizes.foldLeaves(), c.place.fold() - 1, leaf);
        require(root == c.root, IJudge.NotAgreed());
    }

    /// @dev The pre-state is the leaf to the left in the step tree; for the first training step of a segment,
    /// in the segment tree.
    function _checkStateBefore(Trees memory t, Context calldata c, StateRoot state) private view {
        uint256 segment = c.place.segment();
        uint256 step = c.place.step();
        bool first = step == 0;
        bytes32 leaf = MerkleTree.hashDigest(first ? Tags.SEGMENT_LEAF : Tags.STEP_LEAF, StateRoot.unwrap(state));
        uint256 count = first ? c.sizes.segments() : c.sizes.stepsOf(segment);
        bytes32 root = Tape.climbOne(t.read, count, (first ? segment : step) - 1, leaf);
        require(root == (first ? t.segment : t.step), IJudge.NotAgreed());
    }

    /// @return the root of a list of `count` tensors; the first one has number `first`
    function _listRoot(
        Read memory read,
        uint256 from,
        uint256 to,
        uint256 first,
        uint256 count
    ) private view returns (bytes32) {
        _enter(from, to, first, Tags.STATE_LEAF);
        return TaggedHash.ofCount(Tags.STATE, count, Tape.climb(read, count, from, to));
    }

    /// @param entries inputs before the dataset
    /// @param count lists of the dataset
    /// @return the root of a list of lists (spec 6.5)
    function _listsRoot(
        Read memory read,
        uint256 from,
        uint256 to,
        uint256 entries,
        uint256 count
    ) private view returns (bytes32) {
        Leaves memory lists = LeavesLib.none((to - from) / LeavesLib.SIZE);
        uint256 least = 0;
        while (from < to) {
            uint256 list = Tape.number(read);
            uint256 first = Tape.number(read);
            uint256 length = Tape.number(read);
            uint256 end = _pastThose(from, to, entries + first + length);
            // The lists ascend, as the tensors do, and each holds the next tensor.
            bool holds = list >= least && list < count && LeavesLib.indexAt(from) >= entries + first && from < end;
            require(holds, IJudge.NotAgreed());
            least = list + 1;
            bytes32 root = _listRoot(read, from, end, entries + first, length);
            lists.add(list, TaggedHash.ofCount(Tags.LIST_LEAF, first, root), 0);
            from = end;
        }
        return TaggedHash.ofCount(Tags.LISTS, count, Tape.climb(read, count, lists.from, lists.to));
    }

    /// @dev Turns tensors into leaves of a tree that begins with tensor `first`.
    function _enter(uint256 from, uint256 to, uint256 first, bytes1 tag) private view {
        unchecked {
            for (; from < to; from += LeavesLib.SIZE) {
                bytes32 leaf = MerkleTree.hashDigest(tag, LeavesLib.hashAt(from));
                LeavesLib.put(from, LeavesLib.indexAt(from) - first, leaf);
            }
        }
    }

    /// @return the end of the tensors whose numbers are below `limit`
    function _pastThose(uint256 from, uint256 to, uint256 limit) private pure returns (uint256) {
        unchecked {
            while (from < to && LeavesLib.indexAt(from) < limit) from += LeavesLib.SIZE;
        }
        return from;
    }
}
