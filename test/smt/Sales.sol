// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SaleMoney} from "../../contracts/exchange/SaleMoney.sol";

/// @title What each operation of the exchange's money does to its sums, from any state that `_any` allows
contract SaleProofs is SaleMoney {
    uint256 private constant HALF = type(uint128).max / 2;

    struct Any {
        address owner;
        uint256 credit;
        address other;
        uint256 rest;
        uint128 escrow;
        uint128 condemned;
    }

    constructor() SaleMoney(IERC20(address(0))) {}

    function collects(Any calldata s, address payer, uint80 amount) external {
        _any(s);
        _collect(payer, amount);
        assert(_kept(s) && creditOf[s.owner] == s.credit);
        assert(escrow == s.escrow + amount && condemned == s.condemned);
        assert(_taken == amount && _given == 0);
    }

    function credits(Any calldata s, uint256 amount) external {
        _any(s);
        require(amount <= s.escrow);
        _credit(s.owner, amount);
        assert(_kept(s) && creditOf[s.owner] == s.credit + amount);
        assert(escrow + amount == s.escrow && condemned == s.condemned);
        assert(_taken == 0 && _given == 0);
    }

    function condemns(Any calldata s, uint256 amount) external {
        _any(s);
        require(amount <= s.escrow);
        _condemn(amount);
        assert(_kept(s) && creditOf[s.owner] == s.credit);
        assert(escrow + amount == s.escrow && condemned == s.condemned + amount);
        assert(_taken == 0 && _given == 0);
    }

    function claims(Any calldata s) external {
        _any(s);
        uint256 amount = claim(s.owner);
        assert(_kept(s) && creditOf[s.owner] == 0 && amount == s.credit);
        assert(escrow == s.escrow && condemned == s.condemned);
        assert(_taken == 0 && _given == amount);
    }

    function claimsElsewhere(Any calldata s, address to) external {
        _any(s);
        require(s.owner == msg.sender);
        uint256 amount = claimTo(to);
        assert(_kept(s) && creditOf[s.owner] == 0 && amount == s.credit);
        assert(_taken == 0 && _given == amount);
    }

    function burns(Any calldata s) external {
        _any(s);
        uint256 amount = burn();
        assert(_kept(s) && creditOf[s.owner] == s.credit);
        assert(escrow == s.escrow && condemned == 0 && amount == s.condemned);
        assert(_taken == 0 && _given == amount);
    }

    /// @dev Any state whose sums have 127 bits.
    function _any(Any calldata s) private {
        require(s.owner != s.other && s.escrow <= HALF && s.condemned <= HALF && s.credit <= HALF);
        (creditOf[s.owner], creditOf[s.other]) = (s.credit, s.rest);
        (escrow, condemned) = (s.escrow, s.condemned);
        (_taken, _given) = (0, 0);
    }

    /// @dev Nobody else's credit has changed.
    function _kept(Any calldata s) private view returns (bool) {
        return creditOf[s.other] == s.rest;
    }
}
