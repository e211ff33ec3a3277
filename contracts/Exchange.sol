// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {KeyHash, SaleId, SealKey, SealRoot} from "./exchange/SaleTypes.sol";
import {SaleMoney} from "./exchange/SaleMoney.sol";
import {IExchange, Sale, SaleState, SaleTerms} from "./interfaces/IExchange.sol";
import {ITaskManager, State, Task} from "./interfaces/ITaskManager.sol";
import {SealedChunk, Sealing} from "./libraries/Sealing.sol";
import {TermsLib} from "./libraries/Terms.sol";

/// @title The exchange of `IExchange`
/// @notice Trusts the task manager to say which claims are settled, and the token of its vault to move what
/// it is told to. It trusts neither buyers nor sellers. Nobody owns it, and nothing in it can be changed.
contract Exchange is SaleMoney {
    /// @inheritdoc IExchange
    ITaskManager public immutable manager;

    mapping(SaleId sale => Sale) private _sales;

    /// @param manager_ whose settled claims can be sold
    constructor(ITaskManager manager_) SaleMoney(manager_.vault().token()) {
        manager = manager_;
    }

    /// @inheritdoc IExchange
    function pledge(SaleTerms calldata terms) external returns (SaleId sale) {
        _requireCaller(terms.buyer);
        require(terms.price != 0 && terms.bond != 0, EmptySale());
        uint256 shortest =
            Math.min(Math.min(terms.toOffer, terms.toTake), Math.min(terms.toRelease, terms.toComplain));
        require(shortest >= TermsLib.MIN_PERIOD, TermsLib.PeriodTooShort());
        Task memory task = manager.taskOf(terms.task);
        require(task.state != State.None, ITaskManager.WrongState(task.state, task.phase));
        sale = saleId(terms);
        Sale storage s = _sales[sale];
        require(s.state == SaleState.None, SaleExists(sale));
        (s.buyer, s.seat, s.task) = (terms.buyer, terms.seat, terms.task);
        (s.price, s.bond) = (terms.price, terms.bond);
        (s.toOffer, s.toTake, s.toRelease, s.toComplain) =
            (terms.toOffer, terms.toTake, terms.toRelease, terms.toComplain);
        _enter(s, SaleState.Pledged);
        emit Pledged(sale, terms.task, terms);
        _collect(terms.buyer, terms.price);
    }

    /// @inheritdoc IExchange
    function offer(SaleId sale, SealRoot root, uint32 chunks, KeyHash keyHash) external {
        Sale storage s = _in(sale, SaleState.Pledged);
        Task memory task = manager.taskOf(s.task);
        require(_stands(task, s.seat), NotSettled(s.task, s.seat));
        _requireInTime(_offerUntil(s, task));
        address seller = _sellerOf(s);
        _requireCaller(seller);
        require(chunks != 0, EmptySale());
        (s.root, s.chunks, s.keyHash) = (root, chunks, keyHash);
        _enter(s, SaleState.Offered);
        emit Offered(sale, root, chunks, keyHash);
        _collect(seller, s.bond);
    }

    /// @inheritdoc IExchange
    function take(SaleId sale, SealRoot root, KeyHash keyHash) external {
        Sale storage s = _in(sale, SaleState.Offered);
        _requireCaller(s.buyer);
        require(root == s.root && keyHash == s.keyHash, OtherOffer(s.root, s.keyHash));
        _requireInTime(_until(s));
        _enter(s, SaleState.Taken);
        emit Taken(sale);
    }

    /// @inheritdoc IExchange
    function releaseKey(SaleId sale, SealKey key) external {
        Sale storage s = _in(sale, SaleState.Taken);
        _requireInTime(_until(s));
        _requireKey(s, sale, key);
        _enter(s, SaleState.Released);
        emit KeyReleased(sale, key);
    }

    /// @inheritdoc IExchange
    function complain(SaleId sale, SealKey key, SealedChunk calldata chunk) external {
        Sale storage s = _in(sale, SaleState.Released);
        _requireInTime(_until(s));
        _requireKey(s, sale, key);
        SealRoot root = Sealing.rootOf(chunk, s.chunks);
        require(root == s.root, NotSealed(root));
        require(Sealing.opened(chunk, key) != chunk.leaf, NothingWrong(chunk.index));
        emit WrongChunkShown(sale, chunk.index);
        _fail(s, sale);
    }

    /// @inheritdoc IExchange
    function finish(SaleId sale) external {
        Sale storage s = _in(sale, SaleState.Released);
        if (msg.sender != s.buyer) _requirePassed(_until(s));
        _credit(_sellerOf(s), uint256(s.price) + s.bond);
        _end(s, sale, SaleState.Paid, 0);
    }

    /// @inheritdoc IExchange
    function expire(SaleId sale) external {
        Sale storage s = _sales[sale];
        SaleState state = s.state;
        if (state == SaleState.Pledged) _withdraw(s, sale);
        else if (state == SaleState.Offered) _burnPrice(s, sale);
        else {
            require(state == SaleState.Taken, WrongSaleState(state));
            _requirePassed(_until(s));
            _fail(s, sale);
        }
    }

    /// @inheritdoc IExchange
    function saleOf(SaleId sale) external view returns (Sale memory) {
        return _sales[sale];
    }

    /// @inheritdoc IExchange
    function deadlineOf(SaleId sale) external view returns (uint256 deadline) {
        Sale storage s = _sales[sale];
        if (s.state != SaleState.Pledged) return _until(s);
        Task memory task = manager.taskOf(s.task);
        return _hasEnded(task) ? _offerUntil(s, task) : 0;
    }

    /// @inheritdoc IExchange
    function hashOfKey(SaleId sale, SealKey key) external pure returns (KeyHash) {
        return Sealing.hashOf(sale, key);
    }

    /// @inheritdoc IExchange
    function saleId(SaleTerms calldata terms) public view returns (SaleId) {
        return SaleId.wrap(keccak256(abi.encode(block.chainid, address(this), terms)));
    }

    /// @dev No offer: the buyer has the price back, at once if there is nothing that could be sold.
    function _withdraw(Sale storage s, SaleId sale) private {
        Task memory task = manager.taskOf(s.task);
        require(_hasEnded(task), NotSettled(s.task, s.seat));
        if (_stands(task, s.seat)) _requirePassed(_offerUntil(s, task));
        _credit(s.buyer, s.price);
        _end(s, sale, SaleState.Returned, 0);
    }

    /// @dev The offer was not taken. Whether the ciphertext was withheld or the buyer would not pay, nobody
    /// can see. So nobody gains.
    function _burnPrice(Sale storage s, SaleId sale) private {
        _requirePassed(_until(s));
        _credit(_sellerOf(s), s.bond);
        _condemn(s.price);
        _end(s, sale, SaleState.Burned, 0);
    }

    /// @dev The seller has not done its part: the price goes back, with half of the bond for the buyer's gas.
    function _fail(Sale storage s, SaleId sale) private {
        uint256 bond = s.bond;
        uint256 forBuyer = bond / 2;
        _credit(s.buyer, s.price + forBuyer);
        _condemn(bond - forBuyer);
        _end(s, sale, SaleState.Returned, bond);
    }

    function _end(Sale storage s, SaleId sale, SaleState state, uint256 slashed) private {
        _enter(s, state);
        emit SaleEnded(sale, state, slashed);
    }

    function _enter(Sale storage s, SaleState state) private {
        s.state = state;
        s.movedAt = uint40(block.timestamp);
    }

    /// @return s the sale, if it is in this state
    function _in(SaleId sale, SaleState wanted) private view returns (Sale storage s) {
        s = _sales[sale];
        require(s.state == wanted, WrongSaleState(s.state));
    }

    /// @dev A seat of a task that has ended keeps its owner.
    function _sellerOf(Sale storage s) private view returns (address seller) {
        (seller, ) = manager.seatOf(s.task, s.seat);
    }

    /// @return the last second of a state after the offer; zero once the sale has ended
    function _until(Sale storage s) private view returns (uint256) {
        SaleState state = s.state;
        if (state == SaleState.Offered) return uint256(s.movedAt) + s.toTake;
        if (state == SaleState.Taken) return uint256(s.movedAt) + s.toRelease;
        return state == SaleState.Released ? uint256(s.movedAt) + s.toComplain : 0;
    }

    /// @dev The deadline of a task that has ended is the second of its end.
    function _offerUntil(Sale storage s, Task memory task) private view returns (uint256) {
        return Math.max(s.movedAt, task.deadline) + s.toOffer;
    }

    function _requireKey(Sale storage s, SaleId sale, SealKey key) private view {
        KeyHash hash = Sealing.hashOf(sale, key);
        require(hash == s.keyHash, WrongKey(hash));
    }

    function _requireCaller(address wanted) private view {
        require(msg.sender == wanted, ITaskManager.WrongCaller(msg.sender, wanted));
    }

    function _requireInTime(uint256 deadline) private view {
        require(block.timestamp <= deadline, ITaskManager.TooLate(deadline));
    }

    function _requirePassed(uint256 deadline) private view {
        require(block.timestamp > deadline, ITaskManager.TooEarly(deadline));
    }

    function _hasEnded(Task memory task) private pure returns (bool) {
        return task.state == State.Final || task.state == State.Refunded;
    }

    /// @dev All seats that stand at the end of a task have the same root, the settled one.
    function _stands(Task memory task, uint256 seat) private pure returns (bool) {
        return task.state == State.Final && (uint256(task.revealed & ~task.out) >> seat) & 1 == 1;
    }
}
