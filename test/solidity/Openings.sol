// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Context, Facts, GameState, Move, PairId, Position, Question} from "../../contracts/game/GameTypes.sol";
import {GameWordLib} from "../../contracts/game/GameWord.sol";
import {IBisection} from "../../contracts/interfaces/IBisection.sol";
import {RunRoot} from "../../contracts/libraries/Ids.sol";
import * as Tags from "../../contracts/libraries/Tags.sol";
import {JobHash} from "../../contracts/training/JobHash.sol";
import {SizesLib} from "../../contracts/training/Sizes.sol";
import {JobFacts} from "../../contracts/training/TrainingTypes.sol";

/// @dev The first states of a dispute about five segments, and its first move.
library Openings {
    bytes32 private constant LAST = "the last leaf";

    /// @return root of the segment tree with this node over its first four leaves
    function treeOf(bytes32 left) internal pure returns (bytes32 root) {
        return sha256(abi.encodePacked(Tags.NODE, left, LAST));
    }

    /// @return the run root that opens into this tree
    function claimOf(JobFacts memory job, uint32 commitEvery, bytes32 left) internal pure returns (RunRoot) {
        return RunRoot.wrap(sha256(abi.encodePacked(Tags.RUN, job.id, commitEvery, treeOf(left))));
    }

    function contextOf(
        PairId players,
        address[2] memory owners,
        JobFacts memory job,
        uint32 steps,
        uint32 commitEvery,
        Claim[2] memory claims
    ) internal pure returns (Context memory c) {
        c.players = players;
        c.owners = owners;
        c.job = JobHash.hashOf(job);
        c.sizes = SizesLib.ofRun(steps, commitEvery);
        c.claims = claims;
        c.past = keccak256(abi.encode(claims[0], claims[1]));
    }

    /// @param first what side 0 has left of its clock
    /// @param since start of the dispute
    function start(
        Context memory c,
        uint256 first,
        uint256 clock,
        uint256 since
    ) internal pure returns (GameState memory state) {
        Position memory p;
        p.count = uint32(SizesLib.segments(c.sizes));
        state.context = keccak256(abi.encode(c));
        state.word = GameWordLib.start(first, clock, since).placed(p);
    }

    /// @param left node of the tree that side 0 has opened its claim into
    /// @param time of the move
    function opened(
        GameState memory before,
        bytes32 left,
        uint256 time
    ) internal pure returns (GameState memory state) {
        Position memory p = before.word.positionOf();
        p.question = Question.Opening;
        state.context = before.context;
        state.shown = treeOf(left);
        uint256 used = time - before.word.since();
        uint256 clock = before.word.clockOf(0) > used ? before.word.clockOf(0) - used : 0;
        state.word = before.word.placed(p).handedOver(clock, time);
    }

    /// @return side 0's first move
    function opening(
        uint256 dispute,
        GameState memory state,
        Context memory context,
        JobFacts memory job,
        bytes32 left
    ) internal pure returns (bytes memory) {
        Facts memory facts;
        facts.job = abi.encode(job);
        Move memory m = Move({facts: facts, shown: "", reply: "", next: abi.encode(treeOf(left), left, LAST)});
        return abi.encodeCall(IBisection.turn, (dispute, state, context, m));
    }
}
