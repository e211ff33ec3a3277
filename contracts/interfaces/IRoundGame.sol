// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StateRoot} from "../libraries/Ids.sol";
import {InstanceId, LeafEvidence, LeafPlace, RoundTerms} from "../rounds/RoundTypes.sol";
import {IBisection} from "./IBisection.sol";
import {IJudge} from "./IJudge.sol";
import {IRoundManager} from "./IRoundManager.sol";

/// @title The game about leaves of a record: a challenger claims other states than the leaf's owner
/// @notice The leaf's job is derived here, so both sides claim runs of one job; then it is the game of
/// `IBisection`. Each challenge is a dispute of its own between two accounts; several may be played at once.
/// The challenger is side 0 and moves first. Each side posts a bond for gas with its first move. The winner
/// gets its own back and half of the other; the other half stays here.
interface IRoundGame is IBisection {
    /// @notice A leaf was challenged.
    event LeafChallenged(
        InstanceId indexed instance,
        uint256 indexed dispute,
        LeafPlace place,
        address owner,
        address challenger
    );

    /// @notice The challenger claims what the record has.
    error SameRun();

    /// @notice Challenges the leaf of a place: its job is right, and its states are wrong. The manager takes
    /// the sender's bond from its stake.
    /// @param start the right state before the first step; zero if there are no steps
    /// @param end the right final state
    /// @param signature of the leaf's owner; who does not have it can `demand` it from the recorder
    /// @return dispute its number
    function challenge(
        RoundTerms calldata terms,
        LeafEvidence calldata e,
        StateRoot start,
        StateRoot end,
        bytes calldata signature
    ) external returns (uint256 dispute);

    /// @notice Whose instances are played here.
    function manager() external view returns (IRoundManager);

    /// @notice The contract that executes the step at the bottom.
    function judge() external view returns (IJudge);
}
