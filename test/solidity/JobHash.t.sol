// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {JobId} from "../../contracts/libraries/Ids.sol";
import {JobHash} from "../../contracts/training/JobHash.sol";
import {GraphTrees, JobFacts} from "../../contracts/training/TrainingTypes.sol";
import {vm} from "./Vm.sol";

/// @dev A dispute accepts only the facts of its own job, whatever a move shows.
contract JobHashTest {
    function open(bytes32 hash, bytes calldata encoded) external pure returns (JobFacts memory) {
        return JobHash.open(hash, encoded);
    }

    function openTrees(bytes32 hash, bytes calldata encoded) external pure returns (GraphTrees memory) {
        return JobHash.openTrees(hash, encoded);
    }

    function test_factsOfAnotherJobAreRefused() public {
        JobFacts memory job = JobFacts(JobId.wrap("job"), "step graph", "init graph", false, "dataset");
        bytes32 hash = JobHash.hashOf(job);
        assert(this.open(hash, abi.encode(job)).step == "step graph");
        for (uint256 field = 0; field < 5; field++) {
            JobFacts memory other = JobFacts(JobId.wrap("job"), "step graph", "init graph", false, "dataset");
            if (field == 0) other.id = JobId.wrap("another job");
            if (field == 1) other.step = "another graph";
            if (field == 2) other.init = "another beginning";
            if (field == 3) other.fromCheckpoint = true;
            if (field == 4) other.dataset = "other data";
            vm.expectRevert(IDisputeGame.WrongFacts.selector);
            this.open(hash, abi.encode(other));
        }
    }

    function test_treesOfAnotherGraphAreRefused() public {
        bytes32 hash = keccak256(abi.encode(GraphTrees("kernels", "outputs")));
        assert(this.openTrees(hash, abi.encode(GraphTrees("kernels", "outputs"))).kernels == "kernels");
        vm.expectRevert(IDisputeGame.WrongFacts.selector);
        this.openTrees(hash, abi.encode(GraphTrees("other kernels", "outputs")));
        vm.expectRevert(IDisputeGame.WrongFacts.selector);
        this.openTrees(hash, abi.encode(GraphTrees("kernels", "other outputs")));
    }
}
