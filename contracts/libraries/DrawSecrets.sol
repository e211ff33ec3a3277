// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What the salt of terms commits to, where something of the task is drawn
/// @notice The salt commits to one secret. That secret may itself commit to a further one, and so on: then
/// seats and each round of a committee open one link after another. Who knows a link doesn't know the next.
library DrawSecrets {
    bytes32 private constant COMMITMENT = keccak256("Verde draw commitment 1");
    bytes32 private constant LINK = keccak256("Verde draw link 1");

    /// @return salt of terms that commit to a secret
    function saltOf(bytes32 secret) internal pure returns (bytes32 salt) {
        return keccak256(abi.encode(COMMITMENT, secret));
    }

    /// @return link the secret that commits to `next`
    function linkOf(bytes32 next) internal pure returns (bytes32 link) {
        return keccak256(abi.encode(LINK, next));
    }
}
