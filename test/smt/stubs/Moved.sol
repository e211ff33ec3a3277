// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title In the place of a token that moves the amounts that it is told to: the sums that have moved
/// @dev Also in the place of OpenZeppelin's guard, which uses assembly: nothing in a proof can enter again.
abstract contract Moved {
    uint256 internal _taken;
    uint256 internal _given;

    modifier nonReentrant() {
        _;
    }

    function take(address, uint256 amount) internal {
        _taken += amount;
    }

    function safeTransfer(address, uint256 amount) internal {
        _given += amount;
    }
}
