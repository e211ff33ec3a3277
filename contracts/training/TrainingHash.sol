// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MerkleTree} from "../libraries/MerkleTree.sol";
import * as Tags from "../libraries/Tags.sol";

/// @title Leaves that the game and the judge both hash (spec 6.2)
library TrainingHash {
    /// @return hash of the leaf of a graph's tree of kernels
    function ofKernel(bytes calldata kernel) internal view returns (bytes32) {
        return MerkleTree.hashLeaf(Tags.GRAPH_NODE, kernel);
    }

    /// @return hash of the leaf of a fold's tree
    function ofAccumulator(uint256 bits) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(Tags.ACCUMULATOR, uint32(bits)));
    }
}
