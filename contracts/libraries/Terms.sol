// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITaskManager, Resolution} from "../interfaces/ITaskManager.sol";
import {JobId, LayoutRoot, TaskId} from "./Ids.sol";

/// @notice What the participants of a task agree on; its hash is the task's id.
/// @param client posts the task, pays for it and gets back what is not earned
/// @param salt tells equal tasks apart
/// @param job the job's id (spec 6.6)
/// @param stateLayout root over the types of the state's entries: tree of SHA-256(11 ‖ encoded type)
/// @param steps training steps of the run
/// @param commitEvery training steps in a segment (spec 6.7)
/// @param tensors entries of the state
/// @param providers how many run the job (2 to 16)
/// @param maxDemands how many chunks the client may demand of a claim (up to 64)
/// @param reward to each provider whose claim stands at the end
/// @param stake of each provider
/// @param bond of a challenger
/// @param chunkPrice what the client pays for a chunk
/// @param committee first authority in disputes, or zero; without a committee disputes go to the game at once
/// @param game higher authority, or zero
/// @param seatPolicy says who may take a provider's seat (`ISeatPolicy`), or zero: anyone with enough stake
/// @param periods seconds
struct Terms {
    address client;
    bytes32 salt;
    JobId job;
    LayoutRoot stateLayout;
    uint32 steps;
    uint32 commitEvery;
    uint32 tensors;
    uint8 providers;
    uint8 maxDemands;
    uint80 reward;
    uint80 stake;
    uint80 bond;
    uint80 chunkPrice;
    address committee;
    address game;
    address seatPolicy;
    Periods periods;
}

/// @notice How long each state of a task may last, in seconds; each starts when its state is entered.
/// @param toAccept until all seats are taken
/// @param toCommit until all providers have committed
/// @param toReveal until all committed providers, and later all challengers, have revealed
/// @param toChallenge in which challenges and demands may be made
/// @param toJudge until the committee's verdict
/// @param toEscalate until a loser takes the dispute to the game
/// @param toPlay until the game's verdict
/// @param toAnswer until a demanded chunk is delivered; also how long chunks may be demanded of a claim that
/// challenges can't reach any more
struct Periods {
    uint32 toAccept;
    uint32 toCommit;
    uint32 toReveal;
    uint32 toChallenge;
    uint32 toJudge;
    uint32 toEscalate;
    uint32 toPlay;
    uint32 toAnswer;
}

/// @title Rules for terms
library TermsLib {
    /// @dev Bytes of the encoded terms: 24 words.
    uint256 internal constant SIZE = 768;
    uint256 internal constant MIN_PROVIDERS = 2;
    uint256 internal constant MAX_PROVIDERS = 16;
    uint256 internal constant MAX_DEMANDS = 64;
    /// @dev A task keeps one bit for each seat, of providers and challengers. All amounts of a task together
    /// are below 168 · 2^80, so they fit the 88 bits of the vault and of the pot: rewards and stakes of 16
    /// providers, 8 bonds, and 64 chunks of each of two claims.
    uint256 internal constant MAX_SEATS = 24;
    /// @dev Five slots of the main net: enough time to answer, even if the other side moved at the last
    /// second.
    uint256 internal constant MIN_PERIOD = 60;

    /// @notice Providers or demands are out of range.
    error CountOutOfRange();
    /// @notice Steps, segment length, tensors, stake or bond are zero, or there is neither committee nor
    /// game.
    error ZeroTerm();
    /// @notice A period is shorter than 60 seconds.
    error PeriodTooShort();
    /// @notice The task could last `longest` seconds, but stake is secured for `limit` seconds only.
    error TaskTooLong(uint256 longest, uint256 limit);

    /// @return id keccak256(abi.encode(block.chainid, manager, terms))
    /// @dev The terms have a fixed size, so their calldata is their encoding. `post` encodes them with
    /// checks, so terms with bits out of place never become a task.
    function idAt(Terms calldata terms, address manager) internal view returns (TaskId id) {
        assembly ("memory-safe") {
            let from := mload(0x40)
            mstore(from, chainid())
            mstore(add(from, 0x20), manager)
            calldatacopy(add(from, 0x40), terms, SIZE)
            id := keccak256(from, add(SIZE, 0x40))
        }
    }

    /// @return data `abi.encodeCall(ITaskManager.resolve, (terms, resolution))`
    /// @dev The terms are copied as they are: to encode them field by field would take more code than a game
    /// has left. The manager hashes them.
    function resolving(Terms calldata terms, Resolution memory resolution) internal pure returns (bytes memory data) {
        bytes calldata raw;
        assembly ("memory-safe") {
            raw.offset := terms
            raw.length := SIZE
        }
        // The encoding of the resolution begins with its place, which here comes after the terms.
        data = bytes.concat(ITaskManager.resolve.selector, raw, abi.encode(resolution));
        assembly ("memory-safe") {
            mstore(add(data, add(SIZE, 0x24)), add(SIZE, 0x20))
        }
    }

    /// @notice Reverts unless the terms can be carried out.
    /// @param limit the vault's unbonding period
    function check(Terms calldata terms, uint256 limit) internal pure {
        uint256 providers = terms.providers;
        bool inRange = providers >= MIN_PROVIDERS &&
            providers <= MAX_PROVIDERS &&
            terms.maxDemands <= MAX_DEMANDS;
        require(inRange, CountOutOfRange());
        bool complete = terms.steps != 0 &&
            terms.commitEvery != 0 &&
            terms.tensors != 0 &&
            terms.stake != 0 &&
            terms.bond != 0 &&
            (terms.committee != address(0) || terms.game != address(0));
        require(complete, ZeroTerm());
        require(_shortest(terms.periods) >= MIN_PERIOD, PeriodTooShort());
        uint256 longest = longestRun(terms);
        require(longest <= limit, TaskTooLong(longest, limit));
    }

    /// @return the longest that a task may run after its first provider accepted, if its exits are triggered
    /// in time, however many challenge: claims and the dispute of the providers; one window, the reveal of
    /// all challenges and one dispute for all of them; demands and the last answer
    function longestRun(Terms calldata terms) internal pure returns (uint256) {
        Periods calldata p = terms.periods;
        uint256 dispute = uint256(p.toJudge) + p.toEscalate + p.toPlay;
        uint256 claimed = uint256(p.toAccept) + p.toCommit + p.toReveal + dispute;
        uint256 challenged = uint256(p.toChallenge) + p.toReveal + dispute;
        return claimed + challenged + 2 * uint256(p.toAnswer);
    }

    function _shortest(Periods calldata p) private pure returns (uint256 least) {
        uint32[8] memory all =
            [p.toAccept, p.toCommit, p.toReveal, p.toChallenge, p.toJudge, p.toEscalate, p.toPlay, p.toAnswer];
        least = all[0];
        for (uint256 i = 1; i < 8; i++) if (all[i] < least) least = all[i];
    }
}
