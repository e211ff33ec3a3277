// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ChunkPlace, ChunkProof} from "../../contracts/libraries/Commitments.sol";
import {LayoutRoot, RunRoot} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";

/// @dev A chunk of a final state, with everything that proves it.
struct Vector {
    ChunkPlace place;
    bytes tensorType;
    ChunkProof proof;
    RunRoot root;
    LayoutRoot stateLayout;
    bytes32[] layoutPath;
}

/// @dev The vectors that TypeScript generates and checks (test/vectors/delivery.json).
abstract contract Vectors {
    bytes[] internal encoded;

    function readVectors() internal {
        encoded = vm.parseJsonBytesArray(vm.readFile("test/vectors/delivery.json"), ".encoded");
        assert(encoded.length > 30);
    }

    function load(uint256 i) internal view returns (Vector memory v) {
        (v.place, v.tensorType, v.proof, v.root, v.stateLayout, v.layoutPath) = abi.decode(
            encoded[i],
            (ChunkPlace, bytes, ChunkProof, RunRoot, LayoutRoot, bytes32[])
        );
    }

    /// @dev Makes the terms describe the run of the vector.
    function aim(Terms memory terms, Vector memory v) internal pure returns (Terms memory) {
        terms.job = v.place.job;
        terms.steps = v.place.steps;
        terms.commitEvery = v.place.commitEvery;
        terms.tensors = v.place.tensors;
        terms.stateLayout = v.stateLayout;
        return terms;
    }
}
