// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Leaves, LeavesLib} from "../../contracts/training/Leaves.sol";
import {Read, Tape} from "../../contracts/training/Tape.sol";

/// @dev Proofs of any leaves of a tree, in calldata.
contract Climber {
    using LeavesLib for Leaves;

    /// @param order of the given leaves, by index
    function climb(
        bytes calldata witness,
        uint256 count,
        uint256[] calldata order,
        bytes32[] calldata hashes
    ) external view returns (bytes32 root) {
        Read memory read = Tape.begin(witness);
        Leaves memory leaves = LeavesLib.none(order.length);
        for (uint256 i = 0; i < order.length; i++) leaves.add(order[i], hashes[i], i + 1);
        for (uint256 i = 0; i < order.length; i++) assert(leaves.payloadOf(order[i]) == i + 1);
        root = Tape.climb(read, count, leaves.from, leaves.to);
        Tape.end(read);
    }

    function climbOne(
        bytes calldata witness,
        uint256 count,
        uint256 index,
        bytes32 hash
    ) external view returns (bytes32 root) {
        Read memory read = Tape.begin(witness);
        root = Tape.climbOne(read, count, index, hash);
        Tape.end(read);
    }
}

/// @dev The test finds the siblings by descending the tree, and the root by hashing level by level (spec
/// 6.3).
contract TapeTest {
    Climber private climber = new Climber();
    /// @dev Nodes by height, and which of them lead to a given leaf.
    bytes32[][] private nodes;
    bool[][] private leads;

    function testFuzz_SeveralLeavesLeadToTheRoot(uint256 seed, uint256 chosen, uint8 size) public {
        uint256 count = 1 + (size % 40);
        chosen |= 1 << (seed % count);
        _plant(seed, count, chosen);
        uint256[] memory order = new uint256[](count);
        uint256 known = 0;
        // From the right, so that each one is inserted before the ones already there.
        for (uint256 i = count; i > 0; i--) if (leads[0][i - 1]) order[known++] = i - 1;
        assembly ("memory-safe") {
            mstore(order, known)
        }
        // One of them is last.
        (order[0], order[known - 1]) = (order[known - 1], order[0]);
        bytes32[] memory hashes = new bytes32[](known);
        for (uint256 i = 0; i < known; i++) hashes[i] = nodes[0][order[i]];
        bytes memory witness = _siblings(nodes.length - 1, 0);
        assert(climber.climb(witness, count, order, hashes) == nodes[nodes.length - 1][0]);
        if (known == 1) assert(climber.climbOne(witness, count, order[0], hashes[0]) == nodes[nodes.length - 1][0]);
        // Another leaf leads to another root.
        hashes[seed % known] = ~hashes[seed % known];
        assert(climber.climb(witness, count, order, hashes) != nodes[nodes.length - 1][0]);
    }

    function test_EveryLeafOfEveryTreeLeadsToItsRoot() public {
        for (uint256 count = 1; count <= 17; count++)
            for (uint256 index = 0; index < count; index++) {
                _plant(count, count, 1 << index);
                bytes32 root = nodes[nodes.length - 1][0];
                assert(climber.climbOne(_siblings(nodes.length - 1, 0), count, index, nodes[0][index]) == root);
            }
    }

    /// @dev What is needed below a node: in its left half, in its right half, and then the missing half.
    function _siblings(uint256 height, uint256 index) private view returns (bytes memory found) {
        if (height == 0 || !leads[height][index]) return found;
        (uint256 left, uint256 right) = (2 * index, 2 * index + 1);
        bool hasRight = right < nodes[height - 1].length;
        found = _siblings(height - 1, left);
        if (!hasRight) return found;
        found = bytes.concat(found, _siblings(height - 1, right));
        if (!leads[height - 1][left]) return bytes.concat(found, nodes[height - 1][left]);
        if (!leads[height - 1][right]) return bytes.concat(found, nodes[height - 1][right]);
    }

    function _plant(uint256 seed, uint256 count, uint256 chosen) private {
        delete nodes;
        delete leads;
        nodes.push();
        leads.push();
        for (uint256 i = 0; i < count; i++) {
            nodes[0].push(keccak256(abi.encode(seed, i)));
            leads[0].push((chosen >> i) & 1 == 1);
        }
        for (uint256 height = 0; nodes[height].length > 1; height++) {
            nodes.push();
            leads.push();
            uint256 width = nodes[height].length;
            for (uint256 i = 0; i < width; i += 2) {
                bytes32 left = nodes[height][i];
                bool alone = i + 1 == width;
                nodes[height + 1].push(
                    alone ? left : sha256(abi.encodePacked(bytes1(0x01), left, nodes[height][i + 1]))
                );
                leads[height + 1].push(leads[height][i] || (!alone && leads[height][i + 1]));
            }
        }
    }
}
