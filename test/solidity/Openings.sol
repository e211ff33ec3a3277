// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Context, Facts, GameState, JobFacts, Move, Position, Question} from "../../contracts/game/GameTypes.sol";
import {GameWord} from "../../contracts/game/GameWord.sol";
import {IBisection} from "../../contracts/game/IBisection.sol";
import {JobHash} from "../../contracts/game/JobHash.sol";
import {SizeWord} from "../../contracts/game/SizeWord.sol";
import {Commitments} from "../../contracts/libraries/Commitments.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";

/// @dev The first states of a dispute about five segments, and its first move.
library Openings {
    using GameWord for uint256;

    bytes32 private constant LAST = "the last leaf";

    /// @return root of the segment tree with this node over its first four leaves
    function treeOf(bytes32 left) internal pure returns (bytes32 root) {
        return sha256(abi.encodePacked(MerkleTree.NODE, left, LAST));
    }

    /// @return the run root that opens into this tree
    function claimOf(JobFacts memory job, uint32 commitEvery, bytes32 left) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(Commitments.RUN, job.id, commitEvery, treeOf(left)));
    }

    function contextOf(
        bytes32 players,
        address[2] memory owners,
        JobFacts memory job,
        uint32 steps,
        uint32 commitEvery,
        bytes32[2] memory claims
    ) internal pure returns (Context memory c) {
        c.players = players;
        c.owners = owners;
        c.job = JobHash.hashOf(job);
        c.sizes = SizeWord.ofRun(steps, commitEvery);
        c.claims = claims;
    }

    /// @param since when the dispute began
    function start(Context memory c, uint256 clock, uint256 since) internal pure returns (GameState memory state) {
        Position memory p;
        p.count = uint32(SizeWord.segments(c.sizes));
        state.context = keccak256(abi.encode(c));
        state.word = GameWord.start(clock, since).placed(p);
    }

    /// @param left of the tree that side 0 has opened its claim into
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
        uint256 clock = before.word.clockOf(0) - (time - before.word.since());
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
