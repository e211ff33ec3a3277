// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Which nodes a Merkle tree of a given number of leaves has (spec 6.3)
library TreeShape {
    /// @return height of the root above `count` leaves
    function heightOf(uint256 count) internal pure returns (uint8 height) {
        while ((count + (1 << height) - 1) >> height > 1) height++;
    }

    /// @return whether the node stands unchanged one level below
    function isPromoted(uint256 count, uint256 height, uint256 position) internal pure returns (bool) {
        // All numbers have at most 32 bits. The height is not zero.
        unchecked {
            uint256 below = height - 1;
            return 2 * position + 1 >= (count + (1 << below) - 1) >> below;
        }
    }

    /// @return whether there are four nodes two levels below the one at `position`
    function isDeep(uint256 count, uint256 height, uint256 position) internal pure returns (bool) {
        // All numbers have at most 32 bits. For a height below two the subtraction wraps round to a level
        // without nodes.
        unchecked {
            uint256 below = height - 2;
            return below < type(uint8).max && 4 * position + 3 < (count + (1 << below) - 1) >> below;
        }
    }
}
