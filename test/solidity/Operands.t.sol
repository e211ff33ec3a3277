// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Context, Place, Sizes} from "../../contracts/game/GameTypes.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {PointInput} from "../../contracts/libraries/KernelPoint.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import {Agreed, Trees} from "../../contracts/training/Agreed.sol";
import {JobHash} from "../../contracts/training/JobHash.sol";
import {Leaves, LeavesLib} from "../../contracts/training/Leaves.sol";
import {OperandsLib, Shown} from "../../contracts/training/Operands.sol";
import {PlaceLib} from "../../contracts/training/Place.sol";
import {SizesLib} from "../../contracts/training/Sizes.sol";
import {Tape} from "../../contracts/training/Tape.sol";
import {OP} from "../../contracts/training/TrainingTypes.sol";
import {vm} from "./Vm.sol";

/// @dev As the number of an element: the input is not read.
uint256 constant NOT_READ = type(uint256).max;

/// @dev Reads elements of the tensors of a dataset, with the witness in calldata.
contract Reader {
    using LeavesLib for Leaves;
    using OperandsLib for Shown;

    function read(
        Context calldata c,
        bytes calldata witness,
        uint256[] calldata tensors,
        uint256[] calldata elements
    ) external view returns (uint256[] memory bits) {
        Trees memory t;
        t.read = Tape.begin(witness);
        PointInput[] memory inputs = new PointInput[](tensors.length);
        for (uint256 i = 0; i < inputs.length; i++) {
            inputs[i].isRead = elements[i] != NOT_READ;
            (inputs[i].tensor, inputs[i].element) = (tensors[i], elements[i]);
        }
        OperandsLib.read(t, c, inputs);
        Tape.end(t.read);
        bits = new uint256[](inputs.length);
        for (uint256 i = 0; i < inputs.length; i++) bits[i] = inputs[i].bits;
    }

    /// @dev One element of an operator's output.
    function readOutput(
        Context calldata c,
        bytes calldata witness,
        bytes32 op,
        uint256 tensor
    ) external view returns (uint256) {
        Trees memory t;
        t.read = Tape.begin(witness);
        t.op = op;
        PointInput[] memory inputs = new PointInput[](1);
        (inputs[0].isRead, inputs[0].tensor) = (true, tensor);
        OperandsLib.read(t, c, inputs);
        Tape.end(t.read);
        return inputs[0].bits;
    }

    /// @dev Reads only the types of tensors.
    function readTypes(
        Context calldata c,
        bytes calldata witness,
        uint256[] calldata tensors
    ) external view returns (uint256[] memory rows) {
        Trees memory t;
        t.read = Tape.begin(witness);
        Shown memory s;
        s.chunks = LeavesLib.none(1);
        Leaves memory leaves = LeavesLib.none(tensors.length);
        rows = new uint256[](tensors.length);
        for (uint256 i = 0; i < tensors.length; i++) {
            s.show(t.read);
            s.showFirst(t.read);
            s.showFirst(t.read);
            rows[i] = s.rowsOf();
            leaves.add(tensors[i], s.rootOf(t.read), 0);
        }
        Agreed.checkTensors(t, c, leaves);
        Tape.end(t.read);
    }
}

/// @dev Several chunks of one tensor, in any order; and tensors without elements.
contract OperandsTest {
    bytes32 private constant REST = "the job without its dataset";

    Reader private reader = new Reader();
    /// @dev Tensor 0: 200 ints, element i is i. Tensor 1: no elements.
    bytes private long = hex"0201000000c8";
    bytes private empty = hex"0201_00000000";
    bytes32[4] private leaves;

    function setUp() public {
        for (uint256 i = 0; i < 4; i++) leaves[i] = sha256(abi.encodePacked(hex"02", _chunk(i)));
    }

    function test_chunksOfATensorAreProvenTogetherInAnyOrder() public view {
        uint256[] memory elements = new uint256[](4);
        (elements[0], elements[1], elements[2], elements[3]) = (199, 64, 10, 65);
        bytes memory witness = bytes.concat(long, _chunk(3), _chunk(1), _chunk(0), leaves[2], _dataset());
        uint256[] memory bits = reader.read(_context(), witness, new uint256[](4), elements);
        assert(bits[0] == 199 && bits[1] == 64 && bits[2] == 10 && bits[3] == 65);
    }

    function test_chunksThatAreNoSiblingsHaveTheirOwn() public view {
        uint256[] memory elements = new uint256[](2);
        (elements[0], elements[1]) = (10, 130);
        bytes memory witness = bytes.concat(long, _chunk(0), _chunk(2), leaves[1], leaves[3], _dataset());
        uint256[] memory bits = reader.read(_context(), witness, new uint256[](2), elements);
        assert(bits[0] == 10 && bits[1] == 130);
    }

    function test_whatIsNotReadIsLeftOut() public view {
        uint256[] memory elements = new uint256[](4);
        (elements[0], elements[1], elements[2], elements[3]) = (NOT_READ, 199, NOT_READ, 70);
        bytes memory witness = bytes.concat(long, _chunk(3), _chunk(1), leaves[0], leaves[2], _dataset());
        uint256[] memory bits = reader.read(_context(), witness, new uint256[](4), elements);
        assert(bits[0] == 0 && bits[1] == 199 && bits[2] == 0 && bits[3] == 70);
    }

    function test_aTensorWithoutElementsShowsItsTypeAlone() public view {
        uint256[] memory tensors = new uint256[](2);
        tensors[0] = 1;
        bytes memory witness = bytes.concat(empty, long, _chunk(0), leaves[1], _right(), REST);
        uint256[] memory rows = reader.readTypes(_context(), witness, tensors);
        assert(rows[0] == 0 && rows[1] == 200);
    }

    function test_aScalarHasNoRows() public view {
        Context memory c = _context();
        c.sizes = SizesLib.withGraph(Sizes.wrap(0), 1, 0, 1);
        bytes memory scalar = hex"0200";
        bytes32 leaf = sha256(abi.encodePacked(hex"02", bytes4("1234")));
        bytes32 list = _listLeaf(_root(scalar, leaf));
        c.job = JobHash.withDataset(REST, sha256(abi.encodePacked(hex"05", uint32(1), list)));
        assert(reader.readTypes(c, bytes.concat(scalar, "1234", REST), new uint256[](1))[0] == 0);
    }

    function test_anElementLiesWithinItsTensor() public {
        uint256[] memory elements = new uint256[](1);
        elements[0] = 200;
        Context memory c = _context();
        vm.expectRevert(abi.encodeWithSelector(IJudge.NoSuchElement.selector, 200));
        reader.read(c, long, new uint256[](1), elements);
        // Also where several elements of the tensor are read.
        elements = new uint256[](2);
        elements[1] = 200;
        vm.expectRevert(abi.encodeWithSelector(IJudge.NoSuchElement.selector, 200));
        reader.read(c, bytes.concat(long, _chunk(0)), new uint256[](2), elements);
    }

    function test_aWitnessHoldsWhatIsNeededAndNoMore() public {
        Context memory c = _context();
        uint256[] memory elements = new uint256[](1);
        bytes memory head = bytes.concat(long, _chunk(0), leaves[1], _right());
        bytes32 sibling = _listLeaf(_root(empty, sha256(hex"01")));
        bytes memory witness = bytes.concat(head, sibling, REST);
        reader.read(c, witness, new uint256[](1), elements);
        vm.expectRevert(IJudge.WitnessTooLong.selector);
        reader.read(c, bytes.concat(witness, hex"00"), new uint256[](1), elements);
        vm.expectRevert(IJudge.NotAgreed.selector);
        reader.read(c, bytes.concat(head, REST, sibling), new uint256[](1), elements);
    }

    /// @dev Calldata after the witness does not belong to it, even if it holds exactly what is missing.
    function test_aWitnessEndsWhereItsLengthSays() public {
        uint256[] memory one = new uint256[](1);
        bytes memory witness = bytes.concat(long, _chunk(0), leaves[1], _right(), _dataset());
        for (uint256 missing = 1; missing <= witness.length; missing += 31) {
            bytes memory data = abi.encodeCall(reader.read, (_context(), witness, one, one));
            // The length is before the bytes; the arrays are after them.
            uint256 at = 4 + 32 * (12 + 3);
            uint256 length = witness.length - missing;
            assembly ("memory-safe") {
                mstore(add(add(data, 0x20), at), length)
            }
            (bool done, bytes memory reason) = address(reader).staticcall(data);
            assert(!done && bytes4(reason) == IJudge.WitnessTooShort.selector);
        }
    }

    /// @dev A kernel reads outputs of kernels to its left. The sides differ on its own output, and have not
    /// agreed on later ones.
    function test_anOperandIsTheOutputOfAKernelBefore() public {
        bytes memory scalar = hex"0200";
        bytes32 root = _root(scalar, sha256(abi.encodePacked(hex"02", bytes4(0x07000000))));
        bytes32 leaf = sha256(abi.encodePacked(hex"06", root));
        bytes32 op = MerkleTree.hashNode(MerkleTree.hashNode(leaf, leaf), MerkleTree.hashNode(leaf, leaf));
        bytes memory witness = bytes.concat(scalar, bytes4(0x07000000), leaf, MerkleTree.hashNode(leaf, leaf));
        Context memory c;
        for (uint256 kernel = 0; kernel <= 3; kernel++)
            for (uint256 tensor = 0; tensor < 4; tensor++) {
                // An init graph of three kernels, and the new state.
                c.sizes = SizesLib.withGraph(Sizes.wrap(0), 0, 1, 3);
                c.place = PlaceLib.passing(Place.wrap(0), OP, kernel, 0);
                if (tensor >= kernel) vm.expectRevert(IJudge.NotAgreed.selector);
                uint256 bits = reader.readOutput(c, witness, op, tensor);
                assert(tensor >= kernel || bits == 7);
            }
    }

    /// @dev What the tensor with elements needs in addition.
    function _dataset() private view returns (bytes memory) {
        return bytes.concat(_listLeaf(_root(empty, sha256(hex"01"))), REST);
    }

    function _right() private view returns (bytes32) {
        return MerkleTree.hashNode(leaves[2], leaves[3]);
    }

    /// @dev A step graph without a state; its inputs are the dataset alone.
    function _context() private view returns (Context memory c) {
        c.sizes = SizesLib.withGraph(Sizes.wrap(0), 2, 0, 1);
        bytes32 tree = MerkleTree.hashNode(
            MerkleTree.hashNode(leaves[0], leaves[1]),
            MerkleTree.hashNode(leaves[2], leaves[3])
        );
        bytes32 list = MerkleTree.hashNode(_listLeaf(_root(long, tree)), _listLeaf(_root(empty, sha256(hex"01"))));
        c.job = JobHash.withDataset(REST, sha256(abi.encodePacked(hex"05", uint32(2), list)));
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
