// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A sale: the hash of its terms, the exchange and the chain.
type SaleId is bytes32;

/// @notice The root of the tree over the ciphertext's chunks (spec 6.9).
type SealRoot is bytes32;

/// @notice What a seller commits to: SHA-256(14 ‖ sale ‖ key) (spec 6.9).
type KeyHash is bytes32;

/// @notice The key from which the keystream is made (spec 6.9).
type SealKey is bytes32;

/// @notice The leaf of a chunk in its tensor's tree: SHA-256(02 ‖ chunk) (spec 6.4).
type ChunkLeaf is bytes32;

using {sameSeal as ==} for SealRoot global;
using {sameKey as ==} for KeyHash global;
using {otherLeaf as !=} for ChunkLeaf global;

function sameSeal(SealRoot a, SealRoot b) pure returns (bool) {
    return SealRoot.unwrap(a) == SealRoot.unwrap(b);
}

function sameKey(KeyHash a, KeyHash b) pure returns (bool) {
    return KeyHash.unwrap(a) == KeyHash.unwrap(b);
}

function otherLeaf(ChunkLeaf a, ChunkLeaf b) pure returns (bool) {
    return ChunkLeaf.unwrap(a) != ChunkLeaf.unwrap(b);
}
