// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobId} from "../../contracts/libraries/Ids.sol";
import {LeafJob} from "../../contracts/rounds/LeafJob.sol";
import {PlanHash} from "../../contracts/rounds/PlanHash.sol";
import "../../contracts/rounds/RoundTypes.sol";
import {JobFacts} from "../../contracts/training/TrainingTypes.sol";
import {vm} from "./Vm.sol";

/// @dev A record of rounds, as TypeScript has derived it (test/vectors/rounds.json).
/// @param name of the plan
/// @param turns root of the plan's tree of turns
/// @param stores the plan's storage part
/// @param instance of these terms, on this chain and with this manager
/// @param leaves of the record
/// @param jobs of the leaves
struct RoundVector {
    uint256 chain;
    address manager;
    RoundTerms terms;
    bytes name;
    bytes32 turns;
    PlanStores stores;
    InstanceId instance;
    bytes32 record;
    LeafEvidence[] leaves;
    JobId[] jobs;
}

/// @dev The other tests of rounds make their leaves with the contracts' own hashes. Here they are another's.
contract RoundHashesTest {
    bytes[] private encoded;

    function setUp() public {
        encoded = vm.parseJsonBytesArray(vm.readFile("test/vectors/rounds.json"), ".encoded");
        assert(encoded.length == 4);
    }

    function test_aLeafHasTheJobThatTypeScriptDerives() public view {
        uint256 leaves = 0;
        for (uint256 i = 0; i < encoded.length; i++) {
            RoundVector memory v = load(i);
            for (uint256 j = 0; j < v.leaves.length; j++) {
                JobFacts memory facts = this.factsOf(v.terms, v.record, v.leaves[j]);
                RoundTemplate memory template = v.leaves[j].template;
                TemplateJob memory job = v.leaves[j].place.round == 0 ? template.genesis : template.later;
                assert(facts.id == v.jobs[j] && facts.step == job.step && facts.init == job.init);
                assert(v.leaves[j].leaf.claim.job == v.jobs[j]);
                leaves++;
            }
        }
        assert(leaves > 14);
    }

    function test_aPlanAndAnInstanceHaveTheIdsOfTypeScript() public {
        for (uint256 i = 0; i < encoded.length; i++) {
            RoundVector memory v = load(i);
            vm.chainId(v.chain);
            assert(this.planOf(v.terms, v.name, v.turns, v.stores) == v.terms.plan);
            assert(InstanceId.unwrap(this.instanceOf(v.terms, v.manager)) == InstanceId.unwrap(v.instance));
        }
    }

    function factsOf(
        RoundTerms calldata terms,
        bytes32 record,
        LeafEvidence calldata e
    ) external view returns (JobFacts memory) {
        return LeafJob.factsOf(terms, e, LeafJob.recorded(terms, record, e));
    }

    function planOf(
        RoundTerms calldata terms,
        bytes calldata name,
        bytes32 turns,
        PlanStores calldata stores
    ) external pure returns (PlanId) {
        return PlanHash.planOf(terms, name, turns, stores);
    }

    function instanceOf(RoundTerms calldata terms, address manager) external view returns (InstanceId) {
        return PlanHash.instanceOf(terms, manager);
    }

    function load(uint256 i) private view returns (RoundVector memory v) {
        v = abi.decode(encoded[i], (RoundVector));
    }
}
