// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {GraphTrees, JobFacts} from "./TrainingTypes.sol";

/// @title Hashes of what a dispute has to know of its job; moves show the preimages again when they need them
library JobHash {
    /// @dev The dataset is separate, since only the step at the bottom needs it, and that step needs nothing
    /// else.
    function hashOf(JobFacts memory job) internal pure returns (bytes32) {
        return withDataset(keccak256(abi.encode(job.id, job.step, job.init, job.fromCheckpoint)), job.dataset);
    }

    function withDataset(bytes32 rest, bytes32 dataset) internal pure returns (bytes32) {
        return Hashes.efficientKeccak256(rest, dataset);
    }

    /// @return job the preimage of `hash`
    function open(bytes32 hash, bytes calldata encoded) internal pure returns (JobFacts memory job) {
        job = abi.decode(encoded, (JobFacts));
        require(hashOf(job) == hash, IDisputeGame.WrongFacts());
    }

    /// @return trees the preimage of `hash`
    function openTrees(bytes32 hash, bytes calldata encoded) internal pure returns (GraphTrees memory trees) {
        trees = abi.decode(encoded, (GraphTrees));
        require(keccak256(abi.encode(trees)) == hash, IDisputeGame.WrongFacts());
    }
}
