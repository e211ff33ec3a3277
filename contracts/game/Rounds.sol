// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBisection} from "../interfaces/IBisection.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import {NODE} from "../libraries/Tags.sol";
import {Answers} from "./Answers.sol";
import {Claim, Context, Position} from "./GameTypes.sol";
import {TreeShape} from "./TreeShape.sol";

/// @notice What both sides claim at the node or leaf that a reply leads to.
/// @param own the mover's claim
/// @param other the other side's claim
/// @param areClaims whether these are what the leaf commits to, and not hashes of nodes
struct Parting {
    bytes32 own;
    bytes32 other;
    bool areClaims;
}

/// @title What one move shows of a tree: two levels below a node that has four grandchildren, otherwise its
/// two children
/// @notice A move does not show leaves, but what they commit to. Payloads of several values are the
/// exception: they are long, so only the disputed one is shown, after it has been found.
/// @dev A transaction costs more than everything that it shows here. So showing twice as much nearly halves
/// the cost of a tree.
abstract contract Rounds is Answers {
    uint256 private constant PAIR = 64;

    /// @dev Reverts unless the answer has the length that its position demands.
    /// @return node the hash of what is shown below it
    function _nodeAbove(Position memory p, Context memory c, bytes calldata answer) internal view returns (bytes32 node) {
        (bytes32[] memory nodes, ) = _nodesOf(p, c, answer);
        return _top(nodes);
    }

    /// @dev Descends as far as the other side has shown. Reverts unless everything hashes to what the sides
    /// have claimed.
    /// @param p position of the node; it becomes the position of the leftmost node below on which the sides
    /// differ
    /// @param own the mover's node
    /// @param other the other side's node
    /// @param reply the mover's answers to one question after the other: children, and what the leaf commits
    /// to, if that is shown and does not follow from the claim above
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

    /// @dev The same from the bottom up, with only what is needed: the nodes that lead to the hash of all.
    /// This is most of the cost of a common move. Encoding the 65 bytes of a node costs more than hashing
    /// them.
    /// @param shown the other side's node, two levels below, on which the sides differ
    /// @param beside the siblings of `shown` and of its parent: the upper one first
    /// @param siblings the same for the mover's node; zero for a left one, which equals the other side's
    /// @param next the four nodes two levels below the mover's node
    /// @return child the mover's node on which the sides differ
    /// @return own the mover's node two levels above it
    /// @return other the other side's node two levels above
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
                // The precompile fails only if there is too little gas.
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

    /// @return nodes that are shown, or the hashes of the leaves whose payloads are shown
    /// @return payload bytes of each payload; 0 if nodes are shown
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

    /// @return payload number `i` of several payloads of one length
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

    /// @dev Descends to the child on which the sides differ.
    /// @param reply begins with the mover's two children
    /// @param left the other side's left child
    /// @return right 1 if the sides differ on the right child only
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
