// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A knock-out between claims
/// @notice Claims have numbers from 0. Neighbours meet in round 0, the survivors of neighbouring pairs in
/// round 1, and so on: the claims of a group of 2^(r + 1) numbers are down to one after round r. A claim
/// whose neighbours have fallen meets nobody.
/// @dev Sets of claims are words: bit i stands for claim i.
library Knockout {
    /// @param one claim
    /// @param other another claim
    /// @return round in which the two can meet
    function roundOf(uint256 one, uint256 other) internal pure returns (uint256 round) {
        unchecked {
            for (uint256 differ = (one ^ other) >> 1; differ != 0; differ >>= 1) round++;
        }
    }

    /// @param alive the claims that stand
    /// @return whether the two are the only ones that stand in the smallest group that holds both
    function meet(uint256 alive, uint256 one, uint256 other) internal pure returns (bool) {
        unchecked {
            uint256 size = 2 << roundOf(one, other);
            uint256 group = ((1 << size) - 1) << (one & ~(size - 1));
            return alive & group == (1 << one) | (1 << other);
        }
    }

    /// @notice Claims that still play when their round is over fall, all of a group. The last round is not
    /// over as long as its two claims play: nobody waits for it.
    /// @param alive the claims that stand
    /// @param count how many claims there were at first
    /// @param over how many rounds are over
    /// @return the claims that are left
    function survivors(uint256 alive, uint256 count, uint256 over) internal pure returns (uint256) {
        unchecked {
            for (uint256 size = 2; over != 0 && size < count; (size, over) = (2 * size, over - 1)) {
                for (uint256 first = 0; first < count; first += size) {
                    uint256 rivals = alive & (((1 << size) - 1) << first);
                    if (rivals & (rivals - 1) != 0) alive ^= rivals;
                }
            }
            return alive;
        }
    }
}
