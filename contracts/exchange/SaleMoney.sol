// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IExchange} from "../interfaces/IExchange.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ExactTransfer} from "../libraries/ExactTransfer.sol";

/// @title The money of the exchange: an escrow, credits that wait to be claimed, and what waits to be burned
/// @notice Trusts the token to move the amounts that it is told to. The balance is at least the sum of the
/// three; what somebody sends besides belongs to nobody.
/// @dev An amount has at most 80 bits, so the sums stay below 128 bits, whatever is done.
abstract contract SaleMoney is IExchange, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using ExactTransfer for IERC20;

    address private constant BURNED = 0x000000000000000000000000000000000000dEaD;

    /// @inheritdoc IExchange
    IERC20 public immutable token;
    /// @inheritdoc IExchange
    uint128 public escrow;
    /// @inheritdoc IExchange
    uint128 public condemned;
    /// @inheritdoc IExchange
    mapping(address owner => uint256) public creditOf;

    constructor(IERC20 token_) {
        token = token_;
    }

    /// @inheritdoc IExchange
    function claim(address owner) external returns (uint256 amount) {
        return _pay(owner, owner);
    }

    /// @inheritdoc IExchange
    function claimTo(address to) external returns (uint256 amount) {
        return _pay(msg.sender, to);
    }

    /// @inheritdoc IExchange
    function burn() external nonReentrant returns (uint256 amount) {
        amount = condemned;
        require(amount != 0, IStakeVault.NothingToDo());
        condemned = 0;
        emit SalesBurned(amount);
        token.safeTransfer(BURNED, amount);
    }

    /// @dev The last thing that a call does, because the token is another's code.
    function _collect(address payer, uint80 amount) internal nonReentrant {
        escrow += amount;
        token.take(payer, amount);
    }

    function _credit(address owner, uint256 amount) internal {
        escrow -= uint128(amount);
        creditOf[owner] += amount;
        emit SaleCredited(owner, amount);
    }

    function _condemn(uint256 amount) internal {
        escrow -= uint128(amount);
        condemned += uint128(amount);
    }

    function _pay(address owner, address to) private nonReentrant returns (uint256 amount) {
        amount = creditOf[owner];
        require(amount != 0, IStakeVault.NothingToDo());
        creditOf[owner] = 0;
        emit CreditPaid(owner, to, amount);
        token.safeTransfer(to, amount);
    }
}
