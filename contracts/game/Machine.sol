// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Context, Facts, Level, Position} from "./GameTypes.sol";

/// @title The levels of a computation, as the game sees them (spec 7.1)
/// @notice A claim about a computation opens into a Merkle tree. A leaf of the tree commits to a payload. The
/// payload is a claim about a smaller computation and opens into the tree of the next level. The last level
/// is one step. The game only knows trees. Only the machine knows what is computed and what the leaves hold.
/// @dev The counterpart of `Level` and `Machine` in src/game. A claim is a word: a payload of 32 bytes, or
/// the number that a shorter payload holds. Positions and contexts are changed in place.
abstract contract Machine {
    /// @notice Called once, at the start of a dispute.
    /// @param c holds what the contract above the game knows of the computation; the machine adds what it has
    /// to know of the claims
    /// @return count leaves of the tree that the claims themselves open into
    function _top(Context memory c) internal pure virtual returns (uint256 count);

    /// @notice Passes a leaf on which the sides differ, and enters the level that the leaf opens into:
    /// `p.level` and `p.count` become those of the new tree, and `c` what the machine has to know there.
    /// `c.root` is still the root of side 0's tree at the level that is passed.
    /// @param p position of the leaf
    /// @param c `c.claims` is what the sides claim at the leaf
    /// @param part number of the value in the payload that is disputed
    /// @return whether there is such a level; if not, the step decides
    function _below(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        uint256 part
    ) internal view virtual returns (bool);

    /// @return the tag of a level's leaves
    function _tagOf(Level level) internal pure virtual returns (bytes1);

    /// @return whether the claim above is what the last leaf commits to; if not, it is a hash over the tree's
    /// root
    function _bindsLast(Level level) internal pure virtual returns (bool);

    /// @dev Called only if the claim is not what the last leaf commits to.
    /// @return claim the hash over a tree's root
    function _commit(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        bytes32 root
    ) internal view virtual returns (Claim claim);

    /// @return bytes of one value, if a payload holds several values and the leftmost different one is
    /// disputed; 0 if a payload holds one value
    function _partBytes(Level level) internal pure virtual returns (uint256);

    /// @return bytes of what the leaf at the position commits to; if the payloads of a level hold one value,
    /// the same at all positions
    function _payloadBytes(Position memory p, Context memory c) internal pure virtual returns (uint256);

    /// @param part number of the value; 0 if the payload holds one value
    /// @return claim what a payload claims
    function _claimOf(Level level, bytes calldata payload, uint256 part) internal pure virtual returns (Claim claim);

    /// @dev Called only if the claim is what the last leaf commits to.
    /// @return hash of the leaf that commits to a claim
    function _leafOf(Level level, Claim claim) internal view virtual returns (bytes32 hash);

    /// @notice What the owner of a claim signs, so that others may open it into this tree.
    /// @dev Called only if the claim is what the last leaf commits to.
    /// @param p position of the opening
    /// @param side whose claim is opened
    /// @param root of the tree
    /// @param chain what the machine keeps a hash of in the context; the function reverts if it is something
    /// else
    /// @return digest of a sentence that names the side's claim from the start, the tree's place and its root
    function _digestOf(
        Position memory p,
        Context memory c,
        uint256 side,
        bytes32 root,
        bytes32[] memory chain
    ) internal view virtual returns (bytes32 digest);

    /// @notice Executes the step at the bottom. Reverts unless the witness is valid.
    /// @param level the last level that the dispute has passed
    /// @return claim the correct one
    function _outcome(
        Level level,
        Context calldata c,
        bytes calldata witness
    ) internal view virtual returns (Claim claim);
}
