// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Hashes of short strings that begin with a tag (spec 6.2)
/// @notice Evidence consists of such hashes, and encoding such a string costs more than hashing it. The
/// precompile fails only if there is too little gas.
library TaggedHash {
    /// @return hash SHA-256(tag ‖ count ‖ word)
    function ofCount(bytes1 tag, uint256 count, bytes32 word) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            // Uses 37 bytes of the scratch space.
            mstore(0x00, or(tag, shl(216, and(count, 0xffffffff))))
            mstore(0x05, word)
            if iszero(staticcall(gas(), 0x02, 0x00, 0x25, 0x00, 0x20)) { revert(0x00, 0x00) }
            hash := mload(0x00)
        }
    }

    /// @return hash SHA-256(tag ‖ the bytes that begin at `from` in calldata)
    function ofCalldata(bytes1 tag, uint256 from, uint256 length) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            // Uses free memory, which stays free.
            let to := mload(0x40)
            mstore(to, tag)
            calldatacopy(add(to, 1), from, length)
            if iszero(staticcall(gas(), 0x02, to, add(length, 1), 0x00, 0x20)) { revert(0x00, 0x00) }
            hash := mload(0x00)
        }
    }

    /// @return hash SHA-256(tag ‖ the bytes that begin at `from` in calldata ‖ word)
    function ofCalldata(bytes1 tag, uint256 from, uint256 length, bytes32 word) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let to := mload(0x40)
            mstore(to, tag)
            calldatacopy(add(to, 1), from, length)
            mstore(add(add(to, 1), length), word)
            if iszero(staticcall(gas(), 0x02, to, add(length, 0x21), 0x00, 0x20)) { revert(0x00, 0x00) }
            hash := mload(0x00)
        }
    }
}
