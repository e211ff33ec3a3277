// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Claim, Context, Level} from "../game/GameTypes.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {RunRoot} from "../libraries/Ids.sol";
import {Place, PlaceLib} from "./Place.sol";
import {FOLD, STEP} from "./TrainingTypes.sol";

/// @title What a dispute has passed, as one word: a hash chain over the two run roots, and then over the
/// roots of side 0's segment, step and operator trees
library Past {
    using PlaceLib for Place;

    uint256 private constant RUNS = 2;

    function start(Claim[2] memory runs) internal pure returns (bytes32) {
        return Hashes.efficientKeccak256(Claim.unwrap(runs[0]), Claim.unwrap(runs[1]));
    }

    /// @return the chain after a tree with this root was passed
    function passing(bytes32 past, bytes32 root) internal pure returns (bytes32) {
        return Hashes.efficientKeccak256(past, root);
    }

    /// @dev Reverts unless the chain begins with what the context's past is a hash of. Its length follows
    /// from the place, so a root can't be taken for a run.
    /// @param level a level whose claims are the last leaves of its trees
    /// @return run of a side
    function runOf(
        Context memory c,
        Level level,
        uint256 side,
        bytes32[] memory chain
    ) internal pure returns (RunRoot run) {
        // The segment tree. Segment 0 has no step tree.
        uint256 length = RUNS + 1;
        if (STEP < level && c.place.segment() > 0) length++;
        if (level == FOLD) length++;
        require(chain.length >= length, IDisputeGame.WrongFacts());
        bytes32 past = Hashes.efficientKeccak256(chain[0], chain[1]);
        for (uint256 i = RUNS; i < length; i++) past = passing(past, chain[i]);
        require(past == c.past, IDisputeGame.WrongFacts());
        return RunRoot.wrap(chain[side]);
    }
}
