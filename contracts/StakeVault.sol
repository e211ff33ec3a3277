// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {ExactTransfer} from "./libraries/ExactTransfer.sol";

/// @title The vault of `IStakeVault`
/// @notice Trusts the task manager that deployed it with all money, and the token to move the amounts that it
/// is told to. It trusts no other account: an owner can only be paid, and can only withdraw its own.
/// @dev Sums are checked, not the balance, so a gift to the vault changes nothing. The stake of an account
/// and its credit fit 88 bits each. The amounts of a task together do, too (`TermsLib.check`), so the sums
/// over all tasks stay below 128 bits. Nothing that ends a task can overflow.
contract StakeVault is IStakeVault, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using ExactTransfer for IERC20;
    using SafeCast for uint256;

    address internal constant BURNED = 0x000000000000000000000000000000000000dEaD;

    /// @inheritdoc IStakeVault
    IERC20 public immutable token;
    /// @inheritdoc IStakeVault
    address public immutable manager;
    /// @inheritdoc IStakeVault
    uint256 public immutable unbondingPeriod;
    /// @inheritdoc IStakeVault
    uint128 public escrow;
    /// @inheritdoc IStakeVault
    uint128 public condemned;

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
    function deposit(uint256 amount) external {
        _deposit(amount);
    }

    /// @inheritdoc IStakeVault
    /// @dev Anyone may have used the signature before. Then the allowance is there, and the permit may fail.
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        try IERC20Permit(address(token)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(amount);
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
    function draw() external returns (uint256 amount) {
        return _draw(msg.sender);
    }

    /// @inheritdoc IStakeVault
    function drawTo(address to) external returns (uint256 amount) {
        return _draw(to);
    }

    /// @inheritdoc IStakeVault
    function claim(address owner) external returns (uint256 amount) {
        return _claim(owner, owner);
    }

    /// @inheritdoc IStakeVault
    function claimTo(address to) external returns (uint256 amount) {
        return _claim(msg.sender, to);
    }

    /// @inheritdoc IStakeVault
    function collect(address payer, uint256 amount) external onlyManager nonReentrant {
        escrow += amount.toUint128();
        token.take(payer, amount);
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
        escrow += uint128(amount);
        emit Slashed(owner, amount);
    }

    /// @inheritdoc IStakeVault
    /// @dev A credit that is full cannot stop a task from ending: what does not fit is burned.
    function credit(address owner, uint256 amount) external onlyManager {
        Account storage account = _accounts[owner];
        uint256 before = account.credit;
        uint256 kept = Math.min(amount, type(uint88).max - before);
        escrow -= uint128(amount);
        account.credit = uint88(before + kept);
        if (kept != amount) condemned += uint128(amount - kept);
        emit Credited(owner, kept);
    }

    /// @inheritdoc IStakeVault
    function condemn(uint256 amount) external onlyManager {
        escrow -= uint128(amount);
        condemned += uint128(amount);
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

    function _deposit(uint256 amount) private nonReentrant {
        require(amount != 0, NothingToDo());
        Account storage account = _accounts[msg.sender];
        uint256 active = account.active;
        require(amount <= type(uint88).max - active, VaultFull());
        account.active = uint88(active + amount);
        emit Deposited(msg.sender, amount);
        token.take(msg.sender, amount);
    }

    function _draw(address to) private nonReentrant returns (uint256 amount) {
        Account storage account = _accounts[msg.sender];
        uint256 unbonding = account.unbonding;
        require(unbonding != 0, NothingToDo());
        require(block.timestamp >= account.readyAt, StillUnbonding(account.readyAt));
        amount = Math.min(unbonding, account.active + unbonding - account.exposed);
        require(amount != 0, StillExposed(account.exposed));
        account.unbonding = uint88(unbonding - amount);
        emit Drawn(msg.sender, amount);
        token.safeTransfer(to, amount);
    }

    function _claim(address owner, address to) private nonReentrant returns (uint256 amount) {
        Account storage account = _accounts[owner];
        amount = account.credit;
        require(amount != 0, NothingToDo());
        account.credit = 0;
        emit Claimed(owner, amount);
        token.safeTransfer(to, amount);
    }
}
