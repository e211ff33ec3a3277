// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGasBonds} from "../interfaces/IGasBonds.sol";
import {Question, TOP} from "./GameTypes.sol";
import {GameWord} from "./GameWord.sol";

/// @title The bonds of `IGasBonds`
abstract contract GasBonds is IGasBonds {
    uint256 internal constant BOTH = 3;

    /// @inheritdoc IGasBonds
    uint256 public immutable gasBond;
    /// @inheritdoc IGasBonds
    mapping(address owner => uint256) public creditOf;

    constructor(uint256 gasBond_) {
        gasBond = gasBond_;
    }

    /// @inheritdoc IGasBonds
    function withdraw(address payable to) external returns (uint256 amount) {
        amount = creditOf[msg.sender];
        require(amount != 0, NoCredit(msg.sender));
        creditOf[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        (bool received, ) = to.call{value: amount}("");
        require(received, NotReceived(to));
    }

    /// @dev Reverts unless the move that replies in this state posts exactly the bond that it has to post.
    function _requireBond(GameWord word) internal view {
        uint256 wanted = _sidesMoved(word) < 2 ? gasBond : 0;
        require(msg.value == wanted, WrongBond(msg.value, wanted));
    }

    /// @dev Credits the winner with all bonds of a dispute.
    /// @param losers bit i: side i has lost
    /// @param moved how many sides have posted their bonds
    function _creditBonds(address[2] calldata owners, uint256 losers, uint256 moved) internal {
        if (losers == BOTH || moved == 0 || gasBond == 0) return;
        // The amount has been paid in, and the chain does not have enough wei to overflow.
        unchecked {
            creditOf[owners[losers & 1]] += moved * gasBond;
        }
    }

    /// @dev How many sides have moved. Side 0 moves first, with the opening of the first tree. While that
    /// opening has no reply, side 1 has not moved.
    function _sidesMoved(GameWord word) internal pure returns (uint256) {
        Question question = word.question();
        if (question == Question.Start) return 0;
        return question == Question.Opening && word.level() == TOP ? 1 : 2;
    }
}
