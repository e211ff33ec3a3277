// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";

/// @title The vault of `IStakeVault`
/// @dev All money in the vault fits 88 bits (`_take`), and every amount is a part of it, so the casts lose
/// nothing.
contract StakeVault is IStakeVault, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    address internal constant BURNED = 0x000000000000000000000000000000000000dEaD;

    /// @inheritdoc IStakeVault
    IERC20 public immutable token;
    /// @inheritdoc IStakeVault
    address public immutable manager;
    /// @inheritdoc IStakeVault
    uint256 public immutable unbondingPeriod;
    /// @inheritdoc IStakeVault
    uint88 public escrow;
    /// @inheritdoc IStakeVault
    uint88 public condemned;

    /// @dev The fields that every task touches fill the first of the two slots.
    mapping(address owner => Account) private _accounts;

    modifier onlyManager() {
        require(msg.sender == manager, NotTheManager(msg.sender));
        _;
    }

    /// @dev The account that deploys the vault is its manager: a task manager deploys it in its constructor.
    constructor(IERC20 token_, uint256 unbondingPeriod_) {
        token = token_;
        manager = msg.sender;
        unbondingPeriod = unbondingPeriod_;
    }

    /// @inheritdoc IStakeVault
    function deposit(uint256 amount) external nonReentrant {
        require(amount != 0, NothingToDo());
        _accounts[msg.sender].active += uint88(amount);
        emit Deposited(msg.sender, amount);
        _take(msg.sender, amount);
    }

    /// @inheritdoc IStakeVault
    function requestUnbond(uint256 amount) external {
        require(amount != 0, NothingToDo());
        Account storage account = _accounts[msg.sender];
        uint256 active = account.active;
        require(amount <= active, TooLittleStake(msg.sender, active, amount));
        uint256 readyAt = block.timestamp + unbondingPeriod;
        account.active = uint88(active - amount);
        account.unbonding += uint88(amount);
        account.readyAt = uint40(readyAt);
        emit UnbondRequested(msg.sender, amount, readyAt);
    }

    /// @inheritdoc IStakeVault
    function draw() external nonReentrant returns (uint256 amount) {
        Account storage account = _accounts[msg.sender];
        uint256 unbonding = account.unbonding;
        require(unbonding != 0, NothingToDo());
        require(block.timestamp >= account.readyAt, StillUnbonding(account.readyAt));
        amount = Math.min(unbonding, account.active + unbonding - account.exposed);
        require(amount != 0, StillExposed(account.exposed));
        account.unbonding = uint88(unbonding - amount);
        emit Drawn(msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IStakeVault
    function claim(address owner) external nonReentrant returns (uint256 amount) {
        Account storage account = _accounts[owner];
        amount = account.credit;
        require(amount != 0, NothingToDo());
        account.credit = 0;
        emit Claimed(owner, amount);
        token.safeTransfer(owner, amount);
    }

    /// @inheritdoc IStakeVault
    function collect(address payer, uint256 amount) external onlyManager nonReentrant {
        escrow += uint88(amount);
        _take(payer, amount);
    }

    /// @inheritdoc IStakeVault
    function expose(address owner, uint256 amount) external onlyManager {
        Account storage account = _accounts[owner];
        (uint256 active, uint256 exposed) = (account.active, account.exposed);
        uint256 available = active > exposed ? active - exposed : 0;
        require(amount <= available, TooLittleStake(owner, available, amount));
        account.exposed = (exposed + amount).toUint80();
    }

    /// @inheritdoc IStakeVault
    function release(address owner, uint256 amount) external onlyManager {
        _accounts[owner].exposed -= uint80(amount);
    }

    /// @inheritdoc IStakeVault
    function slash(address owner, uint256 amount) external onlyManager {
        Account storage account = _accounts[owner];
        uint256 active = account.active;
        uint256 fromActive = Math.min(amount, active);
        account.active = uint88(active - fromActive);
        account.exposed -= uint80(amount);
        // Exposed stake is never more than active and unbonding stake together.
        if (fromActive < amount) account.unbonding -= uint88(amount - fromActive);
        escrow += uint88(amount);
        emit Slashed(owner, amount);
    }

    /// @inheritdoc IStakeVault
    function credit(address owner, uint256 amount) external onlyManager {
        escrow -= uint88(amount);
        _accounts[owner].credit += uint88(amount);
        emit Credited(owner, amount);
    }

    /// @inheritdoc IStakeVault
    function condemn(uint256 amount) external onlyManager {
        escrow -= uint88(amount);
        condemned += uint88(amount);
    }

    /// @inheritdoc IStakeVault
    function burn() external nonReentrant returns (uint256 amount) {
        amount = condemned;
        require(amount != 0, NothingToDo());
        condemned = 0;
        emit Burned(amount);
        token.safeTransfer(BURNED, amount);
    }

    /// @inheritdoc IStakeVault
    function accountOf(address owner) external view returns (Account memory) {
        return _accounts[owner];
    }

    function _take(address payer, uint256 amount) private {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(payer, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        require(received == amount, WrongAmountReceived(received, amount));
        require(before + amount <= type(uint88).max, VaultFull());
    }
}
