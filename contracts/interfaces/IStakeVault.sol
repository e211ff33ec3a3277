// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The vault that holds all money of the protocol
/// @notice Holds one ERC-20 in four ways: the stake of accounts, the escrow of tasks, credits that wait to be
/// claimed, and amounts that wait to be burned. The token balance is always their sum. Only the task manager
/// that deployed the vault moves money between them. Money leaves only through `draw` and `claim`, to its
/// owner, and through `burn`.
/// @dev The token must move exactly the amounts that it is told to. The vault refuses a deposit of a token
/// that takes a fee. A token that changes balances by itself is not supported.
interface IStakeVault {
    /// @param active stake that may secure new tasks
    /// @param credit what `claim` pays
    /// @param exposed what running tasks may still slash, of active and unbonding stake together
    /// @param unbonding stake that is being withdrawn; a slash still reaches it
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
    /// @notice `owner` has only `available`; `wanted` is needed.
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

    /// @notice Starts the withdrawal of a part of the caller's active stake. There is one clock for each
    /// account: a further request joins the stake that is already unbonding and restarts the clock.
    /// @dev Exposed stake may be unbonded as well: the clock is longer than any task, and a slash reaches the
    /// stake until it is drawn.
    function requestUnbond(uint256 amount) external;

    /// @notice Pays the caller's unbonding stake, except what running tasks may still slash.
    /// @return amount that was paid
    function draw() external returns (uint256 amount);

    /// @notice Pays all of `owner`'s credit to `owner`. Anyone may trigger it.
    /// @return amount that was paid
    function claim(address owner) external returns (uint256 amount);

    /// @notice Manager only: takes `amount` from `payer` into the escrow. The vault needs an allowance.
    function collect(address payer, uint256 amount) external;

    /// @notice Manager only: lets a task slash up to `amount` of `owner`'s active stake.
    function expose(address owner, uint256 amount) external;

    /// @notice Manager only: ends an exposure without a loss.
    function release(address owner, uint256 amount) external;

    /// @notice Manager only: ends an exposure by moving the stake into the escrow, first active stake, then
    /// unbonding stake.
    function slash(address owner, uint256 amount) external;

    /// @notice Manager only: moves escrow to `owner`'s credit.
    function credit(address owner, uint256 amount) external;

    /// @notice Manager only: moves escrow to the amount that waits to be burned.
    function condemn(uint256 amount) external;

    /// @notice Sends what waits to be burned to 0x…dEaD, an address without a key. Anyone may trigger it.
    /// @return amount that was burned
    function burn() external returns (uint256 amount);

    function token() external view returns (IERC20);

    function manager() external view returns (address);

    /// @notice Seconds from a request to unbond until the stake may be drawn. No task may last longer.
    function unbondingPeriod() external view returns (uint256);

    /// @notice What tasks hold: rewards, prices of demands, slashed stake that has not been shared yet.
    function escrow() external view returns (uint88);

    /// @notice The amount that waits to be burned.
    function condemned() external view returns (uint88);

    function accountOf(address owner) external view returns (Account memory);
}
