// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Context} from "../../contracts/game/GameTypes.sol";
import {IBisection} from "../../contracts/interfaces/IBisection.sol";
import {CounterGame} from "./CounterGame.sol";
import {CounterPlay} from "./CounterPlay.sol";
import {vm} from "./Vm.sol";

/// @dev The game on a machine that has nothing to do with training: a counter, whose step is +1.
contract CounterTest is CounterPlay {
    function test_theGameFindsTheStepThatIsNotPlusOne() public {
        uint256[] memory levels = new uint256[](3);
        (levels[0], levels[1], levels[2]) = (5, 4, 3);
        for (uint256 wrong = 0; wrong < 60; wrong++) _playToTheEnd(levels, _lie(60, wrong, 0), wrong % 2);
    }

    function test_oneLevelIsEnough() public {
        uint256[] memory levels = new uint256[](1);
        levels[0] = 37;
        for (uint256 wrong = 0; wrong < 37; wrong += 4) _playToTheEnd(levels, _lie(37, wrong, 0), wrong % 2);
    }

    /// @dev A tree of one leaf that is the claim itself is passed without a move.
    function test_levelsOfOneLeaf() public {
        uint256[] memory levels = new uint256[](5);
        (levels[0], levels[1], levels[2], levels[3], levels[4]) = (1, 1, 7, 1, 1);
        for (uint256 wrong = 0; wrong < 7; wrong++) _playToTheEnd(levels, _lie(7, wrong, 0), wrong % 2);
        (levels[2], levels[4]) = (1, 2);
        for (uint256 wrong = 0; wrong < 2; wrong++) _playToTheEnd(levels, _lie(2, wrong, 0), wrong % 2);
    }

    /// @dev What the liar claims after its first lie does not matter.
    function testFuzz_anyCounterAndAnyLie(uint256 seed, uint8 depth, uint16 wrong, bool second) public {
        uint256[] memory levels = new uint256[](1 + (depth % 4));
        uint256 steps = 1;
        for (uint256 i = 0; i < levels.length; i++) steps *= levels[i] = 1 + ((seed >> (8 * i)) % (levels.length > 2 ? 5 : 12));
        _playToTheEnd(levels, _lie(steps, wrong % steps, seed | 1), second ? 1 : 0);
    }

    /// @dev Both sides claim the same counter, but a leaf of one side commits to more than that. If such a
    /// leaf could be shown, the step would decide between two right claims.
    function test_aLeafThatCommitsToMoreThanACounterCannotBeShown() public {
        uint256[3][3] memory cases = [[uint256(1), 0, 2], [uint256(1), 1, 1], [uint256(2), 1, 1]];
        for (uint256 i = 0; i < 3; i++) {
            uint256[] memory levels = new uint256[](1);
            levels[0] = cases[i][0];
            (tails[0], tails[1]) = ("", "");
            tails[cases[i][1]] = hex"ff";
            begin(levels, [_honest(levels[0]), _honest(levels[0])]);
            for (uint256 turn = 0; turn < cases[i][2]; turn++) act();
            vm.expectRevert(abi.encodeWithSelector(IBisection.WrongLength.selector, 5, 4));
            this.actOutside();
        }
    }

    function actOutside() external {
        act();
    }

    function test_evidenceOfAnotherCounterIsNone() public {
        uint256[] memory levels = new uint256[](2);
        (levels[0], levels[1]) = (4, 4);
        begin(levels, [_honest(16), _lie(16, 9, 0)]);
        while (!isOver()) act();
        bytes memory witness = evidence();
        for (uint256 i = 3; i < witness.length; i += 8) {
            witness[i] ^= 0x01;
            vm.expectRevert(CounterGame.WrongEvidence.selector);
            game.prove(1, state.word, context, witness);
            witness[i] ^= 0x01;
        }
        vm.expectRevert(IBisection.WrongContext.selector);
        game.timeout(1, state, _otherContext());
        game.prove(1, state.word, context, witness);
        assert(game.losers() == 2);
    }

    function _playToTheEnd(uint256[] memory levels, uint32[] memory lie, uint256 liar) private {
        uint32[] memory truth = _honest(lie.length);
        for (uint256 turn = 0; turn < 2; turn++) {
            byStranger = turn == 1;
            begin(levels, liar == 1 ? [truth, lie] : [lie, truth]);
            while (!isOver()) act();
            assert(first == _firstDivergence(levels, truth, lie));
            game.prove(1, state.word, context, evidence());
            assert(game.losers() == 1 << liar && game.stateOf(1) == 0);
        }
    }

    function _otherContext() private view returns (Context memory c) {
        c = context;
        c.past = ~c.past;
    }

    function _honest(uint256 steps) private pure returns (uint32[] memory counter) {
        counter = new uint32[](steps);
        for (uint256 i = 0; i < steps; i++) counter[i] = uint32(i + 1);
    }

    /// @dev One too many from a step on. With a seed, some values between may be right again, but the last
    /// one is not.
    function _lie(uint256 steps, uint256 from, uint256 seed) private pure returns (uint32[] memory counter) {
        counter = _honest(steps);
        for (uint256 i = from; i < steps; i++)
            if (seed == 0 || i + 1 == steps || uint256(keccak256(abi.encode(seed, i))) % 3 > 0) counter[i]++;
    }

    /// @return at_ the first group with a different end, in it the first smaller group with a different end,
    /// and so on
    function _firstDivergence(
        uint256[] memory levels,
        uint32[] memory a,
        uint32[] memory b
    ) private pure returns (uint256 at_) {
        uint256 stride = a.length;
        for (uint256 depth = 0; depth < levels.length; depth++) {
            stride /= levels[depth];
            while (a[at_ + stride - 1] == b[at_ + stride - 1]) at_ += stride;
        }
    }
}
