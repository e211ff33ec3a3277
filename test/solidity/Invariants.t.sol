// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Actors} from "./Actors.sol";
import {vm} from "./Vm.sol";

/// @dev What the fuzzer calls: moves more often than the rest.
contract Walker {
    Actors private actors;

    constructor(Actors actors_) {
        actors = actors_;
    }

    function post(uint256 seed) external {
        actors.post(seed);
    }

    function move(uint256 seed) external {
        for (uint256 i = 0; i < 3; i++) actors.move(uint256(keccak256(abi.encode(seed, i))));
    }

    function wait(uint256 seed) external {
        actors.wait(seed);
    }

    function exit(uint256 seed) external {
        actors.exit(seed);
    }

    function bank(uint256 seed) external {
        actors.bank(seed);
    }
}

/// @dev What holds whatever the accounts do.
contract InvariantsTest {
    uint256 private constant WEALTH = 2_000_000;
    Actors private actors;
    Walker private walker;

    function setUp() public {
        actors = new Actors();
        walker = new Walker(actors);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(walker);
    }

    /// @dev The token balance is the sum of stakes, escrow, credits and what waits to be burned, and an
    /// honest provider loses nothing.
    function invariant_SolvencyAndHonesty() public view {
        assert(actors.surplus() == 0);
        assert(actors.honestWealth() >= WEALTH);
    }

    /// @dev From any state a stranger can end all tasks, and every account can withdraw all that it owns.
    function invariant_NoExitDependsOnAnotherAccount() public {
        uint256 id = vm.snapshotState();
        assert(actors.endAll());
        assert(actors.emptyVault() == 0);
        vm.revertToState(id);
    }

    /// @dev The run is not vacuous: nearly all calls succeed.
    function invariant_MostCallsSucceed() public view {
        assert(actors.attempts() < 20 || actors.successes() * 100 > actors.attempts() * 80);
    }

    /// @dev A long walk reaches all kinds of states, so the invariants are not vacuous.
    function test_TheActorsReachAllKindsOfStates() public {
        string[20] memory all = [
            "post",
            "accept",
            "commit",
            "reveal",
            "compare",
            "challenge",
            "revealChallenge",
            "lapse",
            "demand",
            "deliver",
            "expireDemand",
            "resolve",
            "escalate",
            "enforce",
            "finalize",
            "expire",
            "deposit",
            "requestUnbond",
            "claim",
            "burn"
        ];
        uint256[20] memory seen;
        for (uint256 walk = 0; walk < 12; walk++) {
            setUp();
            for (uint256 step = 0; step < 250; step++) {
                uint256 seed = uint256(keccak256(abi.encode(walk, step)));
                uint256 kind = seed % 16;
                if (kind == 0) walker.post(seed >> 8);
                else if (kind < 10) walker.move(seed >> 8);
                else if (kind < 12) walker.exit(seed >> 8);
                else if (kind < 13) walker.wait(seed >> 8);
                else walker.bank(seed >> 8);
                invariant_SolvencyAndHonesty();
            }
            invariant_MostCallsSucceed();
            for (uint256 i = 0; i < 20; i++) seen[i] += actors.count(all[i]);
            invariant_NoExitDependsOnAnotherAccount();
        }
        for (uint256 i = 0; i < 20; i++) require(seen[i] > 0, all[i]);
    }
}
