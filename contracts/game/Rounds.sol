// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBisection} from "../interfaces/IBisection.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import {NODE} from "../libraries/Tags.sol";
import {Answers} from "./Answers.sol";
import {Claim, Context, Position} from "./GameTypes.sol";
import {TreeShape} from "./TreeShape.sol";

/// @notice What both sides claim at the node or leaf to which a reply leads.
/// @param own the mover's
/// @param other the other side's
/// @param areClaims whether these are what the leaf commits to, and not nodes
struct Parting {
    bytes32 own;
    bytes32 other;
    bool areClaims;
}

/// @title What one move shows of a tree: two levels below a node that has four grandchildren, and else its two children
/// @notice Instead of leaves, what they commit to is shown: but for payloads of several values, which are so long that the right one alone is
/// shown, once it is found.
/// @dev A transaction costs more than all that it shows here, so showing twice as much nearly halves what a tree costs.
abstract contract Rounds is Answers {
    uint256 private constant PAIR = 64;

    /// @dev Reverts unless the answer has the length that its place demands.
    /// @return node to which what is shown below it hashes
    function _nodeAbove(Position memory p, Context memory c, bytes calldata answer) internal view returns (bytes32 node) {
        (bytes32[] memory nodes, ) = _nodesOf(p, c, answer);
        return _top(nodes);
    }

    /// @dev Goes down as far as the other side has shown. Reverts unless all hashes to what the sides have claimed.
    /// @param p of the node; it becomes that of the leftmost node below on which they part
    /// @param own the mover's node
    /// @param other the other side's
    /// @param reply the mover's answers to one question after the other: children, and what the leaf commits to, where that is shown and
    /// does not follow from the claim above
    /// @param shown what the other side has shown below its node
    function _followed(
        Position memory p,
        Context memory c,
        bytes32 own,
        bytes32 other,
        bytes calldata reply,
        bytes calldata shown
    ) internal view returns (Parting memory part) {
        (bytes32[] memory nodes, uint256 payload) = _nodesOf(p, c, shown);
        require(_top(nodes) == other, IBisection.WrongAnswer());
        part.own = own;
        uint256 right = 0;
        if (nodes.length == 4) {
            right = 2 * _choose(p, part, reply, MerkleTree.hashNode(nodes[0], nodes[1]));
            reply = reply[PAIR:];
        }
        right += _choose(p, part, reply, nodes[right]);
        reply = reply[PAIR:];
        part.other = nodes[right];
        part.areClaims = payload > 0 && !(_bindsLast(p.level) && p.position + 1 == p.count);
        if (!part.areClaims) {
            require(reply.length == 0, IBisection.WrongLength(reply.length, 0));
            return part;
        }
        require(_leafOfPayload(p, c, reply) == part.own, IBisection.WrongAnswer());
        part.own = Claim.unwrap(_claimOf(p.level, reply, 0));
        part.other = Claim.unwrap(_claimOf(p.level, _payloadAt(shown, payload, right), 0));
    }

    /// @dev The same from below, where only what is needed is shown: the nodes that lead to the hash of all. This is most of a common move.
    /// Encoding the 65 bytes of a node costs more than hashing them.
    /// @param shown the other side's node on which they part, two levels below
    /// @param beside its siblings, the upper and the lower
    /// @param siblings those of the mover's node; zero for a left one, which is the other side's
    /// @param next the four nodes two levels below the mover's
    /// @return child the mover's node on which they part
    /// @return own its node two levels above
    /// @return other the other side's
    function _ascended(
        bytes32 shown,
        bytes32[2] calldata beside,
        bytes32[2] calldata siblings,
        bytes32[4] calldata next
    ) internal view returns (bytes32 child, bytes32 own, bytes32 other) {
        assembly ("memory-safe") {
            let from := mload(0x40)
            let left := add(from, 0x01)
            let right := add(from, 0x21)

            function hashAt(node) -> hash {
                // The precompile fails for want of gas only.
                if iszero(staticcall(gas(), 0x02, node, 0x41, 0x00, 0x20)) { revert(0x00, 0x00) }
                hash := mload(0x00)
            }

            mstore8(from, byte(0, NODE))
            calldatacopy(left, next, 0x40)
            child := hashAt(from)
            calldatacopy(left, add(next, 0x40), 0x40)
            mstore(right, hashAt(from))
            mstore(left, child)
            child := hashAt(from)
            own := child
            other := shown
            for { let above := 2 } above { } {
                above := sub(above, 1)
                let sibling := calldataload(add(siblings, shl(5, above)))
                switch sibling
                case 0 {
                    mstore(left, calldataload(add(beside, shl(5, above))))
                    mstore(right, own)
                    own := hashAt(from)
                    mstore(right, other)
                }
                default {
                    mstore(left, own)
                    mstore(right, sibling)
                    own := hashAt(from)
                    mstore(left, other)
                    mstore(right, calldataload(add(beside, shl(5, above))))
                }
                other := hashAt(from)
            }
        }
    }

    /// @return nodes that are shown, or the hashes of the leaves whose payloads are
    /// @return payload bytes of each of these; 0 where nodes are shown
    function _nodesOf(
        Position memory p,
        Context memory c,
        bytes calldata shown
    ) private view returns (bytes32[] memory nodes, uint256 payload) {
        bool deep = TreeShape.isDeep(p.count, p.height, p.position);
        nodes = new bytes32[](deep ? 4 : 2);
        if (p.height == (deep ? 2 : 1) && _partBytes(p.level) == 0) payload = _payloadBytes(p, c);
        uint256 size = payload > 0 ? payload : 32;
        uint256 wanted = size * nodes.length;
        require(shown.length == wanted, IBisection.WrongLength(shown.length, wanted));
        if (payload == 0) {
            assembly ("memory-safe") {
                calldatacopy(add(nodes, 0x20), shown.offset, shown.length)
            }
            return (nodes, 0);
        }
        bytes1 tag = _tagOf(p.level);
        // The length has been checked.
        unchecked {
            for (uint256 i = 0; i < nodes.length; i++) nodes[i] = MerkleTree.hashLeaf(tag, _payloadAt(shown, payload, i));
        }
    }

    /// @return payload one of several of one length
    function _payloadAt(
        bytes calldata shown,
        uint256 length,
        uint256 index
    ) private pure returns (bytes calldata payload) {
        assembly ("memory-safe") {
            payload.offset := add(shown.offset, mul(length, index))
            payload.length := length
        }
    }

    function _top(bytes32[] memory nodes) private view returns (bytes32 node) {
        node = MerkleTree.hashNode(nodes[0], nodes[1]);
        if (nodes.length == 4) node = MerkleTree.hashNode(node, MerkleTree.hashNode(nodes[2], nodes[3]));
    }

    /// @dev Goes down to the child on which the sides part.
    /// @param reply begins with the mover's two children
    /// @param left the other side's left child
    /// @return right 1 if it is the right one
    function _choose(
        Position memory p,
        Parting memory part,
        bytes calldata reply,
        bytes32 left
    ) private view returns (uint256 right) {
        require(reply.length >= PAIR, IBisection.WrongLength(reply.length, PAIR));
        bytes32 first = bytes32(reply[:32]);
        bytes32 second = bytes32(reply[32:PAIR]);
        require(MerkleTree.hashNode(first, second) == part.own, IBisection.WrongAnswer());
        right = first == left ? 1 : 0;
        part.own = right == 1 ? second : first;
        p.height--;
        p.position = uint32(2 * p.position + right);
    }
}
