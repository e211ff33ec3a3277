// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {TestToken} from "../../contracts/local/TestToken.sol";

/// @dev Keeps one unit of every transfer.
contract FeeToken is TestToken {
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0) && value != 0) super._update(to, address(this), 1);
    }
}

/// @dev Refuses to pay some accounts, as tokens with a block list do.
contract BlockingToken is TestToken {
    mapping(address => bool) public blocked;

    error Blocked(address account);

    function setBlocked(address account, bool value) external {
        blocked[account] = value;
    }

    function _update(address from, address to, uint256 value) internal override {
        require(!blocked[to], Blocked(to));
        super._update(from, to, value);
    }
}

/// @dev Returns false for a failed transfer and does not revert.
contract SilentToken is TestToken {
    function transfer(address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @dev Calls something in the middle of every transfer, before balances change, and remembers the answer.
contract CallingToken is TestToken {
    address public target;
    bytes public data;
    bool public succeeded;
    bytes public answer;
    bool private calling;

    function onTransfer(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
        (succeeded, answer) = (false, "");
    }

    function _update(address from, address to, uint256 value) internal override {
        if (target != address(0) && !calling) {
            calling = true;
            (succeeded, answer) = target.call(data);
            calling = false;
        }
        super._update(from, to, value);
    }
}

/// @dev Takes signed allowances (ERC-2612).
contract PermitToken is TestToken, ERC20Permit {
    constructor() ERC20Permit("Verde test token") {}
}
