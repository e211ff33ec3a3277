// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISeatDraw} from "./interfaces/ISeatDraw.sol";
import {ISeatPolicy} from "./interfaces/ISeatPolicy.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {ITaskManager, State, Task} from "./interfaces/ITaskManager.sol";
import {BlockHashes} from "./libraries/BlockHashes.sol";
import {DrawSecrets} from "./libraries/DrawSecrets.sol";
import {TaskId} from "./libraries/Ids.sol";
import {Terms} from "./libraries/Terms.sol";

/// @title The draws of `ISeatDraw`
/// @notice Trusts nobody with the order, except the client and a block's proposer together. It holds no
/// money, and nobody owns it.
contract SeatDraw is ISeatDraw {
    /// @dev What is known of a draw.
    /// @param number of the block that decides, 0 while offers are taken
    /// @param seats of the task, 0 until they are drawn
    /// @param reserves the last second at which only the first ones may take seats
    struct Draw {
        uint64 number;
        uint8 seats;
        uint40 reserves;
    }

    bytes32 private constant SEED = keccak256("Verde draw seed 2");
    /// @dev The rank of an account that has offered. The rank of one that was drawn is its place and 2.
    uint256 private constant OFFERED = 1;

    /// @inheritdoc ISeatDraw
    ITaskManager public immutable manager;

    mapping(TaskId task => address[]) private _offers;
    /// @inheritdoc ISeatDraw
    mapping(TaskId task => mapping(address owner => uint256 rank)) public rankOf;
    mapping(TaskId task => Draw) private _draws;

    constructor(ITaskManager manager_) {
        manager = manager_;
    }

    /// @inheritdoc ISeatPolicy
    function mayTakeSeat(TaskId task, address owner) external view returns (bool) {
        uint256 rank = rankOf[task][owner];
        if (rank <= OFFERED) return false;
        Draw memory d = _draws[task];
        return rank - OFFERED <= d.seats || block.timestamp > d.reserves;
    }

    /// @inheritdoc ISeatDraw
    function offer(Terms calldata terms) external {
        (TaskId task, Task memory t) = _openTask(terms);
        uint256 closes = _closes(terms, t);
        require(block.timestamp <= closes, OffersAreOver(closes));
        require(rankOf[task][msg.sender] == 0, OfferedBefore(msg.sender));
        IStakeVault.Account memory a = manager.vault().accountOf(msg.sender);
        uint256 available = a.active > a.exposed ? a.active - a.exposed : 0;
        require(available >= terms.stake, TooLittleFree(available, terms.stake));
        rankOf[task][msg.sender] = OFFERED;
        _offers[task].push(msg.sender);
        emit SeatOffered(task, msg.sender);
    }

    /// @inheritdoc ISeatDraw
    /// @dev Nobody can know the hash of the block that is being made.
    function close(Terms calldata terms) external {
        (TaskId task, Task memory t) = _openTask(terms);
        uint256 closes = _closes(terms, t);
        require(block.timestamp > closes, OffersStillTaken(closes));
        Draw storage d = _draws[task];
        require(d.number == 0, ClosedBefore(d.number));
        uint256 count = _offers[task].length;
        require(count >= terms.providers, TooFewOffers(count, terms.providers));
        d.number = uint64(block.number);
        emit OffersClosed(task, count, d.number);
    }

    /// @inheritdoc ISeatDraw
    /// @dev The first steps of a Fisher-Yates shuffle: each order of the offers is as likely as another.
    function draw(Terms calldata terms, bytes32 secret) external {
        (TaskId task, Task memory t) = _openTask(terms);
        Draw storage d = _draws[task];
        require(d.number != 0 && block.number > d.number, TooEarlyToDraw(d.number));
        require(d.seats == 0, DrawnBefore(task));
        require(terms.salt == saltOf(secret), WrongSecret());
        bytes32 hash = BlockHashes.hashOf(d.number);
        require(hash != 0, BlockForgotten(d.number));
        bytes32 seed = keccak256(abi.encode(SEED, task, secret, hash));
        d.seats = terms.providers;
        d.reserves = uint40(t.deadline - terms.periods.toAccept / 4);
        address[] storage offers = _offers[task];
        uint256 count = offers.length;
        for (uint256 place = 0; place < count && place < 2 * uint256(terms.providers); place++) {
            uint256 index = place + (uint256(keccak256(abi.encode(seed, place))) % (count - place));
            address owner = offers[index];
            offers[index] = offers[place];
            rankOf[task][owner] = OFFERED + 1 + place;
            emit SeatDrawn(task, owner, place);
        }
    }

    /// @inheritdoc ISeatDraw
    function saltOf(bytes32 secret) public pure returns (bytes32 salt) {
        return DrawSecrets.saltOf(secret);
    }

    /// @inheritdoc ISeatDraw
    function drawOf(TaskId task) external view returns (uint256 offers, uint256 number, bool drawn) {
        return (_offers[task].length, _draws[task].number, _draws[task].seats != 0);
    }

    function _openTask(Terms calldata terms) private view returns (TaskId task, Task memory t) {
        require(terms.seatPolicy == address(this), NotDrawnHere(terms.seatPolicy));
        task = manager.taskId(terms);
        t = manager.taskOf(task);
        require(t.state == State.Open, TaskNotOpen(t.state));
    }

    /// @return the last second for offers: half of the time for taking seats
    function _closes(Terms calldata terms, Task memory t) private pure returns (uint256) {
        return t.deadline - terms.periods.toAccept / 2;
    }
}
