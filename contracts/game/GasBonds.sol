// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGasBonds} from "../interfaces/IGasBonds.sol";
import {Question, TOP} from "./GameTypes.sol";
import {GameWord} from "./GameWord.sol";

/// @title The bonds of `IGasBonds`
/// @dev All amounts are bonds that were paid in, and the chain does not have enough wei to overflow.
abstract contract GasBonds is IGasBonds {
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

    /// @dev Takes the bond that a player's first move in a dispute posts. A player with several disputes may
    /// send it with the first move of each of them, since it can't know which comes first. What was not
    /// needed is credited to the sender.
    /// @param posted whether the player has posted it before
    function _takeBond(bool posted) internal {
        if (posted && msg.value == 0) return;
        require(msg.value == gasBond, WrongBond(msg.value, posted ? 0 : gasBond));
        if (posted) _credit(msg.sender, gasBond);
    }

    function _credit(address owner, uint256 amount) internal {
        unchecked {
            creditOf[owner] += amount;
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
