// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Context, Level, Place} from "../../contracts/game/GameTypes.sol";
import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {RunRoot} from "../../contracts/libraries/Ids.sol";
import {Past} from "../../contracts/training/Past.sol";
import {PlaceLib} from "../../contracts/training/Place.sol";
import {FOLD, OP, SEGMENT, STEP} from "../../contracts/training/TrainingTypes.sol";
import {vm} from "./Vm.sol";

/// @dev How many roots lie above each tree, in segment 0 and after it.
contract PastTest {
    function runOf(Context memory c, Level level, uint256 side, bytes32[] memory chain) external pure returns (RunRoot) {
        return Past.runOf(c, level, side, chain);
    }

    function test_theChainIsAsLongAsThePlaceDemands() public {
        _expects(STEP, 1, 3);
        _expects(OP, 0, 3);
        _expects(OP, 1, 4);
        _expects(FOLD, 0, 4);
        _expects(FOLD, 7, 5);
    }

    function _expects(Level level, uint256 segment, uint256 wanted) private {
        Context memory c;
        c.place = PlaceLib.passing(Place.wrap(0), SEGMENT, segment, 0);
        bytes32[] memory chain = new bytes32[](6);
        for (uint256 i = 0; i < chain.length; i++) chain[i] = keccak256(abi.encode(i));
        c.past = Past.start([Claim.wrap(chain[0]), Claim.wrap(chain[1])]);
        for (uint256 length = 3; length <= chain.length; length++) {
            c.past = Past.passing(c.past, chain[length - 1]);
            for (uint256 side = 0; side < 2; side++) {
                if (length != wanted) vm.expectRevert(IDisputeGame.WrongFacts.selector);
                RunRoot run = this.runOf(c, level, side, chain);
                assert(length != wanted || RunRoot.unwrap(run) == chain[side]);
            }
        }
    }
}
