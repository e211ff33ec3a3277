// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBisection} from "../interfaces/IBisection.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import {leadingZeros} from "../libraries/LeadingZeros.sol";
import {NODE} from "../libraries/Tags.sol";
import {Claim, Context, Facts, Position} from "./GameTypes.sol";
import {Machine} from "./Machine.sol";

/// @title What a side may answer: how a claim opens, and what a leaf commits to (spec 7.1)
abstract contract Answers is Machine {
    uint256 private constant DIGEST_BYTES = 32;

    /// @dev Reverts unless `answer` opens the claim.
    /// @return root of the tree that the claim opens into
    function _openClaim(
        Position memory p,
        Context memory c,
        Claim claim,
        Facts calldata facts,
        bytes calldata answer
    ) internal view returns (bytes32 root) {
        if (_bindsLast(p.level)) return MerkleTree.climb(_leafOf(p.level, claim), p.count - 1, p.count, _digests(answer));
        require(answer.length == DIGEST_BYTES, IBisection.WrongLength(answer.length, DIGEST_BYTES));
        root = bytes32(answer);
        require(_commit(p, c, facts, root) == claim, IBisection.WrongAnswer());
        if (p.count == 0) require(root == sha256(abi.encodePacked(NODE)), IBisection.WrongAnswer());
    }

    /// @return bytes of the answer that opens a claim
    function _openingBytes(Position memory p) internal pure returns (uint256) {
        if (!_bindsLast(p.level)) return DIGEST_BYTES;
        // The last node of each level has a sibling if its index is odd.
        uint256 siblings = 0;
        for (uint256 last = p.count - 1; last > 0; last &= last - 1) siblings++;
        return DIGEST_BYTES * siblings;
    }

    /// @dev Reverts unless the payload has the length of its level.
    /// @return hash of the leaf that commits to it
    function _leafOfPayload(Position memory p, Context memory c, bytes calldata payload) internal view returns (bytes32) {
        uint256 wanted = _payloadBytes(p, c);
        require(payload.length == wanted, IBisection.WrongLength(payload.length, wanted));
        return MerkleTree.hashLeaf(_tagOf(p.level), payload);
    }

    /// @return part the number of the first value in which two different payloads of one length differ
    function _firstDifference(
        bytes calldata a,
        bytes calldata b,
        uint256 partBytes
    ) internal pure returns (uint256 part) {
        uint256 offset;
        uint256 difference;
        assembly ("memory-safe") {
            // Calldata after the payloads does not matter: an earlier byte differs.
            let from := a.offset
            let apart := sub(b.offset, from)
            for {

            } iszero(difference) {
                from := add(from, 0x20)
            } {
                difference := xor(calldataload(from), calldataload(add(from, apart)))
            }
            // `from` is one word too far.
            offset := sub(sub(from, a.offset), 0x20)
        }
        part = (offset + leadingZeros(difference) / 8) / partBytes;
    }

    /// @return words of the answer
    function _digests(bytes calldata answer) private pure returns (bytes32[] calldata words) {
        require(answer.length % 32 == 0, IBisection.WrongLength(answer.length, (answer.length / 32) * 32));
        assembly ("memory-safe") {
            words.offset := answer.offset
            words.length := shr(5, answer.length)
        }
    }
}
