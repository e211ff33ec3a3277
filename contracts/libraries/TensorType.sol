// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The encoded type of a tensor: element type (1 byte), rank (1), extents (4 each, big-endian) (spec 5.3)
library TensorType {
    uint256 internal constant CHUNK_ELEMENTS = 64;
    uint256 internal constant ELEMENT_BYTES = 4;
    uint256 internal constant MAX_RANK = 8;
    uint256 internal constant MAX_ELEMENTS = 2 ** 31 - 1;

    /// @notice The bytes are no tensor type.
    error NoTensorType(bytes encoded);

    /// @return count the number of elements
    function elements(bytes calldata encoded) internal pure returns (uint256 count) {
        require(encoded.length >= 2, NoTensorType(encoded));
        uint256 dtype = uint8(encoded[0]);
        uint256 rank = uint8(encoded[1]);
        require(dtype == 1 || dtype == 2, NoTensorType(encoded));
        require(rank <= MAX_RANK && encoded.length == 2 + 4 * rank, NoTensorType(encoded));
        count = 1;
        // Eight factors below 2^32 stay below 2^256.
        for (uint256 from = 2; from < encoded.length; from += 4) count *= uint32(bytes4(encoded[from:from + 4]));
        require(count <= MAX_ELEMENTS, NoTensorType(encoded));
    }

    function chunksOf(uint256 count) internal pure returns (uint256) {
        return (count + CHUNK_ELEMENTS - 1) / CHUNK_ELEMENTS;
    }

    /// @return the length in bytes of chunk `index`; the last one may be shorter than 256
    function chunkBytes(uint256 count, uint256 index) internal pure returns (uint256) {
        uint256 left = count - index * CHUNK_ELEMENTS;
        return ELEMENT_BYTES * (left < CHUNK_ELEMENTS ? left : CHUNK_ELEMENTS);
    }
}
