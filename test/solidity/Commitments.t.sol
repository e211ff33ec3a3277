// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ChunkPlace, ChunkProof, Commitments} from "../../contracts/libraries/Commitments.sol";
import {JobId, LayoutRoot, RunRoot} from "../../contracts/libraries/Ids.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import {TensorType} from "../../contracts/libraries/TensorType.sol";
import {Vector, Vectors} from "./Vectors.sol";
import {vm} from "./Vm.sol";

/// @dev Takes calldata, as the task manager does.
contract CommitmentsHarness {
    function runRootOf(
        ChunkPlace calldata place,
        bytes calldata tensorType,
        ChunkProof calldata proof
    ) external view returns (RunRoot) {
        return Commitments.runRootOf(place, tensorType, proof);
    }

    function layoutOf(
        bytes calldata tensorType,
        uint256 tensor,
        uint256 tensors,
        bytes32[] calldata path
    ) external view returns (LayoutRoot) {
        return Commitments.layoutOf(tensorType, tensor, tensors, path);
    }

    function climb(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata proof) external view returns (bytes32) {
        return MerkleTree.climb(leaf, index, count, proof);
    }

    function elements(bytes calldata encoded) external pure returns (uint256) {
        return TensorType.elements(encoded);
    }
}

contract CommitmentsTest is Vectors {
    CommitmentsHarness private harness = new CommitmentsHarness();

    function setUp() public {
        readVectors();
    }

    function test_EveryVectorLeadsToItsRoot() public view {
        for (uint256 i = 0; i < encoded.length; i++) {
            Vector memory v = load(i);
            assert(harness.runRootOf(v.place, v.tensorType, v.proof) == v.root);
            assert(harness.layoutOf(v.tensorType, v.place.tensor, v.place.tensors, v.layoutPath) == v.stateLayout);
        }
    }

    function test_ChunksOfAWrongLengthAreRefused() public {
        for (uint256 i = 0; i < encoded.length; i++) {
            Vector memory v = load(i);
            uint256 length = v.proof.chunk.length;
            v.proof.chunk = bytes.concat(v.proof.chunk, hex"00000000");
            vm.expectRevert(abi.encodeWithSelector(Commitments.WrongChunkLength.selector, length + 4, length));
            harness.runRootOf(v.place, v.tensorType, v.proof);
        }
    }

    function testFuzz_AChangedBitLeadsElsewhere(uint256 pick, uint256 bit) public view {
        Vector memory v = load(pick % encoded.length);
        bit %= 8 * v.proof.chunk.length;
        v.proof.chunk[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        assert(harness.runRootOf(v.place, v.tensorType, v.proof) != v.root);
    }

    function testFuzz_AChangedSiblingLeadsElsewhere(uint256 pick, uint256 bit, uint8 path) public view {
        Vector memory v = load(pick % encoded.length);
        bytes32[] memory siblings = v.proof.segmentPath;
        if (path % 3 == 0 && v.proof.chunkPath.length != 0) siblings = v.proof.chunkPath;
        if (path % 3 == 1 && v.proof.statePath.length != 0) siblings = v.proof.statePath;
        siblings[(bit / 256) % siblings.length] ^= bytes32(1 << (bit % 256));
        assert(harness.runRootOf(v.place, v.tensorType, v.proof) != v.root);
    }

    function testFuzz_AnotherPlaceIsRefusedOrLeadsElsewhere(uint256 pick, uint32 tensor, uint32 chunk, JobId job) public view {
        Vector memory v = load(pick % encoded.length);
        bool same = tensor == v.place.tensor && chunk == v.place.chunk && job == v.place.job;
        vm.assume(!same);
        (v.place.tensor, v.place.chunk, v.place.job) = (tensor, chunk, job);
        try harness.runRootOf(v.place, v.tensorType, v.proof) returns (RunRoot root) {
            assert(root != v.root);
        } catch {}
    }

    function test_OnlyTensorTypesAreTaken() public {
        assert(harness.elements(hex"0100") == 1);
        assert(harness.elements(hex"020100000005") == 5);
        assert(harness.elements(hex"01020000000500000000") == 0);
        assert(harness.elements(hex"01017fffffff") == 2 ** 31 - 1);
        bytes[8] memory refused = [
            bytes(hex""),
            hex"01",
            hex"0000",
            hex"0300",
            hex"0101000000",
            hex"01010000000100",
            hex"010180000000",
            hex"0109000000010000000100000001000000010000000100000001000000010000000100000001"
        ];
        for (uint256 i = 0; i < 8; i++) {
            vm.expectRevert(abi.encodeWithSelector(TensorType.NoTensorType.selector, refused[i]));
            harness.elements(refused[i]);
        }
        // Rank 8 is the highest, and eight large factors do not wrap round.
        bytes memory large = hex"0208ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
        vm.expectRevert(abi.encodeWithSelector(TensorType.NoTensorType.selector, large));
        harness.elements(large);
    }

    function test_ProofsHaveTheLengthOfTheirPlace() public {
        bytes32[] memory none = new bytes32[](0);
        bytes32[] memory one = new bytes32[](1);
        assert(harness.climb("leaf", 0, 1, none) == "leaf");
        vm.expectRevert(abi.encodeWithSelector(MerkleTree.WrongProofLength.selector, 1));
        harness.climb("leaf", 0, 1, one);
        vm.expectRevert(abi.encodeWithSelector(MerkleTree.WrongProofLength.selector, 0));
        harness.climb("leaf", 0, 2, none);
        vm.expectRevert(abi.encodeWithSelector(MerkleTree.NoSuchLeaf.selector, 2, 2));
        harness.climb("leaf", 2, 2, one);
        vm.expectRevert(abi.encodeWithSelector(MerkleTree.NoSuchLeaf.selector, 0, 0));
        harness.climb("leaf", 0, 0, none);
    }
}
