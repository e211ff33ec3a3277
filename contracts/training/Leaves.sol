// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Some leaves of one tree, with ascending indices. Each has three words in memory: its index, its
/// hash, and the position in calldata of what it commits to.
/// @param from where the first one begins
/// @param to where the last one ends
struct Leaves {
    uint256 from;
    uint256 to;
}

library LeavesLib {
    /// @dev Bytes of a leaf.
    uint256 internal constant SIZE = 0x60;

    /// @return leaves an empty list, with room for `most`
    function none(uint256 most) internal pure returns (Leaves memory leaves) {
        uint256 from;
        assembly ("memory-safe") {
            from := mload(0x40)
            mstore(0x40, add(from, mul(most, SIZE)))
        }
        (leaves.from, leaves.to) = (from, from);
    }

    /// @notice Adds a leaf. There must be room, and no other leaf may have its index.
    function add(Leaves memory leaves, uint256 index, bytes32 hash, uint256 payload) internal pure {
        assembly ("memory-safe") {
            let from := mload(leaves)
            let at := mload(add(leaves, 0x20))
            mstore(add(leaves, 0x20), add(at, SIZE))
            // Leaves with larger indices make room.
            for {
                let before := sub(at, SIZE)
            } iszero(or(lt(before, from), lt(mload(before), index))) {
                before := sub(at, SIZE)
            } {
                mcopy(at, before, SIZE)
                at := before
            }
            mstore(at, index)
            mstore(add(at, 0x20), hash)
            mstore(add(at, 0x40), payload)
        }
    }

    /// @return payload position in calldata of what leaf `index` commits to; 0 if the leaf is not in the list
    function payloadOf(Leaves memory leaves, uint256 index) internal pure returns (uint256 payload) {
        assembly ("memory-safe") {
            let to := mload(add(leaves, 0x20))
            for {
                let at := mload(leaves)
            } lt(at, to) {
                at := add(at, SIZE)
            } {
                if eq(mload(at), index) { payload := mload(add(at, 0x40)) }
            }
        }
    }

    /// @return index of the leaf at a place in memory
    function indexAt(uint256 place) internal pure returns (uint256 index) {
        assembly ("memory-safe") {
            index := mload(place)
        }
    }

    /// @return hash of the leaf at a place in memory
    function hashAt(uint256 place) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := mload(add(place, 0x20))
        }
    }

    /// @notice Replaces the leaf at a place in memory.
    function put(uint256 place, uint256 index, bytes32 hash) internal pure {
        assembly ("memory-safe") {
            mstore(place, index)
            mstore(add(place, 0x20), hash)
        }
    }
}
