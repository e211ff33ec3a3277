// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Judge} from "../../contracts/Judge.sol";
import {Claim, Context, Level, Place} from "../../contracts/game/GameTypes.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import {PlaceLib} from "../../contracts/training/Place.sol";
import {SizesLib} from "../../contracts/training/Sizes.sol";
import {CHUNK, FOLD, STATE} from "../../contracts/training/TrainingTypes.sol";
import {vm} from "./Vm.sol";

/// @dev Steps in segment 0 whose graph and kernel the test writes. Whole disputes are decided in
/// `Bisection.t.sol`.
contract JudgeTest {
    bytes32 private constant RUNS = "hash of both runs";
    bytes32 private constant SEGMENT_TREE = "segment tree";
    bytes32 private constant OP_TREE = "op tree";
    bytes32 private constant KERNELS = "tree of kernels";
    bytes32 private constant REST = "the job without its dataset";
    uint256 private constant START = 5;

    Judge private judge = new Judge();

    /// @dev The outputs of the init graph are its two inputs. A graph with other outputs, whose evidence fits
    /// together, names another tensor.
    function test_anEntryIsTheTensorThatTheAgreedGraphNames() public {
        Context memory c = _context();
        c.sizes = SizesLib.withGraph(SizesLib.ofRun(0, 1), 2, 2, 1);
        c.place = PlaceLib.passing(Place.wrap(0), STATE, 1, 0);
        bytes32 list = MerkleTree.hashNode(_input(0), _input(1));
        c.job = keccak256(abi.encode(REST, sha256(abi.encodePacked(hex"05", uint32(2), list))));
        bytes32 outputs = MerkleTree.hashNode(_output(0), _output(1));
        c.graph = keccak256(abi.encode(KERNELS, outputs));
        Claim right = judge.judge(STATE, c, _entryWitness(KERNELS, outputs, 1));
        assert(Claim.unwrap(right) == _root(1));
        _refuses(STATE, c, _entryWitness(KERNELS, MerkleTree.hashNode(_output(0), _output(0)), 0));
        _refuses(STATE, c, _entryWitness("other kernels", outputs, 1));
        _refuses(STATE, c, _entryWitness(KERNELS, outputs, 0));
    }

    /// @dev Step k adds k. A long fold is proven step by step, and a short one whole.
    function test_aFoldBeginsWithItsStart() public view {
        uint256[4] memory lengths = [uint256(9), 3, 1, 0];
        uint256[4] memory results = [START, START + 0 + 1 + 2, START, START];
        for (uint256 i = 0; i < 4; i++) {
            bytes memory kernel = _fold(START, lengths[i]);
            bool isLong = lengths[i] > 8;
            Context memory c = _contextOf(kernel, isLong ? lengths[i] : 0);
            Claim right = judge.judge(isLong ? FOLD : CHUNK, c, _elementWitness(kernel));
            assert(uint256(Claim.unwrap(right)) == results[i]);
        }
    }

    function test_anElementIsThatOfTheAgreedKernel() public {
        for (uint256 length = 0; length < 4; length++) {
            Context memory c = _contextOf(_fold(START, length), 0);
            _refuses(CHUNK, c, _elementWitness(_fold(START + 1, length)));
            _refuses(CHUNK, c, _elementWitness(_fold(START, length + 1)));
        }
    }

    function _refuses(Level level, Context memory c, bytes memory witness) private {
        vm.expectRevert(IJudge.NotAgreed.selector);
        judge.judge(level, c, witness);
    }

    function _context() private pure returns (Context memory c) {
        bytes32 past = keccak256(abi.encode(RUNS, SEGMENT_TREE));
        c.past = keccak256(abi.encode(past, OP_TREE));
    }

    /// @param leaves of the tree below the element, 0 if there is none
    function _contextOf(bytes memory kernel, uint256 leaves) private pure returns (Context memory c) {
        c = _context();
        c.kernel = sha256(abi.encodePacked(hex"0d", kernel));
        c.sizes = SizesLib.withKernel(SizesLib.withGraph(SizesLib.ofRun(0, 1), 0, 1, 1), 1, leaves);
    }

    /// @dev Entry 1 is tensor `tensor`; entry 0 is tensor 0.
    function _entryWitness(bytes32 kernels, bytes32 outputs, uint32 tensor) private pure returns (bytes memory) {
        bytes memory named = abi.encodePacked(kernels, outputs, tensor, _output(0), _root(tensor));
        return abi.encodePacked(RUNS, SEGMENT_TREE, OP_TREE, named, _input(1 - tensor), REST);
    }

    function _elementWitness(bytes memory kernel) private pure returns (bytes memory) {
        return abi.encodePacked(RUNS, SEGMENT_TREE, OP_TREE, uint32(kernel.length), kernel);
    }

    /// @return kernel a fold over one axis that adds the fold index to an int
    function _fold(uint256 start, uint256 length) private pure returns (bytes memory kernel) {
        bytes memory head = abi.encodePacked(hex"020200", uint32(start), uint8(1), uint32(length));
        return abi.encodePacked(head, uint32(12), hex"0203000001000000", hex"20000100", hex"0103");
    }

    function _root(uint256 tensor) private pure returns (bytes32) {
        return bytes32(100 + tensor);
    }

    function _input(uint256 tensor) private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"04", _root(tensor)));
    }

    function _output(uint32 tensor) private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"12", tensor));
    }
}
