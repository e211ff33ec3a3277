// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The vault that holds all money of the protocol
/// @notice Holds one ERC-20 in four ways: the stake of accounts, the escrow of tasks, credits that wait to be
/// claimed, and amounts that wait to be burned. The token balance is their sum; a gift adds to the balance,
/// and belongs to nobody. Only the task manager that deployed the vault moves money between them. Money
/// leaves only through `draw` and `claim`, to its owner or where its owner says, and through `burn`.
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

    /// @notice An account has added to its active stake.
    /// @param owner of the stake, as in all events of the vault
    /// @param amount in units of the token, as in all events of the vault
    event Deposited(address indexed owner, uint256 amount);
    /// @notice An account has begun to withdraw stake.
    /// @param owner of the stake
    /// @param amount that joins the unbonding stake
    /// @param readyAt the first second at which all of it may be drawn
    event UnbondRequested(address indexed owner, uint256 amount, uint256 readyAt);
    /// @notice Unbonding stake was paid to its owner.
    /// @param owner of the stake
    /// @param amount that was paid, to the owner or to the account that it named
    event Drawn(address indexed owner, uint256 amount);
    /// @notice Credit was paid to its owner.
    /// @param owner of the credit
    /// @param amount that was paid, to the owner or to the account that it named
    event Claimed(address indexed owner, uint256 amount);
    /// @notice Stake of an account went into the escrow, to be shared by the task that has slashed it.
    /// @param owner of the stake
    /// @param amount that was slashed
    event Slashed(address indexed owner, uint256 amount);
    /// @notice An account got credit out of the escrow.
    /// @param owner of the credit
    /// @param amount that was credited; what does not fit 88 bits is burned
    event Credited(address indexed owner, uint256 amount);
    /// @notice What waited to be burned was sent to an address without a key.
    /// @param amount that was burned
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
    /// @notice An account has at most 2^88 - 1 units of active stake.
    error VaultFull();

    /// @notice Adds to the caller's active stake. The vault needs an allowance.
    /// @param amount in units of the token
    function deposit(uint256 amount) external;

    /// @notice Adds to the caller's active stake, with an allowance that the caller has signed (ERC-2612).
    /// @param amount in units of the token
    /// @param deadline the last second at which the signature may be used
    /// @param v of the signature
    /// @param r of the signature
    /// @param s of the signature
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Starts the withdrawal of a part of the caller's active stake. There is one clock for each
    /// account: a further request joins the stake that is already unbonding and restarts the clock.
    /// @dev Exposed stake may be unbonded as well: the clock is longer than any task, and a slash reaches the
    /// stake until it is drawn.
    /// @param amount of active stake
    function requestUnbond(uint256 amount) external;

    /// @notice Pays the caller's unbonding stake, except what running tasks may still slash.
    /// @return amount that was paid
    function draw() external returns (uint256 amount);

    /// @notice As `draw`, to another account: the token may refuse to pay the owner.
    /// @param to the account that is paid
    /// @return amount that was paid
    function drawTo(address to) external returns (uint256 amount);

    /// @notice Pays all of `owner`'s credit to `owner`. Anyone may trigger it.
    /// @param owner of the credit
    /// @return amount that was paid
    function claim(address owner) external returns (uint256 amount);

    /// @notice Pays all of the caller's credit to another account: the token may refuse to pay the owner.
    /// @param to the account that is paid
    /// @return amount that was paid
    function claimTo(address to) external returns (uint256 amount);

    /// @notice Manager only: takes `amount` from `payer` into the escrow. The vault needs an allowance.
    /// @param payer who is paying
    /// @param amount in units of the token
    function collect(address payer, uint256 amount) external;

    /// @notice Manager only: lets a task slash up to `amount` of `owner`'s active stake.
    /// @param owner of the stake
    /// @param amount that may be slashed
    function expose(address owner, uint256 amount) external;

    /// @notice Manager only: ends an exposure without a loss.
    /// @param owner of the stake
    /// @param amount whose exposure ends
    function release(address owner, uint256 amount) external;

    /// @notice Manager only: ends an exposure by moving the stake into the escrow, first active stake, then
    /// unbonding stake.
    /// @param owner of the stake
    /// @param amount that was exposed
    function slash(address owner, uint256 amount) external;

    /// @notice Manager only: moves escrow to `owner`'s credit.
    /// @param owner of the credit
    /// @param amount in units of the token
    function credit(address owner, uint256 amount) external;

    /// @notice Manager only: moves escrow to the amount that waits to be burned.
    /// @param amount in units of the token
    function condemn(uint256 amount) external;

    /// @notice Sends what waits to be burned to 0x…dEaD, an address without a key. Anyone may trigger it.
    /// @return amount that was burned
    function burn() external returns (uint256 amount);

    /// @notice The token of stakes and rewards. It never changes.
    /// @return its address
    function token() external view returns (IERC20);

    /// @notice The task manager, which alone moves money within the vault. It never changes.
    /// @return its address
    function manager() external view returns (address);

    /// @notice Seconds from a request to unbond until the stake may be drawn. No task may last longer.
    /// @return seconds
    function unbondingPeriod() external view returns (uint256);

    /// @notice What tasks hold: rewards, prices of demands, slashed stake that has not been shared yet.
    /// @return units of the token
    function escrow() external view returns (uint128);

    /// @notice The amount that waits to be burned.
    /// @return units of the token
    function condemned() external view returns (uint128);

    /// @notice What an account has in the vault; all zero for an account that it does not know.
    /// @param owner of the account
    /// @return its stake and credit
    function accountOf(address owner) external view returns (Account memory);
}
