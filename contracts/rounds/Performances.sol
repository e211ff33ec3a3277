// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRoundManager, Instance, RoundState, Waiting} from "../interfaces/IRoundManager.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ITaskManager} from "../interfaces/ITaskManager.sol";
import {TermsLib} from "../libraries/Terms.sol";
import {InstanceStore} from "./InstanceStore.sol";
import {PlanHash} from "./PlanHash.sol";
import {InstanceId, LeafPlace, PlanId, PlanStores, RoundPeriods, RoundTerms, RoundTurn} from "./RoundTypes.sol";

/// @title The life of an instance: it is posted, joined, recorded, and closed or cancelled
abstract contract Performances is IRoundManager, InstanceStore {
    /// @dev Each has a bit in a word, and so has the recorder.
    uint256 private constant MAX_PARTICIPANTS = 255;

    /// @inheritdoc IRoundManager
    IStakeVault public immutable vault;

    /// @dev Who may name the game.
    address private immutable _deployer;

    constructor(IStakeVault vault_) {
        vault = vault_;
        _deployer = msg.sender;
    }

    /// @inheritdoc IRoundManager
    function nameGame(address game_) external {
        _requireCaller(_deployer);
        require(_game == address(0), GameExists(_game));
        require(game_ != address(0), NoGame());
        _game = game_;
        emit GameNamed(game_);
    }

    /// @inheritdoc IRoundManager
    function post(
        RoundTerms calldata terms,
        bytes calldata name,
        bytes32 turns,
        PlanStores calldata stores
    ) external returns (InstanceId instance) {
        _requireCaller(terms.client);
        require(_game != address(0), NoGame());
        PlanId plan = PlanHash.planOf(terms, name, turns, stores);
        require(plan == terms.plan, WrongPlan(plan));
        _check(terms, stores);
        instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        require(i.state == RoundState.None, InstanceExists(instance));
        (i.stake, i.bond) = (terms.stake, terms.bond);
        (i.stores, i.copies) = (stores.members, stores.copies);
        emit InstancePosted(instance, terms.plan, terms);
        _enter(instance, i, RoundState.Joining, terms.periods.toJoin);
        vault.collect(terms.client, _rewards(terms));
    }

    /// @inheritdoc IRoundManager
    function join(RoundTerms calldata terms, uint256 participant) external {
        (InstanceId instance, Instance storage i) = _in(terms, RoundState.Joining);
        address owner = _accountOf(terms, participant);
        _requireCaller(owner);
        uint256 bit = 1 << participant;
        require(i.joined & bit == 0, HasJoined(participant));
        i.joined |= bit;
        emit Joined(instance, participant);
        uint256 all = type(uint256).max >> (MAX_PARTICIPANTS - _recorderOf(terms));
        if (i.joined == all) _enter(instance, i, RoundState.Running, terms.periods.toRecord);
        vault.expose(owner, terms.stake);
    }

    /// @inheritdoc IRoundManager
    function postRecord(RoundTerms calldata terms, bytes32 record) external {
        (InstanceId instance, Instance storage i) = _in(terms, RoundState.Running);
        _requireCaller(terms.recorder);
        i.record = record;
        emit RecordPosted(instance, record);
        _enter(instance, i, RoundState.Challengeable, terms.periods.toChallenge);
    }

    /// @inheritdoc IRoundManager
    function close(RoundTerms calldata terms) external {
        InstanceId instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        require(i.state == RoundState.Challengeable, WrongRoundState(i.state));
        require(i.open == 0, StillOpen(i.open));
        _end(terms, instance, i, RoundState.Closed);
    }

    /// @inheritdoc IRoundManager
    function cancel(RoundTerms calldata terms) external {
        InstanceId instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        bool early = i.state == RoundState.Joining || i.state == RoundState.Running;
        require(early, WrongRoundState(i.state));
        _end(terms, instance, i, RoundState.Cancelled);
    }

    /// @inheritdoc IRoundManager
    function game() external view returns (address) {
        return _game;
    }

    /// @inheritdoc IRoundManager
    function instanceOf(RoundTerms calldata terms) external view returns (InstanceId) {
        return _instanceOf(terms);
    }

    /// @inheritdoc IRoundManager
    function stateOf(InstanceId instance) external view returns (Instance memory) {
        return _instances[instance];
    }

    /// @inheritdoc IRoundManager
    function accusationOf(InstanceId instance, LeafPlace calldata place) external view returns (Waiting memory) {
        return _accusations[instance][_keyOf(place)];
    }

    /// @inheritdoc IRoundManager
    function demandOf(InstanceId instance, LeafPlace calldata place) external view returns (Waiting memory) {
        return _demands[instance][_keyOf(place)];
    }

    function _vault() internal view override returns (IStakeVault) {
        return vault;
    }

    /// @dev Those who have joined and not lost get their stakes back. If the instance is closed, they are
    /// paid. A store that still has to show copies waits for both. The client gets what nobody has earned.
    function _end(
        RoundTerms calldata terms,
        InstanceId instance,
        Instance storage i,
        RoundState state
    ) private {
        require(block.timestamp > i.deadline, ITaskManager.TooEarly(i.deadline));
        uint256 standing = i.joined & ~i.out;
        uint256 left = _rewards(terms);
        uint256 firstStore = _recorderOf(terms) - i.stores;
        _enter(instance, i, state, 0);
        for (uint256 participant = 0; participant <= _recorderOf(terms); participant++) {
            if (standing & (1 << participant) == 0) continue;
            if (state == RoundState.Closed) left -= terms.reward;
            bool waits = participant >= firstStore && _queues[instance][participant - firstStore].open != 0;
            if (!waits) _pay(terms, i, _accountOf(terms, participant));
        }
        if (left != 0) vault.credit(terms.client, left);
    }

    /// @dev The seats of turns are none of the stores'.
    function _check(RoundTerms calldata terms, PlanStores calldata stores) private pure {
        uint256 count = terms.participants.length;
        bool fits = count != 0 && count <= MAX_PARTICIPANTS && terms.rounds < type(uint32).max;
        fits = fits && terms.stake != 0 && terms.bond != 0 && terms.price != 0;
        RoundPeriods calldata p = terms.periods;
        uint256 least = TermsLib.MIN_PERIOD;
        fits = fits && p.toJoin >= least && p.toRecord >= least && p.toChallenge >= least && p.toAnswer >= least;
        fits = fits && stores.members <= count && stores.copies <= stores.members;
        fits = fits && (stores.copies != 0 || stores.members == 0);
        for (uint256 t = 0; t < terms.turns.length; t++) {
            RoundTurn calldata turn = terms.turns[t];
            fits = fits && uint256(turn.first) + turn.members + stores.members <= count && turn.quorum <= turn.members;
        }
        require(fits, TermsOutOfRange());
    }

    function _rewards(RoundTerms calldata terms) private pure returns (uint256) {
        return uint256(terms.reward) * (terms.participants.length + 1);
    }

    function _accountOf(RoundTerms calldata terms, uint256 participant) private pure returns (address) {
        return participant == _recorderOf(terms) ? terms.recorder : terms.participants[participant];
    }

    function _requireCaller(address wanted) private view {
        require(msg.sender == wanted, ITaskManager.WrongCaller(msg.sender, wanted));
    }
}
