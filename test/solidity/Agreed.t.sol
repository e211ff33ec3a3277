// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Context, Place, Sizes} from "../../contracts/game/GameTypes.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import {Agreed, Trees} from "../../contracts/training/Agreed.sol";
import {Leaves, LeavesLib} from "../../contracts/training/Leaves.sol";
import {PlaceLib} from "../../contracts/training/Place.sol";
import {SizesLib} from "../../contracts/training/Sizes.sol";
import {Tape} from "../../contracts/training/Tape.sol";
import {FOLD, SEGMENT, STEP} from "../../contracts/training/TrainingTypes.sol";
import {vm} from "./Vm.sol";

/// @dev Trees that fit together, but are not the trees that the dispute has passed: evidence about them does
/// not count.
contract AgreedTest {
    using LeavesLib for Leaves;

    bytes32 private constant RUNS = "hash of both runs";
    bytes32 private constant SEGMENT_TREE = "segment tree";
    bytes32 private constant STEP_TREE = "step tree";
    bytes32 private constant OP_TREE = "op tree";
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

    function checkTensors(Context calldata c, bytes calldata witness, uint256[] calldata numbers) external view {
        Trees memory t;
        t.read = Tape.begin(witness);
        Leaves memory tensors = LeavesLib.none(numbers.length);
        for (uint256 i = 0; i < numbers.length; i++) tensors.add(numbers[i], _root(numbers[i]), 1);
        Agreed.checkTensors(t, c, tensors);
        Tape.end(t.read);
    }

    function test_theTreesAreThoseThatHaveBeenPassed() public {
        Context memory c;
        c.place = PlaceLib.passing(Place.wrap(0), SEGMENT, 3, 0);
        c.past = _chain(_chain(_chain(RUNS, SEGMENT_TREE), STEP_TREE), OP_TREE);
        Trees memory t = this.open(c, abi.encode(RUNS, SEGMENT_TREE, STEP_TREE, OP_TREE));
        assert(t.segment == SEGMENT_TREE && t.step == STEP_TREE && t.op == OP_TREE);
        vm.expectRevert(IJudge.NotAgreed.selector);
        this.open(c, abi.encode(bytes32(0), SEGMENT_TREE, STEP_TREE, OP_TREE));
        vm.expectRevert(IJudge.NotAgreed.selector);
        this.open(c, abi.encode(RUNS, FORGED, STEP_TREE, OP_TREE));
        vm.expectRevert(IJudge.NotAgreed.selector);
        this.open(c, abi.encode(RUNS, SEGMENT_TREE, FORGED, OP_TREE));
        vm.expectRevert(IJudge.NotAgreed.selector);
        this.open(c, abi.encode(RUNS, SEGMENT_TREE, STEP_TREE, FORGED));
        // Segment 0 has no training steps.
        (c.place, c.past) = (Place.wrap(0), _chain(_chain(RUNS, SEGMENT_TREE), OP_TREE));
        assert(this.open(c, abi.encode(RUNS, SEGMENT_TREE, OP_TREE)).op == OP_TREE);
        vm.expectRevert(IJudge.NotAgreed.selector);
        this.open(c, abi.encode(RUNS, SEGMENT_TREE, FORGED));
    }

    function test_theAccumulatorIsOfTheTreeThatWasOpened() public {
        Context memory c;
        bytes32[2] memory leaves = [_accumulator(5), _accumulator(9)];
        c.place = PlaceLib.passing(Place.wrap(0), FOLD, 1, 0);
        c.sizes = SizesLib.withKernel(Sizes.wrap(0), 1, 2);
        c.root = MerkleTree.hashNode(leaves[0], leaves[1]);
        this.checkAccumulator(c, abi.encode(leaves[1]), 5);
        vm.expectRevert(IJudge.NotAgreed.selector);
        this.checkAccumulator(c, abi.encode(leaves[1]), 6);
        vm.expectRevert(IJudge.NotAgreed.selector);
        this.checkAccumulator(c, abi.encode(FORGED), 5);
    }

    /// @dev An entry of the pre-state of the first training step of a segment, and of a later one.
    function test_thePreStateIsThatOfTheTree() public {
        bytes32 root = "root of an entry";
        bytes32 list = sha256(abi.encodePacked(hex"05", uint32(1), sha256(abi.encodePacked(hex"04", root))));
        for (uint256 step = 0; step < 2; step++) {
            Context memory c;
            c.sizes = SizesLib.withGraph(SizesLib.ofRun(4, 2), 1, 1, 1);
            c.place = PlaceLib.passing(PlaceLib.passing(Place.wrap(0), SEGMENT, 1, 0), STEP, step, 0);
            bytes32 leaf = MerkleTree.hashDigest(step == 0 ? bytes1(0x09) : bytes1(0x08), list);
            // Segments 0, 1, 2; steps 0, 1 of segment 1. The pre-state is leaf 0 of its tree.
            bytes32 tree = step == 0
                ? MerkleTree.hashNode(MerkleTree.hashNode(leaf, FORGED), STEP_TREE)
                : MerkleTree.hashNode(leaf, FORGED);
            bytes memory witness = step == 0 ? abi.encode(FORGED, STEP_TREE) : abi.encode(FORGED);
            Trees memory t;
            (t.segment, t.step) = step == 0 ? (tree, STEP_TREE) : (SEGMENT_TREE, tree);
            this.checkTensor(c, witness, t, 0, root);
            (t.segment, t.step) = step == 0 ? (SEGMENT_TREE, tree) : (tree, STEP_TREE);
            vm.expectRevert(IJudge.NotAgreed.selector);
            this.checkTensor(c, witness, t, 0, root);
        }
    }

    /// @dev A dataset of three lists, of two, no and one tensor: all inputs of an init graph.
    function test_aTensorOfSeveralListsIsProvenInItsList() public {
        bytes32[3] memory lists = [_list(0, 2), _list(2, 0), _list(2, 1)];
        bytes32 pair = MerkleTree.hashNode(lists[0], lists[1]);
        bytes32 dataset = sha256(abi.encodePacked(hex"19", uint32(3), MerkleTree.hashNode(pair, lists[2])));
        Context memory c = _initOf(dataset, 3);
        bytes memory first = abi.encodePacked(uint32(0), uint32(0), uint32(2));
        bytes memory last = abi.encodePacked(uint32(2), uint32(2), uint32(1));
        bytes32 rest = "rest";
        this.checkTensors(c, abi.encodePacked(first, _leaf(0), lists[1], lists[2], rest), _one(1));
        uint256[] memory both = new uint256[](2);
        (both[0], both[1]) = (1, 2);
        this.checkTensors(c, abi.encodePacked(first, _leaf(0), last, lists[1], rest), both);
        for (uint256 i = 0; i < 6; i++) {
            bytes memory witness = abi.encodePacked(_wrong(i), lists[1], rest);
            vm.expectRevert(IJudge.NotAgreed.selector);
            this.checkTensors(c, witness, both);
        }
    }

    /// @dev In a tree of two leaves the way up from a third would be that of the first.
    function test_aListThatDoesNotExistIsNotThatOfAnotherNumber() public {
        bytes32[2] memory lists = [_list(0, 2), _list(2, 1)];
        bytes32 dataset = sha256(abi.encodePacked(hex"19", uint32(2), MerkleTree.hashNode(lists[0], lists[1])));
        Context memory c = _initOf(dataset, 2);
        bytes memory shown = abi.encodePacked(uint32(0), uint32(2), _leaf(0), lists[1], bytes32("rest"));
        this.checkTensors(c, bytes.concat(hex"00000000", shown), _one(1));
        vm.expectRevert(IJudge.NotAgreed.selector);
        this.checkTensors(c, bytes.concat(hex"00000002", shown), _one(1));
    }

    /// @dev Even where the root of the list is the next tensor's, which belongs to another list.
    function test_aListIsShownForATensorThatIsReadAlone() public {
        bytes32 odd = sha256(abi.encodePacked(hex"05", uint32(1), _root(1)));
        bytes32[2] memory lists = [sha256(abi.encodePacked(hex"18", uint32(0), odd)), _list(1, 1)];
        bytes32 dataset = sha256(abi.encodePacked(hex"19", uint32(2), MerkleTree.hashNode(lists[0], lists[1])));
        Context memory c = _initOf(dataset, 2);
        bytes memory last = abi.encodePacked(uint32(1), uint32(1), uint32(1));
        this.checkTensors(c, abi.encodePacked(last, lists[0], bytes32("rest")), _one(1));
        bytes memory unread = abi.encodePacked(uint32(0), uint32(0), uint32(1));
        vm.expectRevert(IJudge.NotAgreed.selector);
        this.checkTensors(c, abi.encodePacked(unread, last, bytes32("rest")), _one(1));
    }

    /// @return c that of an init graph whose three inputs are a dataset of several lists
    function _initOf(bytes32 dataset, uint256 lists) private pure returns (Context memory c) {
        c.job = _chain("rest", dataset);
        c.sizes = SizesLib.withGraph(SizesLib.withLists(SizesLib.ofRun(0, 1), lists), 3, 1, 1);
    }

    function _one(uint256 number) private pure returns (uint256[] memory numbers) {
        numbers = new uint256[](1);
        numbers[0] = number;
    }

    /// @return what is shown of two lists, with something wrong
    function _wrong(uint256 i) private pure returns (bytes memory) {
        bytes memory last = abi.encodePacked(uint32(2), uint32(2), uint32(1));
        // Another sibling, another first tensor, another length, a list that does not exist.
        if (i == 0) return abi.encodePacked(uint32(0), uint32(0), uint32(2), _leaf(1), last);
        if (i == 1) return abi.encodePacked(uint32(0), uint32(2), uint32(2), last);
        if (i == 2) return abi.encodePacked(uint32(0), uint32(0), uint32(1), last);
        if (i == 3) return abi.encodePacked(uint32(3), uint32(0), uint32(2), _leaf(0), last);
        // A list twice, and lists in another order.
        if (i == 4) return abi.encodePacked(uint32(0), uint32(0), uint32(2), _leaf(0), uint32(0), uint32(2), uint32(1));
        return abi.encodePacked(uint32(2), uint32(0), uint32(2), _leaf(0), uint32(1), uint32(2), uint32(1));
    }

    function _root(uint256 number) private pure returns (bytes32) {
        return bytes32(number + 100);
    }

    function _leaf(uint256 number) private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"04", _root(number)));
    }

    function _list(uint256 first, uint256 length) private view returns (bytes32) {
        bytes32[] memory leaves = new bytes32[](length);
        for (uint256 i = 0; i < length; i++) leaves[i] = _leaf(first + i);
        bytes32 root = sha256(abi.encodePacked(hex"05", uint32(length), MerkleTree.rootOf(leaves, length)));
        return sha256(abi.encodePacked(hex"18", uint32(first), root));
    }

    function _accumulator(uint32 bits) private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"07", bits));
    }

    function _chain(bytes32 past, bytes32 root) private pure returns (bytes32) {
        return keccak256(abi.encode(past, root));
    }
}
