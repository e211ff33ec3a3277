// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";

/// @title Taking tokens from a payer, exactly as many as were asked for
library ExactTransfer {
    using SafeERC20 for IERC20;

    /// @notice Takes `amount` from `payer` for this contract. Reverts if the balance does not grow by it.
    /// @dev What the contract holds besides plays no part: a gift of any size changes nothing.
    function take(IERC20 token, address payer, uint256 amount) internal {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(payer, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        require(received == amount, IStakeVault.WrongAmountReceived(received, amount));
    }
}
