// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RotatingActors} from "./RotatingActors.sol";

/// @dev What the fuzzer calls: moves more often than the rest.
contract RotatingWalker {
    RotatingActors private actors;

    constructor(RotatingActors actors_) {
        actors = actors_;
    }

    function post(uint256 seed) external {
        actors.post(seed);
    }

    function move(uint256 seed) external {
        for (uint256 i = 0; i < 4; i++) actors.move(uint256(keccak256(abi.encode(seed, i))));
    }

    function wait(uint256 seed) external {
        actors.wait(seed);
    }

    function pool(uint256 seed) external {
        actors.pool(seed);
    }
}

/// @dev What holds of a drawn committee whatever its candidates do.
contract RotatingInvariantsTest {
    RotatingActors private actors;
    RotatingWalker private walker;

    function setUp() public {
        actors = new RotatingActors();
        walker = new RotatingWalker(actors);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(walker);
    }

    /// @dev Stakes and pay are covered by what the committee has, here and in the vault, and are no more than
    /// it counts as owed. An honest member that speaks in time loses nothing.
    function invariant_CoveredAndHonest() public view {
        actors.surplus();
        assert(actors.owned() <= actors.liabilities());
        assert(actors.honestAreWhole());
    }

    /// @dev A long walk reaches all kinds of ends, so the invariants are not vacuous.
    function test_TheActorsReachAllKindsOfEnds() public {
        string[12] memory all = [
            "register",
            "leave",
            "withdraw",
            "convene",
            "replace",
            "draw",
            "truth",
            "lie",
            "enforce",
            "overrule",
            "confirm",
            "settle"
        ];
        uint256[12] memory seen;
        for (uint256 walk = 0; walk < 4; walk++) {
            setUp();
            for (uint256 step = 0; step < 150; step++) {
                uint256 seed = uint256(keccak256(abi.encode(walk, step)));
                uint256 kind = seed % 12;
                if (kind < 2) walker.post(seed >> 8);
                else if (kind < 8) walker.move(seed >> 8);
                else if (kind < 10) walker.wait(seed >> 8);
                else walker.pool(seed >> 8);
                invariant_CoveredAndHonest();
            }
            for (uint256 i = 0; i < 12; i++) seen[i] += actors.count(all[i]);
        }
        for (uint256 i = 0; i < 12; i++) require(seen[i] > 0, all[i]);
    }
}
