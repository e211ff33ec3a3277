// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Context} from "../game/GameTypes.sol";
import {IJudge} from "../interfaces/IJudge.sol";
import {PointInput} from "../libraries/KernelPoint.sol";
import {TaggedHash} from "../libraries/TaggedHash.sol";
import * as Tags from "../libraries/Tags.sol";
import {TensorType} from "../libraries/TensorType.sol";
import {Agreed, Trees} from "./Agreed.sol";
import {Leaves, LeavesLib} from "./Leaves.sol";
import {Read, Tape} from "./Tape.sol";

/// @notice A tensor that the step reads.
/// @param typeFrom position in calldata of its encoded type
/// @param rank of the tensor
/// @param elements how many it has
/// @param chunks the chunks of the tensor that have been shown
struct Shown {
    uint256 typeFrom;
    uint256 rank;
    uint256 elements;
    Leaves chunks;
}

/// @title The operands of the step, as a witness shows them: tensor by tensor
/// @notice For each tensor: first its type, then the chunks of the elements that are read, in the order of
/// their first reads, then the chunks' siblings.
library OperandsLib {
    using LeavesLib for Leaves;
    using OperandsLib for Shown;

    uint256 private constant LAST_BYTE = 0xff;

    /// @notice Gives each input that is read its bits, on which both sides agree. No operand may be read
    /// afterwards.
    function read(Trees memory t, Context calldata c, PointInput[] memory inputs) internal view {
        Read memory tape = t.read;
        uint256 count = inputs.length;
        uint256 shared = _shared(inputs);
        Leaves memory tensors = LeavesLib.none(count);
        unchecked {
            for (uint256 i = 0; i < count; i++) {
                PointInput memory input = inputs[i];
                if (!input.isRead) continue;
                uint256 tensor = input.tensor;
                bool alone = (shared >> (tensor & LAST_BYTE)) & 1 == 0;
                bytes32 root = alone ? _readAlone(tape, input) : _readTogether(tape, inputs, i, tensor);
                tensors.add(tensor, root, 0);
            }
        }
        if (tensors.from < tensors.to) Agreed.checkTensors(t, c, tensors);
    }

    /// @notice Begins with a tensor, which replaces the one before.
    function show(Shown memory s, Read memory tape) internal pure {
        uint256 from = tape.position;
        (uint256 rank, uint256 elements) = TensorType.at(from);
        (s.typeFrom, s.rank, s.elements) = (from, rank, elements);
        Tape.take(tape, TensorType.bytesOf(rank));
        s.chunks.to = s.chunks.from;
    }

    /// @return the first extent of the tensor; 0 if its rank is 0
    function rowsOf(Shown memory s) internal pure returns (uint256) {
        return s.rank == 0 ? 0 : Tape.wordAt(s.typeFrom + 2);
    }

    /// @return bits of an element; only the witness vouches for them until `rootOf` has been proven
    function bitsOf(Shown memory s, Read memory tape, uint256 element) internal view returns (uint256 bits) {
        require(element < s.elements, IJudge.NoSuchElement(element));
        unchecked {
            uint256 index = element / TensorType.CHUNK_ELEMENTS;
            uint256 from = s.chunks.payloadOf(index);
            if (from == 0) from = _showChunk(s, tape, index);
            bits = TensorType.bitsAt(from, element % TensorType.CHUNK_ELEMENTS);
        }
    }

    /// @notice Shows the tensor's first chunk, if only its type is needed. A tensor without elements has no
    /// chunk.
    function showFirst(Shown memory s, Read memory tape) internal view {
        if (s.elements > 0 && s.chunks.payloadOf(0) == 0) _showChunk(s, tape, 0);
    }

    /// @return the tensor's root that its chunks lead to; at least one chunk has been shown, if the tensor
    /// has any
    function rootOf(Shown memory s, Read memory tape) internal view returns (bytes32) {
        bytes32 tree = s.elements == 0
            ? TaggedHash.ofCalldata(Tags.NODE, 0, 0)
            : Tape.climb(tape, TensorType.chunksOf(s.elements), s.chunks.from, s.chunks.to);
        return TaggedHash.ofCalldata(Tags.TENSOR, s.typeFrom, TensorType.bytesOf(s.rank), tree);
    }

    /// @dev For most tensors a step reads one element. This does what `_readTogether` does, for one input and
    /// without lists.
    /// @return hash the tensor's root
    function _readAlone(Read memory tape, PointInput memory input) private view returns (bytes32 hash) {
        uint256 typeFrom = tape.position;
        (uint256 rank, uint256 elements) = TensorType.at(typeFrom);
        uint256 element = input.element;
        require(element < elements, IJudge.NoSuchElement(element));
        unchecked {
            uint256 from = typeFrom + TensorType.bytesOf(rank);
            uint256 index = element / TensorType.CHUNK_ELEMENTS;
            uint256 length = TensorType.chunkBytes(elements, index);
            tape.position = from + length;
            (input.isRead, input.bits) = (false, TensorType.bitsAt(from, element % TensorType.CHUNK_ELEMENTS));
            hash = TaggedHash.ofCalldata(Tags.CHUNK, from, length);
            hash = Tape.climbOne(tape, TensorType.chunksOf(elements), index, hash);
            return TaggedHash.ofCalldata(Tags.TENSOR, typeFrom, from - typeFrom, hash);
        }
    }

    /// @param i number of the first input that reads the tensor
    /// @return the tensor's root
    function _readTogether(
        Read memory tape,
        PointInput[] memory inputs,
        uint256 i,
        uint256 tensor
    ) private view returns (bytes32) {
        Shown memory s;
        s.chunks = LeavesLib.none(inputs.length);
        s.show(tape);
        for (; i < inputs.length; i++) {
            PointInput memory input = inputs[i];
            if (!input.isRead || input.tensor != tensor) continue;
            (input.isRead, input.bits) = (false, s.bitsOf(tape, input.element));
        }
        return s.rootOf(tape);
    }

    /// @return twice bit b: more than one input reads a tensor whose number has the last byte b
    function _shared(PointInput[] memory inputs) private pure returns (uint256 twice) {
        assembly ("memory-safe") {
            let once := 0
            for {
                let at := add(inputs, 0x20)
                let to := add(at, shl(5, mload(inputs)))
            } lt(at, to) {
                at := add(at, 0x20)
            } {
                // Whether an element is read, and the tensor.
                let input := mload(at)
                let bit := shl(and(mload(add(input, 0x20)), LAST_BYTE), mload(input))
                twice := or(twice, and(once, bit))
                once := or(once, bit)
            }
        }
    }

    /// @return from position of the chunk in calldata
    function _showChunk(Shown memory s, Read memory tape, uint256 index) private view returns (uint256 from) {
        uint256 length = TensorType.chunkBytes(s.elements, index);
        from = Tape.take(tape, length);
        s.chunks.add(index, TaggedHash.ofCalldata(Tags.CHUNK, from, length), from);
    }
}
