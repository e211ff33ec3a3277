// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TaskId} from "../libraries/Ids.sol";
import {Terms} from "../libraries/Terms.sol";
import {ISeatPolicy} from "./ISeatPolicy.sol";
import {ITaskManager, State} from "./ITaskManager.sol";

/// @title Seats that are drawn among all that offer
/// @notice In the first half of the time for taking seats, accounts with enough free stake offer. Then anyone
/// closes the offers, and the client opens the secret that the salt of its terms commits to. The secret and
/// the hash of a block after the end of the offers order the accounts. The first ones may take the seats; in
/// the last quarter of the time as many others may, too.
/// @dev Nobody knows the order while offers are made: others don't know the secret, and the client doesn't
/// know the block. Who has a share f of the offers gets all of k seats with a chance below f^k. What it does
/// not prevent: a client that keeps its secret gets no providers, and may post another task. A client and
/// the proposer of that block, together, can choose the order.
interface ISeatDraw is ISeatPolicy {
    /// @notice An account offers to take a seat.
    /// @param task whose seats are drawn
    /// @param owner who offers
    event SeatOffered(TaskId indexed task, address indexed owner);
    /// @notice No offers are taken any more.
    /// @param task whose seats are drawn
    /// @param offers how many there are
    /// @param number of the block whose hash decides
    event OffersClosed(TaskId indexed task, uint256 offers, uint256 number);
    /// @notice An account was drawn.
    /// @param task whose seats are drawn
    /// @param owner who was drawn
    /// @param place in the order, from 0; places below the number of seats may take one at once
    event SeatDrawn(TaskId indexed task, address indexed owner, uint256 place);

    /// @notice The terms name another seat policy.
    error NotDrawnHere(address seatPolicy);
    /// @notice The task is not open.
    error TaskNotOpen(State state);
    /// @notice Offers were taken until `closes`.
    error OffersAreOver(uint256 closes);
    /// @notice Offers are taken until `closes`.
    error OffersStillTaken(uint256 closes);
    /// @notice The account has only `available` free stake; `wanted` is needed.
    error TooLittleFree(uint256 available, uint256 wanted);
    /// @notice The account has offered before.
    error OfferedBefore(address owner);
    /// @notice Fewer accounts have offered than there are seats.
    error TooFewOffers(uint256 offers, uint256 seats);
    /// @notice The offers are closed already.
    error ClosedBefore(uint256 number);
    /// @notice The offers are not closed, or the block that decides is not there yet.
    error TooEarlyToDraw(uint256 number);
    /// @notice The seats are drawn already.
    error DrawnBefore(TaskId task);
    /// @notice The terms commit to another secret.
    error WrongSecret();
    /// @notice The chain does not know the hash of that block any more.
    error BlockForgotten(uint256 number);

    /// @notice Offers to take a seat. The caller needs the task's stake, free.
    /// @param terms of the task
    function offer(Terms calldata terms) external;

    /// @notice Ends the offers, once their time is over. Anyone may.
    /// @param terms of the task
    function close(Terms calldata terms) external;

    /// @notice Draws the seats. Anyone who knows the secret may, after the block that decides.
    /// @param terms of the task
    /// @param secret to which the salt of the terms commits
    function draw(Terms calldata terms, bytes32 secret) external;

    /// @notice The salt of terms whose draw has this secret.
    /// @param secret 32 random bytes
    /// @return salt for the terms
    function saltOf(bytes32 secret) external pure returns (bytes32 salt);

    /// @notice How far the draw of a task is.
    /// @param task whose seats are drawn
    /// @return offers how many there are
    /// @return number of the block that decides; 0 as long as offers are taken
    /// @return drawn whether the seats are drawn
    function drawOf(TaskId task) external view returns (uint256 offers, uint256 number, bool drawn);

    /// @notice How far an account is in a draw.
    /// @param task whose seats are drawn
    /// @param owner to look up
    /// @return rank 0 if it has not offered, 1 if it was not drawn or not yet, and 2 or more if it was drawn:
    /// its place and 2
    function rankOf(TaskId task, address owner) external view returns (uint256 rank);

    /// @notice The task manager.
    /// @return the contract
    function manager() external view returns (ITaskManager);
}
