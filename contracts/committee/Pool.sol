// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ICommittee} from "../interfaces/ICommittee.sol";
import {Candidate, IRotatingCommittee} from "../interfaces/IRotatingCommittee.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ITaskManager} from "../interfaces/ITaskManager.sol";
import {ExactTransfer} from "../libraries/ExactTransfer.sol";

/// @title The pool: places, stakes and pay
/// @dev A draw must not depend on what happens after its block. So a place keeps the blocks between which it
/// could be drawn, and is given to another account only when its last one has withdrawn, which is later than
/// the end of every task that it was drawn for.
abstract contract Pool is IRotatingCommittee, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using ExactTransfer for IERC20;

    /// @dev One place.
    /// @param account that has it, or had it
    /// @param from the block in which it was taken
    /// @param to the block in which it was left, or 0
    struct Place {
        address account;
        uint48 from;
        uint48 to;
    }

    address private constant BURNED = 0x000000000000000000000000000000000000dEaD;

    /// @inheritdoc ICommittee
    ITaskManager public immutable manager;
    /// @inheritdoc ICommittee
    IERC20 public immutable token;
    /// @inheritdoc IRotatingCommittee
    uint256 public immutable price;
    /// @inheritdoc IRotatingCommittee
    uint256 public immutable delay;
    IStakeVault internal immutable _vault;
    /// @inheritdoc IRotatingCommittee
    uint256 public candidates;
    /// @inheritdoc IRotatingCommittee
    uint256 public liabilities;
    /// @inheritdoc ICommittee
    mapping(address member => uint256) public paid;

    uint256 private _condemned;
    mapping(address account => Candidate) private _candidates;
    Place[] private _places;
    /// @dev Numbers of places, from 1, that nobody has.
    uint32[] private _free;

    constructor(ITaskManager manager_, uint256 price_) {
        require(price_ != 0 && price_ <= type(uint80).max, BadCommittee());
        manager = manager_;
        _vault = manager_.vault();
        token = _vault.token();
        delay = _vault.unbondingPeriod();
        price = price_;
    }

    /// @inheritdoc IRotatingCommittee
    function register() external nonReentrant {
        Candidate storage c = _candidates[msg.sender];
        require(c.readyAt == 0, Leaving(c.readyAt));
        uint256 amount = price - c.stake;
        require(amount != 0, NothingToDo());
        if (c.place == 0) {
            c.place = _newPlace();
            candidates++;
        }
        c.stake = uint88(price);
        liabilities += amount;
        emit Registered(msg.sender, amount);
        token.take(msg.sender, amount);
    }

    /// @inheritdoc IRotatingCommittee
    function leavePool() external returns (uint256 readyAt) {
        require(_isCandidate(msg.sender), NotACandidate(msg.sender));
        return _leave(msg.sender);
    }

    /// @inheritdoc IRotatingCommittee
    function withdraw(address to) external nonReentrant returns (uint256 amount) {
        Candidate storage c = _candidates[msg.sender];
        require(c.readyAt != 0, NotACandidate(msg.sender));
        require(block.timestamp >= c.readyAt, Leaving(c.readyAt));
        amount = c.stake;
        _free.push(c.place);
        (c.stake, c.readyAt, c.place) = (0, 0, 0);
        liabilities -= amount;
        emit Withdrawn(msg.sender, amount);
        token.safeTransfer(to, amount);
    }

    /// @inheritdoc ICommittee
    function payMember(address member) external nonReentrant returns (uint256 amount) {
        Candidate storage c = _candidates[member];
        amount = c.pay;
        require(amount != 0, NothingToPay());
        // What the vault still holds has been counted as pay.
        if (token.balanceOf(address(this)) < liabilities) _vault.claim(address(this));
        c.pay = 0;
        liabilities -= amount;
        paid[member] += amount;
        token.safeTransfer(member, amount);
    }

    /// @inheritdoc IRotatingCommittee
    function burn() external nonReentrant returns (uint256 amount) {
        amount = _condemned;
        require(amount != 0, NothingToDo());
        _condemned = 0;
        liabilities -= amount;
        emit Burned(amount);
        token.safeTransfer(BURNED, amount);
    }

    /// @inheritdoc IRotatingCommittee
    function candidateOf(address account) external view returns (Candidate memory) {
        return _candidates[account];
    }

    function _isCandidate(address account) internal view returns (bool) {
        Candidate storage c = _candidates[account];
        return c.place != 0 && c.readyAt == 0;
    }

    function _placeCount() internal view returns (uint256) {
        return _places.length;
    }

    /// @return account that had the place in a block, or zero
    function _accountAt(uint256 index, uint256 number) internal view returns (address account) {
        Place storage p = _places[index];
        if (p.from <= number && (p.to == 0 || p.to >= number)) account = p.account;
    }

    /// @dev Takes a part of a full stake from an account, or what it has left. With less than half of a stake
    /// the account is not drawn any more.
    function _dock(address account, uint256 percent) internal returns (uint256 amount) {
        Candidate storage c = _candidates[account];
        amount = Math.min((price * percent) / 100, c.stake);
        c.stake -= uint88(amount);
        emit Docked(account, amount);
        if (c.stake * 2 < price && _isCandidate(account)) _leave(account);
    }

    function _condemn(uint256 amount) internal {
        _condemned += amount;
    }

    function _earn(address account, uint256 amount) internal {
        _candidates[account].pay += uint88(amount);
        emit Earned(account, amount);
    }

    /// @dev Counts money that the contract has, here or in the vault, as pay.
    function _owe(uint256 amount) internal {
        liabilities += amount;
    }

    function _credit() internal view returns (uint256) {
        return _vault.accountOf(address(this)).credit;
    }

    /// @return what the contract has and does not owe
    function _surplus() internal view returns (uint256) {
        return token.balanceOf(address(this)) + _credit() - liabilities;
    }

    function _leave(address account) private returns (uint256 readyAt) {
        Candidate storage c = _candidates[account];
        readyAt = block.timestamp + delay;
        c.readyAt = uint40(readyAt);
        _places[c.place - 1].to = uint48(block.number);
        candidates--;
        emit Left(account, readyAt);
    }

    /// @return number of the place, from 1
    function _newPlace() private returns (uint32 number) {
        Place memory p = Place({account: msg.sender, from: uint48(block.number), to: 0});
        if (_free.length == 0) {
            _places.push(p);
            return uint32(_places.length);
        }
        number = _free[_free.length - 1];
        _free.pop();
        _places[number - 1] = p;
    }
}
