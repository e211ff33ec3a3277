// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title In the place of the vault, for the task manager: the sums that it has been told to move
abstract contract Booked {
    uint256 internal _slashed;
    uint256 internal _credited;
    uint256 internal _condemned;
    /// @dev The pot of the one task of a proof.
    uint88 internal _pot;

    function slash(address, uint256 amount) internal {
        _slashed += amount;
    }

    function credit(address, uint256 amount) internal {
        _credited += amount;
    }

    function condemn(uint256 amount) internal {
        _condemned += amount;
    }

    function release(address, uint256) internal pure {}
}
