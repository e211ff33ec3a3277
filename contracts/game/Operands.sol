// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Commitments} from "../libraries/Commitments.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import {TensorType} from "../libraries/TensorType.sol";
import {Agreed, Tensors, Trees, Witness} from "./Agreed.sol";
import {Context} from "./GameTypes.sol";
import {Tape} from "./Tape.sol";

/// @notice A tensor that the step reads.
/// @param number in the disputed graph
/// @param encodedType bytes of the data, from and to
/// @param elements how many it has
struct ReadTensor {
    uint256 number;
    uint256[2] encodedType;
    uint256 elements;
}

/// @notice A chunk that the step reads.
/// @param tensor its place in the list of tensors
/// @param index in that tensor
/// @param from where it begins in the data
/// @param leaf hash
struct ReadChunk {
    uint256 tensor;
    uint256 index;
    uint256 from;
    bytes32 leaf;
}

/// @notice All that the step reads, each tensor and each chunk once, in the order in which they are read first.
struct Operands {
    uint256 tensorCount;
    uint256 chunkCount;
    ReadTensor[] tensors;
    ReadChunk[] chunks;
}

/// @title The operands of the step, as a witness shows them
/// @notice The data holds a tensor's type where it is read first, and a chunk likewise. The path holds, of each tensor, the siblings of its
/// chunks, then what `Agreed.checkTensors` needs.
library OperandsLib {
    /// @notice An element lies outside its tensor.
    error NoSuchElement(uint256 tensor, uint256 element);

    /// @param most how many reads there may be
    function none(uint256 most) internal pure returns (Operands memory o) {
        o.tensors = new ReadTensor[](most);
        o.chunks = new ReadChunk[](most);
    }

    /// @return bits of an element, for which the witness vouches until `prove` has checked it
    function bitsOf(
        Operands memory o,
        Trees memory t,
        Witness calldata w,
        uint256 tensor,
        uint256 element
    ) internal pure returns (uint256 bits) {
        uint256 slot = _show(o, t, w, tensor);
        require(element < o.tensors[slot].elements, NoSuchElement(tensor, element));
        uint256 from = _chunk(o, t, w, slot, element / TensorType.CHUNK_ELEMENTS);
        from += TensorType.ELEMENT_BYTES * (element % TensorType.CHUNK_ELEMENTS);
        // Elements lie least significant byte first.
        uint32 x = uint32(bytes4(w.data[from:]));
        x = ((x & 0xff00ff00) >> 8) | ((x & 0x00ff00ff) << 8);
        return (x >> 16) | (x << 16);
    }

    /// @notice Shows a tensor's first chunk, where its type alone is of interest; one without elements has none.
    function showFirst(Operands memory o, Trees memory t, Witness calldata w, uint256 tensor) internal pure {
        uint256 slot = _show(o, t, w, tensor);
        if (o.tensors[slot].elements > 0) _chunk(o, t, w, slot, 0);
    }

    function rankOf(
        Operands memory o,
        Trees memory t,
        Witness calldata w,
        uint256 tensor
    ) internal pure returns (uint256) {
        return uint8(_typeOf(o, w, _show(o, t, w, tensor))[1]);
    }

    /// @return first extent of a tensor; 0 where it has none
    function rowsOf(
        Operands memory o,
        Trees memory t,
        Witness calldata w,
        uint256 tensor
    ) internal pure returns (uint256) {
        bytes calldata encoded = _typeOf(o, w, _show(o, t, w, tensor));
        return encoded.length < 6 ? 0 : uint32(bytes4(encoded[2:6]));
    }

    /// @notice Proves that both sides agree on all that has been read.
    function prove(Operands memory o, Trees memory t, Context calldata c, Witness calldata w) internal view {
        uint256 count = o.tensorCount;
        if (count == 0) return;
        Tensors memory tensors = Tensors({numbers: new uint256[](count), roots: new bytes32[](count)});
        for (uint256 slot = 0; slot < count; slot++) {
            bytes32 root = _rootOf(o, t, w, slot);
            uint256 number = o.tensors[slot].number;
            uint256 i = slot;
            for (; i > 0 && tensors.numbers[i - 1] > number; i--) {
                tensors.numbers[i] = tensors.numbers[i - 1];
                tensors.roots[i] = tensors.roots[i - 1];
            }
            tensors.numbers[i] = number;
            tensors.roots[i] = root;
        }
        Agreed.checkTensors(t, c, w, tensors);
    }

    /// @return slot of a tensor, with its type
    function _show(
        Operands memory o,
        Trees memory t,
        Witness calldata w,
        uint256 tensor
    ) private pure returns (uint256 slot) {
        uint256 count = o.tensorCount;
        ReadTensor[] memory tensors = o.tensors;
        unchecked {
            for (; slot < count; slot++) if (tensors[slot].number == tensor) return slot;
        }
        o.tensorCount = count + 1;
        ReadTensor memory shown = tensors[slot];
        uint256 from = t.read.data;
        uint256 rank = uint8(Tape.take(t.read, w.data, 2)[1]);
        Tape.take(t.read, w.data, 4 * rank);
        shown.number = tensor;
        shown.encodedType = [from, t.read.data];
        shown.elements = TensorType.elements(w.data[from:t.read.data]);
    }

    /// @return type of a tensor that has been shown
    function _typeOf(
        Operands memory o,
        Witness calldata w,
        uint256 slot
    ) private pure returns (bytes calldata) {
        uint256[2] memory encoded = o.tensors[slot].encodedType;
        return w.data[encoded[0]:encoded[1]];
    }

    /// @return where a chunk begins in the data
    function _chunk(
        Operands memory o,
        Trees memory t,
        Witness calldata w,
        uint256 slot,
        uint256 index
    ) private pure returns (uint256) {
        uint256 count = o.chunkCount;
        ReadChunk[] memory chunks = o.chunks;
        unchecked {
            for (uint256 i = 0; i < count; i++) {
                ReadChunk memory known = chunks[i];
                if (known.tensor == slot && known.index == index) return known.from;
            }
        }
        uint256 from = t.read.data;
        uint256 length = TensorType.chunkBytes(o.tensors[slot].elements, index);
        bytes calldata chunk = Tape.take(t.read, w.data, length);
        o.chunkCount = count + 1;
        ReadChunk memory shown = chunks[count];
        (shown.tensor, shown.index, shown.from) = (slot, index, from);
        shown.leaf = sha256(abi.encodePacked(Commitments.CHUNK, chunk));
        return from;
    }

    /// @return the tensor's root that its chunks lead to
    function _rootOf(
        Operands memory o,
        Trees memory t,
        Witness calldata w,
        uint256 slot
    ) private view returns (bytes32) {
        uint256 chunks = TensorType.chunksOf(o.tensors[slot].elements);
        bytes32 tree;
        if (chunks == 0) {
            tree = sha256(abi.encodePacked(MerkleTree.NODE));
        } else {
            (uint256[] memory indices, bytes32[] memory leaves) = _leavesOf(o, slot);
            tree = Tape.climb(t.read, w.path, chunks, indices, leaves);
        }
        return sha256(abi.encodePacked(Commitments.TENSOR, _typeOf(o, w, slot), tree));
    }

    /// @return indices of the tensor's chunks, ascending
    /// @return leaves those chunks
    function _leavesOf(
        Operands memory o,
        uint256 slot
    ) private pure returns (uint256[] memory indices, bytes32[] memory leaves) {
        uint256 count = o.chunkCount;
        ReadChunk[] memory chunks = o.chunks;
        indices = new uint256[](count);
        leaves = new bytes32[](count);
        uint256 known = 0;
        unchecked {
            for (uint256 i = 0; i < count; i++) {
                ReadChunk memory chunk = chunks[i];
                if (chunk.tensor != slot) continue;
                uint256 place = known++;
                for (; place > 0 && indices[place - 1] > chunk.index; place--) {
                    indices[place] = indices[place - 1];
                    leaves[place] = leaves[place - 1];
                }
                indices[place] = chunk.index;
                leaves[place] = chunk.leaf;
            }
        }
        assembly ("memory-safe") {
            mstore(indices, known)
            mstore(leaves, known)
        }
    }
}
