// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBisection} from "../interfaces/IBisection.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {Consent, Context, Position} from "./GameTypes.sol";
import {Machine} from "./Machine.sol";

/// @title Who may open a claim into a tree, if the claim is the last leaf of many trees
/// @notice The owner itself may open it into any of them. Everybody else may open it into the tree that the
/// owner has signed. What is signed names the claim from the start and the place, but no dispute: it is true
/// or false for ever.
abstract contract Consents is Machine {
    /// @dev Reverts unless the owner moves, or has signed.
    /// @param root of the tree
    /// @param side whose claim is opened
    /// @param consent what the mover shows; without a chain, only the owner may move
    /// @param signature the one of the consent that belongs to this opening
    function _requireConsent(
        bytes32 root,
        uint256 side,
        Position memory p,
        Context memory c,
        Consent memory consent,
        bytes memory signature
    ) internal view {
        address owner = c.owners[side];
        if (msg.sender == owner) return;
        require(consent.chain.length != 0, IBisection.NotTheOwner(owner));
        bytes32 digest = _digestOf(p, c, side, root, consent.chain);
        require(Signatures.isSigned(digest, owner, signature), IBisection.NotSigned(owner, digest));
    }
}
