// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ChunkLeaf, KeyHash, SaleId, SealKey, SealRoot} from "../exchange/SaleTypes.sol";
import {MerkleTree} from "./MerkleTree.sol";
import * as Tags from "./Tags.sol";

/// @notice A chunk of a sealed checkpoint, with the proof that the seal's root commits to it.
/// @param index of the chunk among all chunks of the checkpoint
/// @param leaf of the plaintext, as the seller gave it
/// @param ciphertext up to 256 bytes
/// @param path siblings in the tree over the ciphertext
struct SealedChunk {
    uint32 index;
    ChunkLeaf leaf;
    bytes ciphertext;
    bytes32[] path;
}

/// @title How a checkpoint is sealed (spec 6.9): the key's hash, the keystream, the root over the ciphertext
/// @notice The keystream is SHA-256 in counter mode. The EVM has SHA-256 as a precompile, so a chunk of 256
/// bytes is decrypted for a few thousand gas.
library Sealing {
    /// @return SHA-256(14 ‖ sale ‖ key)
    function hashOf(SaleId sale, SealKey key) internal pure returns (KeyHash) {
        return KeyHash.wrap(sha256(abi.encodePacked(Tags.SEAL_KEY, sale, key)));
    }

    /// @return the root that the chunk leads to in a seal of `chunks` chunks
    function rootOf(SealedChunk calldata chunk, uint256 chunks) internal view returns (SealRoot) {
        bytes32 leaf = sha256(abi.encodePacked(Tags.SEALED_CHUNK, chunk.index, chunk.leaf, chunk.ciphertext));
        return SealRoot.wrap(MerkleTree.climb(leaf, chunk.index, chunks, chunk.path));
    }

    /// @return hash SHA-256(02 ‖ plaintext): what the chunk's leaf has to be
    /// @dev Block j of the keystream is SHA-256(16 ‖ key ‖ index ‖ j), both numbers in 4 bytes. The
    /// precompile fails only if there is too little gas.
    function opened(SealedChunk calldata chunk, SealKey key) internal view returns (ChunkLeaf hash) {
        bytes calldata ciphertext = chunk.ciphertext;
        uint256 head = uint256(chunk.index) << 32;
        bytes1 stream = Tags.KEYSTREAM;
        bytes1 plain = Tags.CHUNK;
        assembly ("memory-safe") {
            // First the block's preimage of 41 bytes, then the tagged plaintext. All of it stays free memory.
            let from := mload(0x40)
            let to := add(from, 0x60)
            mstore(from, stream)
            mstore(add(from, 0x01), key)
            mstore(to, plain)
            let text := add(to, 0x01)
            let length := ciphertext.length
            for {
                let at := 0
            } lt(at, length) {
                at := add(at, 0x20)
            } {
                mstore(add(from, 0x21), shl(192, or(head, shr(5, at))))
                if iszero(staticcall(gas(), 0x02, from, 0x29, 0x00, 0x20)) { revert(0x00, 0x00) }
                // Bytes beyond the ciphertext's end are not hashed below.
                mstore(add(text, at), xor(mload(0x00), calldataload(add(ciphertext.offset, at))))
            }
            if iszero(staticcall(gas(), 0x02, to, add(length, 0x01), 0x00, 0x20)) { revert(0x00, 0x00) }
            hash := mload(0x00)
        }
    }
}
