// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Commitments} from "../libraries/Commitments.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import {TaggedHash} from "../libraries/TaggedHash.sol";
import {TensorType} from "../libraries/TensorType.sol";
import {PointInput} from "../libraries/KernelPoint.sol";
import {Agreed, Trees} from "./Agreed.sol";
import {Context} from "./GameTypes.sol";
import {Leaves, LeavesLib} from "./Leaves.sol";
import {Read, Tape} from "./Tape.sol";

/// @notice A tensor that the step reads.
/// @param typeFrom where in calldata its encoded type begins
/// @param rank of it
/// @param elements how many it has
/// @param chunks those of its chunks that have been shown
struct Shown {
    uint256 typeFrom;
    uint256 rank;
    uint256 elements;
    Leaves chunks;
}

/// @title The operands of the step, as a witness shows them: tensor by tensor
/// @notice A tensor's type comes first, then the chunks of which elements are read, each where it is read first, then their siblings.
library OperandsLib {
    using LeavesLib for Leaves;
    using OperandsLib for Shown;

    /// @notice An element lies outside its tensor.
    error NoSuchElement(uint256 element);

    /// @notice Gives every input that is read its bits, which both sides agree on.
    function read(Trees memory t, Context calldata c, PointInput[] memory inputs) internal view {
        Read memory tape = t.read;
        uint256 most = inputs.length;
        Shown memory s;
        s.chunks = LeavesLib.none(most);
        Leaves memory tensors = LeavesLib.none(most);
        // No more than 255 inputs.
        unchecked {
            for (uint256 i = 0; i < most; i++) {
                uint256 tensor = inputs[i].tensor;
                if (!inputs[i].isRead || tensors.payloadOf(tensor) != 0) continue;
                s.show(tape);
                for (uint256 j = i; j < most; j++) {
                    PointInput memory input = inputs[j];
                    if (input.tensor == tensor && input.isRead) input.bits = s.bitsOf(tape, input.element);
                }
                tensors.add(tensor, s.rootOf(tape), s.typeFrom);
            }
        }
        if (tensors.from < tensors.to) Agreed.checkTensors(t, c, tensors);
    }

    /// @notice Begins with a tensor, in the place of the one before.
    function show(Shown memory s, Read memory tape) internal pure {
        uint256 from = tape.position;
        (uint256 rank, uint256 elements) = TensorType.at(from);
        (s.typeFrom, s.rank, s.elements) = (from, rank, elements);
        Tape.take(tape, TensorType.bytesOf(rank));
        s.chunks.to = s.chunks.from;
    }

    /// @return first extent of the tensor; 0 where it has none
    function rowsOf(Shown memory s) internal pure returns (uint256) {
        return s.rank == 0 ? 0 : Tape.at(s.typeFrom + 2);
    }

    /// @return bits of an element, for which the witness vouches until `rootOf` has been proven
    function bitsOf(Shown memory s, Read memory tape, uint256 element) internal view returns (uint256 bits) {
        require(element < s.elements, NoSuchElement(element));
        unchecked {
            uint256 index = element / TensorType.CHUNK_ELEMENTS;
            uint256 from = s.chunks.payloadOf(index);
            if (from == 0) from = _showChunk(s, tape, index);
            bits = Tape.at(from + TensorType.ELEMENT_BYTES * (element % TensorType.CHUNK_ELEMENTS));
        }
        // Elements lie least significant byte first.
        bits = ((bits & 0xff00ff00) >> 8) | ((bits & 0x00ff00ff) << 8);
        bits = (bits >> 16) | ((bits & 0xffff) << 16);
    }

    /// @notice Shows the tensor's first chunk, where its type alone is of interest; one without elements has none.
    function showFirst(Shown memory s, Read memory tape) internal view {
        if (s.elements > 0 && s.chunks.payloadOf(0) == 0) _showChunk(s, tape, 0);
    }

    /// @return the tensor's root that its chunks lead to; one at least has been shown, if it has any
    function rootOf(Shown memory s, Read memory tape) internal view returns (bytes32) {
        bytes32 tree = s.elements == 0
            ? TaggedHash.ofCalldata(MerkleTree.NODE, 0, 0)
            : Tape.climb(tape, TensorType.chunksOf(s.elements), s.chunks.from, s.chunks.to);
        return TaggedHash.ofCalldata(Commitments.TENSOR, s.typeFrom, TensorType.bytesOf(s.rank), tree);
    }

    /// @return from where in calldata the chunk stands
    function _showChunk(Shown memory s, Read memory tape, uint256 index) private view returns (uint256 from) {
        uint256 length = TensorType.chunkBytes(s.elements, index);
        from = Tape.take(tape, length);
        s.chunks.add(index, TaggedHash.ofCalldata(Commitments.CHUNK, from, length), from);
    }
}
