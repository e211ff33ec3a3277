// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Fault, IRoundManager, Instance, RoundState, Waiting} from "../interfaces/IRoundManager.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ITaskManager} from "../interfaces/ITaskManager.sol";
import {RunRoot} from "../libraries/Ids.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {PlanHash} from "./PlanHash.sol";
import {CopyQueue, InstanceId, LeafPlace, RoundTerms, StoreSignature} from "./RoundTypes.sol";

/// @title What is stored of an instance, and how somebody loses
/// @dev The manager and the contract for its questions have this storage in common: the second one's code
/// runs in the first one's place. So nothing else declares a variable.
abstract contract InstanceStore {
    address internal _game;

    mapping(InstanceId instance => Instance) internal _instances;
    mapping(InstanceId instance => mapping(uint256 place => Waiting)) internal _accusations;
    mapping(InstanceId instance => mapping(uint256 place => Waiting)) internal _demands;
    /// @dev Of an accusation: the hash of the leaf's run root and of the rounds of what the leaf has to read,
    /// if some are earlier ones than its places. So an answer needs no way to the record.
    mapping(InstanceId instance => mapping(uint256 place => bytes32)) internal _accused;
    mapping(InstanceId instance => mapping(uint256 place => Waiting)) internal _censorships;
    /// @dev Of a censorship: bit i: store i has signed a receipt that was shown.
    mapping(InstanceId instance => mapping(uint256 place => uint256)) internal _holders;
    mapping(InstanceId instance => mapping(bytes32 copy => Waiting)) internal _copies;
    mapping(InstanceId instance => mapping(uint256 store => CopyQueue)) internal _queues;

    /// @dev The manager's vault.
    function _vault() internal view virtual returns (IStakeVault);

    function _instanceOf(RoundTerms calldata terms) internal view returns (InstanceId) {
        return PlanHash.instanceOf(terms, address(this));
    }

    /// @dev Reverts unless the instance is in this state and before its deadline.
    function _in(
        RoundTerms calldata terms,
        RoundState state
    ) internal view returns (InstanceId instance, Instance storage i) {
        instance = _instanceOf(terms);
        i = _instances[instance];
        require(i.state == state, IRoundManager.WrongRoundState(i.state));
        require(block.timestamp <= i.deadline, ITaskManager.TooLate(i.deadline));
    }

    /// @dev Reverts unless the participants have begun and the performance has not ended.
    function _begun(RoundTerms calldata terms) internal view returns (InstanceId instance, Instance storage i) {
        instance = _instanceOf(terms);
        i = _instances[instance];
        bool begun = i.state == RoundState.Running || i.state == RoundState.Challengeable;
        require(begun, IRoundManager.WrongRoundState(i.state));
    }

    function _enter(
        InstanceId instance,
        Instance storage i,
        RoundState state,
        uint256 period
    ) internal {
        i.state = state;
        i.deadline = uint40(block.timestamp + period);
        emit IRoundManager.InstanceMoved(instance, state, i.deadline);
    }

    /// @dev Gives a participant, or the recorder, its stake back, and if the instance is closed, its reward.
    function _pay(RoundTerms calldata terms, Instance storage i, address owner) internal {
        IStakeVault vault = _vault();
        vault.release(owner, terms.stake);
        if (i.state == RoundState.Closed && terms.reward != 0) vault.credit(owner, terms.reward);
    }

    /// @dev Takes the stake of a participant, or of the recorder. A second time nothing happens.
    /// @param to who gets half of it; zero if nobody does
    function _convict(
        InstanceId instance,
        Instance storage i,
        uint256 participant,
        address owner,
        address to,
        Fault fault
    ) internal {
        uint256 bit = 1 << participant;
        if (i.out & bit != 0) return;
        i.out |= bit;
        emit IRoundManager.Convicted(instance, participant, owner, fault);
        _slash(owner, i.stake, to);
    }

    /// @dev Takes an exposed amount. Half goes to an account, and the rest is burned.
    function _slash(address owner, uint256 amount, address to) internal {
        IStakeVault vault = _vault();
        vault.slash(owner, amount);
        uint256 share = to == address(0) ? 0 : amount / 2;
        if (share != 0) vault.credit(to, share);
        vault.condemn(amount - share);
    }

    /// @dev Opens something that has to be answered before the performance can close.
    /// @return due its deadline
    function _ask(
        Instance storage i,
        Waiting storage w,
        RoundTerms calldata terms,
        LeafPlace calldata place,
        uint256 last
    ) internal returns (uint40 due) {
        due = _wait(w, terms, place, last);
        i.open++;
    }

    /// @dev Answers it. What the answer has shown can be used for the time of an answer at least.
    function _answer(
        Instance storage i,
        Waiting storage w,
        RoundTerms calldata terms,
        LeafPlace calldata place
    ) internal {
        _takeInTime(w, place);
        i.open--;
        uint256 until = block.timestamp + terms.periods.toAnswer;
        if (i.deadline < until) i.deadline = uint40(until);
    }

    /// @dev Ends it without an answer.
    /// @return by who has made it
    function _expire(
        Instance storage i,
        Waiting storage w,
        LeafPlace calldata place,
        uint256 participant
    ) internal returns (address by) {
        by = _takeLate(i, w, place, participant);
        i.open--;
    }

    /// @dev Opens something that has to be answered. So that nobody has to answer many at once, it is due
    /// after the last one.
    /// @param last deadline of the last one
    /// @return due its deadline
    function _wait(
        Waiting storage w,
        RoundTerms calldata terms,
        LeafPlace calldata place,
        uint256 last
    ) internal returns (uint40 due) {
        require(w.by == address(0), IRoundManager.AskedBefore(place.round, place.seat));
        if (last < block.timestamp) last = block.timestamp;
        due = SafeCast.toUint40(last + terms.periods.toAnswer);
        (w.by, w.deadline) = (msg.sender, due);
    }

    /// @dev Ends it by an answer.
    function _takeInTime(Waiting storage w, LeafPlace calldata place) internal {
        _take(w, place);
        require(block.timestamp <= w.deadline, ITaskManager.TooLate(w.deadline));
    }

    /// @dev Ends it without an answer.
    /// @param participant who has to answer; once that one has lost, nobody has to wait for it
    /// @return by who has made it
    function _takeLate(
        Instance storage i,
        Waiting storage w,
        LeafPlace calldata place,
        uint256 participant
    ) internal returns (address by) {
        by = _take(w, place);
        require(block.timestamp > w.deadline || _isOut(i, participant), ITaskManager.TooEarly(w.deadline));
    }

    function _take(Waiting storage w, LeafPlace calldata place) private returns (address by) {
        by = w.by;
        require(by != address(0) && !w.done, IRoundManager.NothingWaiting(place.round, place.seat));
        w.done = true;
    }

    /// @return whether a participant, or the recorder, has lost its stake
    function _isOut(Instance storage i, uint256 participant) internal view returns (bool) {
        return i.out & (1 << participant) != 0;
    }

    function _accusationHash(RunRoot run, uint32[] memory stood) internal pure returns (bytes32) {
        return keccak256(abi.encode(run, stood));
    }

    function _requireSigned(bytes32 digest, address owner, bytes calldata signature) internal view {
        require(Signatures.isSignedCalldata(digest, owner, signature), IRoundManager.NotSignedBy(owner, digest));
    }

    function _keyOf(LeafPlace calldata place) internal pure returns (uint256) {
        return (uint256(place.round) << 32) | place.seat;
    }

    /// @return participant the number of a store's participant
    /// @return owner its account
    function _storeOf(
        RoundTerms calldata terms,
        Instance storage i,
        uint256 store
    ) internal view returns (uint256 participant, address owner) {
        require(store < i.stores, IRoundManager.NoSuchStore(store));
        participant = terms.participants.length - i.stores + store;
        owner = terms.participants[participant];
    }

    /// @return signers bit i: store i has signed this
    function _signersOf(
        RoundTerms calldata terms,
        Instance storage i,
        bytes32 digest,
        StoreSignature[] calldata signatures,
        uint256 least
    ) internal view returns (uint256 signers) {
        require(least != 0 && signatures.length >= least, IRoundManager.TooFewStores(least));
        for (uint256 s = 0; s < signatures.length; s++) {
            uint256 store = signatures[s].store;
            (, address owner) = _storeOf(terms, i, store);
            require(signers >> store == 0, IRoundManager.NoSuchStore(store));
            _requireSigned(digest, owner, signatures[s].signature);
            signers |= 1 << store;
        }
    }

    /// @return how many stores have to have signed that they hold no leaf of an absent member: these and any
    /// `copies` stores have one in common
    function _notesOf(Instance storage i) internal view returns (uint256) {
        return i.stores == 0 ? 0 : uint256(i.stores) - i.copies + 1;
    }

    /// @return the number of the recorder, which comes after the participants
    function _recorderOf(RoundTerms calldata terms) internal pure returns (uint256) {
        return terms.participants.length;
    }
}
