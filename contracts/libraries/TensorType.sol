// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The encoded type of a tensor: element type (1 byte), rank (1), extents (4 each, big-endian) (spec
/// 5.3)
library TensorType {
    uint256 internal constant CHUNK_ELEMENTS = 64;
    uint256 internal constant ELEMENT_BYTES = 4;
    uint256 internal constant EXTENT_BYTES = 4;
    uint256 internal constant MAX_RANK = 8;
    uint256 internal constant MAX_ELEMENTS = 0x7fffffff;

    /// @notice The bytes are no tensor type. Every type in a graph that is not refused is one: the type of
    /// each kernel is within these limits (src/encoding/tensor.ts).
    error NoTensorType(bytes encoded);

    /// @notice Reads a type that begins at `position` in calldata.
    /// @return rank of the tensor
    /// @return count the number of elements
    function at(uint256 position) internal pure returns (uint256 rank, uint256 count) {
        bool known;
        assembly ("memory-safe") {
            let head := calldataload(position)
            rank := byte(1, head)
            count := 1
            // Eight factors below 2^32 stay below 2^256. A larger rank is refused.
            for {
                let from := add(position, 2)
                let to := add(from, shl(2, rank))
            } lt(from, to) {
                from := add(from, 4)
            } {
                count := mul(count, shr(224, calldataload(from)))
            }
            // The element type is 1 or 2.
            known := and(lt(sub(byte(0, head), 1), 2), iszero(or(gt(rank, MAX_RANK), gt(count, MAX_ELEMENTS))))
        }
        if (!known) _refuse(position, rank);
    }

    /// @return count the number of elements
    function elements(bytes calldata encoded) internal pure returns (uint256 count) {
        bool complete = encoded.length >= 2 && encoded.length == bytesOf(uint8(encoded[1]));
        require(complete, NoTensorType(encoded));
        uint256 from;
        assembly ("memory-safe") {
            from := encoded.offset
        }
        (, count) = at(from);
    }

    /// @return length of an encoded type
    function bytesOf(uint256 rank) internal pure returns (uint256) {
        unchecked {
            return 2 + EXTENT_BYTES * rank;
        }
    }

    function chunksOf(uint256 count) internal pure returns (uint256) {
        unchecked {
            return (count + CHUNK_ELEMENTS - 1) / CHUNK_ELEMENTS;
        }
    }

    /// @param index of a chunk that the tensor has
    /// @return the length in bytes of chunk `index`; the last chunk may be shorter than 256
    function chunkBytes(uint256 count, uint256 index) internal pure returns (uint256) {
        unchecked {
            uint256 left = count - index * CHUNK_ELEMENTS;
            return ELEMENT_BYTES * (left < CHUNK_ELEMENTS ? left : CHUNK_ELEMENTS);
        }
    }

    /// @return bits of element `index` of a chunk
    function elementAt(bytes calldata chunk, uint256 index) internal pure returns (uint256 bits) {
        uint256 from;
        assembly ("memory-safe") {
            from := chunk.offset
        }
        return bitsAt(from, index);
    }

    /// @return bits of element `index` of the chunk that begins at `from` in calldata; elements are
    /// little-endian
    function bitsAt(uint256 from, uint256 index) internal pure returns (uint256 bits) {
        unchecked {
            from += ELEMENT_BYTES * index;
        }
        assembly ("memory-safe") {
            let word := calldataload(from)
            bits := or(or(byte(0, word), shl(8, byte(1, word))), or(shl(16, byte(2, word)), shl(24, byte(3, word))))
        }
    }

    function _refuse(uint256 from, uint256 rank) private pure {
        uint256 length = bytesOf(rank);
        bytes calldata encoded;
        assembly ("memory-safe") {
            encoded.offset := from
            encoded.length := length
        }
        revert NoTensorType(encoded);
    }
}
