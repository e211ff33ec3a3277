// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clocks} from "../../contracts/game/Clocks.sol";
import {Position, Question} from "../../contracts/game/GameTypes.sol";
import {GameWord, GameWordLib} from "../../contracts/game/GameWord.sol";
import {OP} from "../../contracts/training/TrainingTypes.sol";
import {vm} from "./Vm.sol";

contract ClocksTest {
    uint256 private constant SINCE = 1_800_000_000;
    uint256 private constant RESPONSE = 600;
    uint256 private constant RECOMPUTE = 1800;

    /// @dev A turn lasts as long as the mover's own clock has left, or the guaranteed time. At the bottom no
    /// side has to move.
    function testFuzz_aTurnEndsByTheMoversClock(uint32 first, uint32 second, bool turned) public pure {
        uint256 own = turned ? second : first;
        uint256 all = first > second ? first : second;
        for (uint256 i = 0; i < 5; i++) {
            Question question = Question(i);
            uint256 least = question == Question.Children ? RESPONSE : RECOMPUTE;
            uint256 clock = question == Question.Bottom ? all : own;
            uint256 end = SINCE + (clock > least ? clock : least);
            assert(Clocks.deadline(_word(question, first, second, turned), RESPONSE, RECOMPUTE) == end);
        }
    }

    function testFuzz_aMoveTakesItsTimeFromItsOwnClock(uint32 first, uint32 second, bool turned, uint16 used) public {
        vm.warp(SINCE + used);
        GameWord after_ = Clocks.pass(_word(Question.Children, first, second, turned));
        uint256 own = turned ? second : first;
        uint256 left = own > used ? own - used : 0;
        assert(after_.clockOf(turned ? 1 : 0) == left && after_.clockOf(turned ? 0 : 1) == (turned ? first : second));
        assert(after_.turn() == (turned ? 0 : 1) && after_.since() == SINCE + used);
        assert(after_.question() == Question.Children && after_.height() == 3 && after_.position() == 1);
    }

    function _word(Question question, uint32 first, uint32 second, bool turned) private pure returns (GameWord) {
        Position memory p = Position(question, OP, 3, 10, 1);
        uint256 clocks = (uint256(first) << 40) | (uint256(second) << 72);
        uint256 word = GameWord.unwrap(GameWordLib.start(0, 0, SINCE).placed(p));
        return GameWord.wrap(word | clocks | (turned ? 1 << 104 : 0));
    }
}
