// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Agreed, Trees, Witness} from "../../contracts/game/Agreed.sol";
import {Context} from "../../contracts/game/GameTypes.sol";
import {JobHash} from "../../contracts/game/JobHash.sol";
import {Operands, OperandsLib} from "../../contracts/game/Operands.sol";
import {SizeWord} from "../../contracts/game/SizeWord.sol";
import {Tape} from "../../contracts/game/Tape.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import {vm} from "./Vm.sol";

/// @dev Reads elements of the tensors of a dataset, with the witness in calldata.
contract Reader {
    function read(
        Context calldata c,
        Witness calldata w,
        uint256[] calldata tensors,
        uint256[] calldata elements
    ) external view returns (uint256[] memory bits) {
        Trees memory t;
        Operands memory o = OperandsLib.none(tensors.length);
        bits = new uint256[](tensors.length);
        for (uint256 i = 0; i < tensors.length; i++) {
            if (elements[i] == type(uint256).max) OperandsLib.showFirst(o, t, w, tensors[i]);
            else bits[i] = OperandsLib.bitsOf(o, t, w, tensors[i], elements[i]);
        }
        OperandsLib.prove(o, t, c, w);
        Tape.end(t.read, w.data, w.path);
    }
}

/// @dev Several chunks of one tensor, in any order; and tensors without elements.
contract OperandsTest {
    uint256 private constant TYPE_ALONE = type(uint256).max;
    bytes32 private constant REST = "the job without its dataset";

    Reader private reader = new Reader();
    /// @dev Tensor 0: 200 ints, element i is i. Tensor 1: none.
    bytes private long = hex"0201000000c8";
    bytes private empty = hex"0201_00000000";
    bytes32[4] private leaves;

    function setUp() public {
        for (uint256 i = 0; i < 4; i++) leaves[i] = sha256(abi.encodePacked(hex"02", _chunk(i)));
    }

    function test_chunksOfATensorAreProvenTogetherInAnyOrder() public view {
        uint256[] memory elements = new uint256[](4);
        (elements[0], elements[1], elements[2], elements[3]) = (199, 64, 10, 65);
        bytes32[] memory path = new bytes32[](3);
        path[0] = leaves[2];
        (path[1], path[2]) = (_listLeaf(_root(empty, sha256(hex"01"))), REST);
        bytes memory data = bytes.concat(long, _chunk(3), _chunk(1), _chunk(0));
        uint256[] memory bits = reader.read(_context(), _witness(data, path), new uint256[](4), elements);
        assert(bits[0] == 199 && bits[1] == 64 && bits[2] == 10 && bits[3] == 65);
    }

    function test_chunksThatAreNoSiblingsHaveTheirOwn() public view {
        uint256[] memory elements = new uint256[](2);
        (elements[0], elements[1]) = (10, 130);
        bytes32[] memory path = new bytes32[](4);
        (path[0], path[1]) = (leaves[1], leaves[3]);
        (path[2], path[3]) = (_listLeaf(_root(empty, sha256(hex"01"))), REST);
        bytes memory data = bytes.concat(long, _chunk(0), _chunk(2));
        uint256[] memory bits = reader.read(_context(), _witness(data, path), new uint256[](2), elements);
        assert(bits[0] == 10 && bits[1] == 130);
    }

    function test_aTensorWithoutElementsShowsItsTypeAlone() public view {
        uint256[] memory tensors = new uint256[](3);
        uint256[] memory elements = new uint256[](3);
        (tensors[0], tensors[2]) = (1, 1);
        (elements[0], elements[1], elements[2]) = (TYPE_ALONE, TYPE_ALONE, TYPE_ALONE);
        bytes32[] memory path = new bytes32[](3);
        (path[0], path[1]) = (leaves[1], MerkleTree.hashNode(leaves[2], leaves[3]));
        path[2] = REST;
        reader.read(_context(), _witness(bytes.concat(empty, long, _chunk(0)), path), tensors, elements);
    }

    function test_anElementLiesWithinItsTensor() public {
        uint256[] memory elements = new uint256[](1);
        elements[0] = 200;
        Context memory c = _context();
        vm.expectRevert(abi.encodeWithSelector(OperandsLib.NoSuchElement.selector, 0, 200));
        reader.read(c, _witness(long, new bytes32[](0)), new uint256[](1), elements);
    }

    function test_aWitnessHoldsWhatIsNeededAndNoMore() public {
        Context memory c = _context();
        uint256[] memory elements = new uint256[](1);
        bytes32[] memory path = new bytes32[](4);
        (path[0], path[1]) = (leaves[1], MerkleTree.hashNode(leaves[2], leaves[3]));
        (path[2], path[3]) = (_listLeaf(_root(empty, sha256(hex"01"))), REST);
        bytes memory data = bytes.concat(long, _chunk(0));
        reader.read(c, _witness(data, path), new uint256[](1), elements);
        vm.expectRevert(Tape.WitnessTooLong.selector);
        reader.read(c, _witness(bytes.concat(data, hex"00"), path), new uint256[](1), elements);
        vm.expectRevert(Tape.WitnessTooShort.selector);
        reader.read(c, _witness(long, path), new uint256[](1), elements);
        (path[2], path[3]) = (path[3], path[2]);
        vm.expectRevert(Agreed.NotAgreed.selector);
        reader.read(c, _witness(data, path), new uint256[](1), elements);
        assembly ("memory-safe") {
            mstore(path, 3)
        }
        vm.expectRevert(Tape.WitnessTooShort.selector);
        reader.read(c, _witness(data, path), new uint256[](1), elements);
    }

    /// @dev A step graph without a state, whose inputs are the dataset alone.
    function _context() private view returns (Context memory c) {
        c.sizes = SizeWord.withGraph(0, 2, 0, 1);
        bytes32 tree = MerkleTree.hashNode(
            MerkleTree.hashNode(leaves[0], leaves[1]),
            MerkleTree.hashNode(leaves[2], leaves[3])
        );
        bytes32 list = MerkleTree.hashNode(_listLeaf(_root(long, tree)), _listLeaf(_root(empty, sha256(hex"01"))));
        c.job = JobHash.withDataset(REST, sha256(abi.encodePacked(hex"05", uint32(2), list)));
    }

    function _witness(bytes memory data, bytes32[] memory path) private pure returns (Witness memory) {
        return Witness({kernel: "", data: data, path: path});
    }

    function _root(bytes memory encodedType, bytes32 tree) private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"03", encodedType, tree));
    }

    function _listLeaf(bytes32 root) private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"04", root));
    }

    function _chunk(uint256 index) private pure returns (bytes memory chunk) {
        uint256 count = index < 3 ? 64 : 8;
        for (uint256 i = 0; i < count; i++) chunk = bytes.concat(chunk, bytes1(uint8(64 * index + i)), hex"000000");
    }
}
