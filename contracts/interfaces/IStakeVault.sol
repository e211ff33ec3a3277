// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Where all money of the protocol lies
/// @notice Holds one ERC-20 in four ways: the stake of accounts, the escrow of tasks, credits that wait to be claimed, and
/// what waits to be burned. The token balance is always their sum. Only the task manager that deployed the vault moves money
/// between them; money leaves through `draw` and `claim` alone, towards its owner alone, and through `burn`.
/// @dev The token must move exactly the amounts that it is told to; one that takes a fee is refused when it comes in. A token
/// that changes balances by itself is not supported.
interface IStakeVault {
    /// @param active stake that may secure new tasks
    /// @param credit what `claim` pays out
    /// @param exposed what running tasks may still slash, of active and unbonding stake together
    /// @param unbonding stake on its way out; a slash still reaches it
    /// @param readyAt the first second at which the unbonding stake may be drawn
    struct Account {
        uint88 active;
        uint88 credit;
        uint80 exposed;
        uint88 unbonding;
        uint40 readyAt;
    }

    event Deposited(address indexed owner, uint256 amount);
    event UnbondRequested(address indexed owner, uint256 amount, uint256 readyAt);
    event Drawn(address indexed owner, uint256 amount);
    event Claimed(address indexed owner, uint256 amount);
    event Slashed(address indexed owner, uint256 amount);
    event Credited(address indexed owner, uint256 amount);
    event Burned(uint256 amount);

    /// @notice Only the task manager may call this.
    error NotTheManager(address caller);
    /// @notice The amount is zero, or there is nothing to pay.
    error NothingToDo();
    /// @notice `owner` has `available` and not `wanted`.
    error TooLittleStake(address owner, uint256 available, uint256 wanted);
    /// @notice The unbonding stake may be drawn from `readyAt` on.
    error StillUnbonding(uint256 readyAt);
    /// @notice All unbonding stake still secures running tasks; end them first (anyone may).
    error StillExposed(uint256 exposed);
    /// @notice The token moved `received` instead of `amount`.
    error WrongAmountReceived(uint256 received, uint256 amount);
    /// @notice The vault holds no more than 2^88 - 1 units of the token.
    error VaultFull();

    /// @notice Adds to the caller's active stake. The vault needs an allowance.
    function deposit(uint256 amount) external;

    /// @notice Starts the way out for a part of the caller's active stake. There is one clock per account: a further request
    /// joins what is already on its way and starts the clock anew.
    /// @dev Exposed stake may be unbonded as well: the clock is longer than any task, and a slash reaches it until it is drawn.
    function requestUnbond(uint256 amount) external;

    /// @notice Pays the caller's unbonding stake, less what running tasks may still slash.
    /// @return amount what was paid
    function draw() external returns (uint256 amount);

    /// @notice Pays all of `owner`'s credit to `owner`. Anyone may trigger it.
    /// @return amount what was paid
    function claim(address owner) external returns (uint256 amount);

    /// @notice Manager only: takes `amount` from `payer` into the escrow. The vault needs an allowance.
    function collect(address payer, uint256 amount) external;

    /// @notice Manager only: lets a task slash up to `amount` of `owner`'s active stake.
    function expose(address owner, uint256 amount) external;

    /// @notice Manager only: ends an exposure without a loss.
    function release(address owner, uint256 amount) external;

    /// @notice Manager only: ends an exposure by moving the stake into the escrow, active stake first, then unbonding stake.
    function slash(address owner, uint256 amount) external;

    /// @notice Manager only: moves escrow to `owner`'s credit.
    function credit(address owner, uint256 amount) external;

    /// @notice Manager only: moves escrow to what waits to be burned.
    function condemn(uint256 amount) external;

    /// @notice Sends what waits to be burned to 0x…dEaD, an address without a key. Anyone may trigger it.
    /// @return amount what was burned
    function burn() external returns (uint256 amount);

    function token() external view returns (IERC20);

    function manager() external view returns (address);

    /// @notice Seconds from a request to unbond until the stake may be drawn. No task may last longer.
    function unbondingPeriod() external view returns (uint256);

    /// @notice What tasks hold: rewards, prices of demands, slashed stake that is not yet shared out.
    function escrow() external view returns (uint88);

    /// @notice What waits to be burned.
    function condemned() external view returns (uint88);

    function accountOf(address owner) external view returns (Account memory);
}
