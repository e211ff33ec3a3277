// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token without worth, for local chains and tests
contract TestToken is ERC20 {
    constructor() ERC20("Verde test token", "VTT") {}

    /// @notice Anyone may make any amount.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
