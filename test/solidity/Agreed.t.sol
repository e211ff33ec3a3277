// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Agreed, Trees} from "../../contracts/game/Agreed.sol";
import {Context, Level} from "../../contracts/game/GameTypes.sol";
import {Leaves, LeavesLib} from "../../contracts/game/Leaves.sol";
import {PlaceWord} from "../../contracts/game/PlaceWord.sol";
import {SizeWord} from "../../contracts/game/SizeWord.sol";
import {Tape} from "../../contracts/game/Tape.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import {vm} from "./Vm.sol";

/// @dev Trees that fit together, but are not those that the dispute has passed: evidence about them is none.
contract AgreedTest {
    using LeavesLib for Leaves;

    bytes32 private constant SEGMENT = "segment tree";
    bytes32 private constant STEP = "step tree";
    bytes32 private constant OP = "op tree";
    bytes32 private constant FORGED = "another tree";

    function open(Context calldata c, bytes calldata witness) external pure returns (Trees memory t) {
        return Agreed.open(c, witness);
    }

    function checkAccumulator(Context calldata c, bytes calldata witness, uint256 bits) external view {
        Trees memory t;
        t.read = Tape.begin(witness);
        Agreed.checkAccumulator(t, c, bits);
    }

    function checkTensor(Context calldata c, bytes calldata witness, Trees memory t, uint256 tensor, bytes32 root) external view {
        t.read = Tape.begin(witness);
        Leaves memory tensors = LeavesLib.none(1);
        tensors.add(tensor, root, 1);
        Agreed.checkTensors(t, c, tensors);
    }

    function test_theTreesAreThoseThatHaveBeenPassed() public {
        Context memory c;
        c.place = PlaceWord.passing(0, Level.Segment, 3, 0);
        c.past = _chain(_chain(_chain(0, SEGMENT), STEP), OP);
        Trees memory t = this.open(c, abi.encode(SEGMENT, STEP, OP));
        assert(t.segment == SEGMENT && t.step == STEP && t.op == OP);
        vm.expectRevert(Agreed.NotAgreed.selector);
        this.open(c, abi.encode(FORGED, STEP, OP));
        vm.expectRevert(Agreed.NotAgreed.selector);
        this.open(c, abi.encode(SEGMENT, FORGED, OP));
        vm.expectRevert(Agreed.NotAgreed.selector);
        this.open(c, abi.encode(SEGMENT, STEP, FORGED));
        // Segment 0 has no steps.
        (c.place, c.past) = (0, _chain(_chain(0, SEGMENT), OP));
        assert(this.open(c, abi.encode(SEGMENT, OP)).op == OP);
        vm.expectRevert(Agreed.NotAgreed.selector);
        this.open(c, abi.encode(SEGMENT, FORGED));
    }

    function test_theAccumulatorIsOfTheTreeThatWasOpened() public {
        Context memory c;
        bytes32[2] memory leaves = [_accumulator(5), _accumulator(9)];
        c.place = PlaceWord.passing(0, Level.Fold, 1, 0);
        c.sizes = SizeWord.withKernel(0, 1, 2);
        c.root = MerkleTree.hashNode(leaves[0], leaves[1]);
        this.checkAccumulator(c, abi.encode(leaves[1]), 5);
        vm.expectRevert(Agreed.NotAgreed.selector);
        this.checkAccumulator(c, abi.encode(leaves[1]), 6);
        vm.expectRevert(Agreed.NotAgreed.selector);
        this.checkAccumulator(c, abi.encode(FORGED), 5);
    }

    /// @dev An entry of the state before the first step of a segment, and of one within it.
    function test_theStateBeforeIsThatOfTheTree() public {
        bytes32 root = "root of an entry";
        bytes32 list = sha256(abi.encodePacked(hex"05", uint32(1), sha256(abi.encodePacked(hex"04", root))));
        for (uint256 step = 0; step < 2; step++) {
            Context memory c;
            c.sizes = SizeWord.withGraph(SizeWord.ofRun(4, 2), 1, 1, 1);
            c.place = PlaceWord.passing(PlaceWord.passing(0, Level.Segment, 1, 0), Level.Step, step, 0);
            bytes32 leaf = MerkleTree.hashDigest(step == 0 ? bytes1(0x09) : bytes1(0x08), list);
            // Segments 0, 1, 2; steps 0, 1 of segment 1. What is before is leaf 0 of its tree.
            bytes32 tree = step == 0
                ? MerkleTree.hashNode(MerkleTree.hashNode(leaf, FORGED), STEP)
                : MerkleTree.hashNode(leaf, FORGED);
            bytes memory witness = step == 0 ? abi.encode(FORGED, STEP) : abi.encode(FORGED);
            Trees memory t;
            (t.segment, t.step) = step == 0 ? (tree, STEP) : (SEGMENT, tree);
            this.checkTensor(c, witness, t, 0, root);
            (t.segment, t.step) = step == 0 ? (SEGMENT, tree) : (tree, STEP);
            vm.expectRevert(Agreed.NotAgreed.selector);
            this.checkTensor(c, witness, t, 0, root);
        }
    }

    function _accumulator(uint32 bits) private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"07", bits));
    }

    function _chain(bytes32 past, bytes32 root) private pure returns (bytes32) {
        return keccak256(abi.encode(past, root));
    }
}
