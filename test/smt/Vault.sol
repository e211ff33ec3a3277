// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {StakeVault} from "../../contracts/StakeVault.sol";

/// @title What each operation of the vault does to its sums, from any state that `_any` allows
/// @dev `a` is the account that the operation names, `other` any other one.
contract VaultProofs is StakeVault {
    uint256 private constant HALF = type(uint128).max / 2;

    struct Any {
        address owner;
        Account a;
        address other;
        Account b;
        uint128 escrow;
        uint128 condemned;
    }

    constructor() StakeVault(IERC20(address(0)), 1) {}

    function deposits(Any calldata s, uint256 amount) external {
        _any(s);
        require(s.owner == msg.sender);
        deposit(amount);
        assert(_kept(s));
        assert(_stake(s.owner) == _stakeOf(s.a) + amount);
        assert(_taken == amount && _given == 0);
        assert(escrow == s.escrow && condemned == s.condemned);
    }

    /// @dev With more than 88 bits of stake it reverts: draw first.
    function unbonds(Any calldata s, uint256 amount) external {
        _any(s);
        require(s.owner == msg.sender && _stakeOf(s.a) <= type(uint88).max);
        require(block.timestamp < 1099511627776 && unbondingPeriod < 1099511627776 - block.timestamp);
        requestUnbond(amount);
        assert(_kept(s));
        assert(_stake(s.owner) == _stakeOf(s.a));
        assert(_accounts[s.owner].active + amount == s.a.active);
        assert(_accounts[s.owner].readyAt == block.timestamp + unbondingPeriod);
        assert(_taken == 0 && _given == 0);
    }

    function draws(Any calldata s, address to) external {
        _any(s);
        require(s.owner == msg.sender);
        uint256 amount = drawTo(to);
        assert(_kept(s));
        assert(_stake(s.owner) + amount == _stakeOf(s.a));
        assert(_taken == 0 && _given == amount);
        assert(block.timestamp >= s.a.readyAt);
        assert(escrow == s.escrow && condemned == s.condemned);
    }

    function claims(Any calldata s, address to) external {
        _any(s);
        require(s.owner == msg.sender);
        uint256 amount = claimTo(to);
        assert(_kept(s));
        assert(_accounts[s.owner].credit == 0 && amount == s.a.credit);
        assert(_taken == 0 && _given == amount);
        assert(_stake(s.owner) == _stakeOf(s.a));
        assert(escrow == s.escrow && condemned == s.condemned);
    }

    function collects(Any calldata s, address payer, uint256 amount) external {
        _any(s);
        require(amount <= HALF);
        collect(payer, amount);
        assert(_managed(s));
        assert(escrow == s.escrow + amount && condemned == s.condemned);
        assert(_taken == amount && _given == 0);
    }

    function exposes(Any calldata s, uint256 amount) external {
        _any(s);
        expose(s.owner, amount);
        assert(_managed(s));
        assert(_accounts[s.owner].exposed == s.a.exposed + amount);
        assert(amount == 0 || _accounts[s.owner].exposed <= s.a.active);
        assert(_total(s.owner) == _totalOf(s));
    }

    function releases(Any calldata s, uint256 amount) external {
        _any(s);
        require(amount <= s.a.exposed);
        release(s.owner, amount);
        assert(_managed(s));
        assert(_accounts[s.owner].exposed + amount == s.a.exposed);
        assert(_total(s.owner) == _totalOf(s));
    }

    function slashes(Any calldata s, uint256 amount) external {
        _any(s);
        require(amount <= s.a.exposed);
        slash(s.owner, amount);
        assert(_managed(s));
        assert(_accounts[s.owner].exposed + amount == s.a.exposed);
        assert(_stake(s.owner) + amount == _stakeOf(s.a));
        assert(escrow == s.escrow + amount && condemned == s.condemned);
        assert(_total(s.owner) == _totalOf(s));
    }

    function credits(Any calldata s, uint256 amount) external {
        _any(s);
        require(amount <= s.escrow);
        credit(s.owner, amount);
        assert(_managed(s));
        assert(escrow + amount == s.escrow);
        assert(_stake(s.owner) == _stakeOf(s.a));
        assert(_total(s.owner) == _totalOf(s));
    }

    function condemns(Any calldata s, uint256 amount) external {
        _any(s);
        require(amount <= s.escrow);
        condemn(amount);
        assert(_managed(s));
        assert(escrow + amount == s.escrow && condemned == s.condemned + amount);
        assert(_total(s.owner) == _totalOf(s));
    }

    function burns(Any calldata s) external {
        _any(s);
        uint256 amount = burn();
        assert(_kept(s));
        assert(condemned == 0 && amount == s.condemned && escrow == s.escrow);
        assert(_taken == 0 && _given == amount);
        assert(_total(s.owner) + amount == _totalOf(s));
    }

    /// @dev Any state in which no account is exposed beyond its stake, and both sums have 127 bits.
    function _any(Any calldata s) private {
        require(s.owner != s.other && s.escrow <= HALF && s.condemned <= HALF);
        require(s.a.exposed <= _stakeOf(s.a));
        _accounts[s.owner] = s.a;
        _accounts[s.other] = s.b;
        (escrow, condemned) = (s.escrow, s.condemned);
        (_taken, _given) = (0, 0);
    }

    /// @dev No account is exposed beyond its stake, and nobody else's account has changed.
    function _kept(Any calldata s) private view returns (bool) {
        return
            _accounts[s.owner].exposed <= _stake(s.owner) &&
            _accounts[s.other].active == s.b.active &&
            _accounts[s.other].credit == s.b.credit &&
            _accounts[s.other].exposed == s.b.exposed &&
            _accounts[s.other].unbonding == s.b.unbonding &&
            _accounts[s.other].readyAt == s.b.readyAt;
    }

    function _managed(Any calldata s) private view returns (bool) {
        return _kept(s) && msg.sender == manager;
    }

    function _stake(address owner) private view returns (uint256) {
        return uint256(_accounts[owner].active) + _accounts[owner].unbonding;
    }

    function _stakeOf(Account calldata a) private pure returns (uint256) {
        return uint256(a.active) + a.unbonding;
    }

    function _total(address owner) private view returns (uint256) {
        return _stake(owner) + _accounts[owner].credit + escrow + condemned;
    }

    function _totalOf(Any calldata s) private pure returns (uint256) {
        return _stakeOf(s.a) + s.a.credit + s.escrow + s.condemned;
    }
}
