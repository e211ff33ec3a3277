// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Knockout} from "../../contracts/game/Knockout.sol";

/// @dev Who meets whom, and who is left, for all numbers of claims that a task can have.
contract KnockoutTest {
    uint256 private constant MOST = 24;

    function test_neighboursMeetFirst() public pure {
        assert(Knockout.roundOf(0, 1) == 0 && Knockout.roundOf(2, 3) == 0 && Knockout.roundOf(1, 2) == 1);
        assert(Knockout.roundOf(3, 4) == 2 && Knockout.roundOf(15, 16) == 4 && Knockout.roundOf(22, 23) == 0);
        // Claims 0 to 4, and then without claim 1.
        assert(Knockout.meet(31, 0, 1) && Knockout.meet(31, 3, 2) && !Knockout.meet(31, 1, 2) && !Knockout.meet(31, 0, 4));
        assert(!Knockout.meet(29, 0, 1) && !Knockout.meet(29, 0, 2) && Knockout.meet(21, 0, 2) && Knockout.meet(17, 0, 4));
    }

    function test_earlierRoundsAreDecidedFirst() public pure {
        assert(Knockout.survivors(31, 5, 0) == 31 && Knockout.survivors(31, 5, 1) == 16);
        // Claim 0 has won; 2 and 3 still play.
        assert(Knockout.survivors(29, 5, 1) == 17 && Knockout.survivors(29, 5, 2) == 17);
        assert(Knockout.survivors(21, 5, 1) == 21 && Knockout.survivors(21, 5, 2) == 16);
        // The last round does not end.
        assert(Knockout.survivors(3, 2, 9) == 3 && Knockout.survivors(17, 5, 9) == 17);
    }

    /// @dev All claims but one are lies, and what becomes of a dispute between lies is the liars' choice: one
    /// wins, none does, or they still play when the round is over. The true claim meets one other claim in a
    /// round, and is alone after ⌈log2 count⌉ rounds.
    function testFuzz_theTrueClaimIsAloneAfterTheLogarithm(uint256 count, uint256 right, uint256 seed) public pure {
        count = 2 + (count % (MOST - 1));
        right %= count;
        uint256 alive = (1 << count) - 1;
        uint256 rounds = 0;
        while (alive & (alive - 1) != 0) {
            uint256 before = alive;
            uint256 met = 0;
            for (uint256 i = 0; i < count; i++)
                for (uint256 j = i + 1; j < count; j++) {
                    bool both = (before >> i) & (before >> j) & 1 == 1;
                    if (!both || !Knockout.meet(before, i, j) || Knockout.roundOf(i, j) != rounds) continue;
                    seed = uint256(keccak256(abi.encode(seed)));
                    if (i == right || j == right) {
                        met++;
                        alive &= ~(1 << (i + j - right));
                    } else if (seed % 4 < 2) {
                        alive &= ~(1 << (seed % 4 == 0 ? i : j));
                    } else if (seed % 4 == 2) {
                        alive &= ~((1 << i) | (1 << j));
                    }
                }
            rounds++;
            assert(met <= 1 && (alive >> right) & 1 == 1);
            alive = Knockout.survivors(alive, count, rounds);
            assert((alive >> right) & 1 == 1);
        }
        assert(1 << rounds < 2 * count);
    }
}
