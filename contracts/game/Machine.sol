// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Context, Facts, Level, Position} from "./GameTypes.sol";

/// @title The levels of a computation, as the game sees them (spec 7.1)
/// @notice A claim about a computation opens into a Merkle tree. A leaf commits to a payload, which is a claim about a smaller
/// computation and opens into the tree of the next level, down to one step. What is computed, and what stands in the leaves, only the
/// machine knows; the game knows trees.
/// @dev The twin of `Level` and `Machine` in src/game. A claim is a word: a payload of 32 bytes, or the number that a shorter one holds.
/// Positions and contexts are changed in place.
abstract contract Machine {
    /// @param c with what the machine knows of the computation from the start
    /// @return count leaves of the tree that the claims themselves open into
    function _top(Context memory c) internal pure virtual returns (uint256 count);

    /// @notice Passes a leaf on which the sides differ, and enters the level that it opens into: `p.level` and `p.count` become those of
    /// its tree, and `c` what the machine has to know there. `c.root` still is that of side 0's tree at the level that is passed.
    /// @param p of the leaf
    /// @param c whose claims are what the sides claim at the leaf
    /// @param part of the payload, the one that counts
    /// @return whether there is such a level; else the step decides
    function _below(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        uint256 part
    ) internal view virtual returns (bool);

    /// @return the tag of a level's leaves
    function _tagOf(Level level) internal pure virtual returns (bytes1);

    /// @return whether the claim above is what the last leaf commits to; else it is a hash over the tree's root
    function _bindsLast(Level level) internal pure virtual returns (bool);

    /// @dev Asked where the claim is not what the last leaf commits to.
    /// @return claim the hash over a tree's root
    function _commit(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        bytes32 root
    ) internal view virtual returns (Claim claim);

    /// @return of one value, in bytes, where a payload holds several, of which the leftmost different one counts; 0 where it holds one
    function _partBytes(Level level) internal pure virtual returns (uint256);

    /// @return what the leaf at a position commits to, in bytes; of a level whose payloads hold one value, the same at all positions
    function _payloadBytes(Position memory p, Context memory c) internal pure virtual returns (uint256);

    /// @param part number of the value; 0 where the payload holds one
    /// @return claim what a payload claims
    function _claimOf(Level level, bytes calldata payload, uint256 part) internal pure virtual returns (Claim claim);

    /// @dev Asked where the claim is what the last leaf commits to.
    /// @return hash of the leaf that commits to a claim
    function _leafOf(Level level, Claim claim) internal view virtual returns (bytes32 hash);

    /// @notice Executes the step at the bottom. Reverts unless the witness holds.
    /// @param level the last one that the dispute has passed
    /// @return claim the right one
    function _outcome(
        Level level,
        Context calldata c,
        bytes calldata witness
    ) internal view virtual returns (Claim claim);
}
