// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Answers} from "./Answers.sol";
import {Claim, Context, Facts, Position, Question} from "./GameTypes.sol";
import {TreeShape} from "./TreeShape.sol";

/// @title The way down: which question comes next once both sides have answered one (spec 7.2)
/// @dev Positions and contexts are changed in place.
abstract contract Descent is Answers {
    /// @dev Starts at a tree's root, on which the two sides differ.
    /// @param p position of an opening, which has position 0
    function _begin(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        bytes32[2] memory roots
    ) internal view returns (bytes32[2] memory) {
        c.root = roots[0];
        p.height = TreeShape.heightOf(p.count);
        return _settle(p, c, facts, roots);
    }

    /// @dev Skips nodes that stand unchanged one level below, and the leaf whose payload is already known.
    /// @param nodes what both sides claim for the node at the position
    /// @return what both sides claim for the node at the new position
    function _settle(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        bytes32[2] memory nodes
    ) internal view returns (bytes32[2] memory) {
        while (p.height > 0 && TreeShape.isPromoted(p.count, p.height, p.position)) {
            p.height--;
            p.position *= 2;
        }
        p.question = p.height > 0 ? Question.Children : Question.Payload;
        bool known = p.height == 0 && _bindsLast(p.level) && p.position + 1 == p.count;
        return known ? _pass(p, c, facts, c.claims, 0) : nodes;
    }

    /// @dev Passes the leaf at the position, where the two sides claim `claims`, and enters the level below.
    /// @param part number of the value in the leaf's payload that is disputed
    function _pass(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        Claim[2] memory claims,
        uint256 part
    ) internal view returns (bytes32[2] memory nodes) {
        c.claims = claims;
        if (!_below(p, c, facts, part)) {
            p.question = Question.Bottom;
            return nodes;
        }
        c.root = 0;
        p.question = Question.Opening;
        p.height = 0;
        p.position = 0;
        // A tree of one leaf that is the claim itself needs no opening.
        if (p.count == 1 && _bindsLast(p.level)) {
            bytes32[2] memory leaves = [_leafOf(p.level, claims[0]), _leafOf(p.level, claims[1])];
            return _begin(p, c, facts, leaves);
        }
    }
}
