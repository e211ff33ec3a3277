// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRoundManager, RoundState} from "../../contracts/interfaces/IRoundManager.sol";
import {ITaskManager} from "../../contracts/interfaces/ITaskManager.sol";
import {Commitments} from "../../contracts/libraries/Commitments.sol";
import {RunRoot, StateRoot} from "../../contracts/libraries/Ids.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import {TensorType} from "../../contracts/libraries/TensorType.sol";
import {RecordHash} from "../../contracts/rounds/RecordHash.sol";
import "../../contracts/rounds/RoundTypes.sol";
import {StoreWorld} from "./StoreWorld.sol";
import {vm} from "./Vm.sol";

/// @dev The final state of client 0 in round 1 has three entries: 70 numbers, a number, and nothing. An
/// honest store shows whatever is demanded, and one that does not loses its stake and nobody else's time.
contract RoundCopiesTest is StoreWorld {
    bytes private constant LONG = hex"01010000_0046";
    bytes private constant SCALAR = hex"0200";
    bytes private constant EMPTY = hex"01010000_0000";

    function setUp() public {
        prepare();
        claims[1][0].end = StateRoot.wrap(_stateRoot());
        censored = claims[1][0];
        compute(1, SERVER);
        compute(2, SERVER);
    }

    /// @dev Chunk 0 has 64 elements, chunk 1 six.
    function _chunk(uint256 chunk) private pure returns (bytes memory bytes_) {
        bytes_ = new bytes(chunk == 0 ? 256 : 24);
        for (uint256 i = 0; i < bytes_.length; i++) bytes_[i] = bytes1(uint8(7 * i + chunk));
    }

    function _chunkHash(bytes memory bytes_) private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"02", bytes_));
    }

    function _longTree() private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"01", _chunkHash(_chunk(0)), _chunkHash(_chunk(1))));
    }

    function _stateLeaves() private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](3);
        leaves[0] = sha256(abi.encodePacked(hex"03", LONG, _longTree()));
        leaves[1] = sha256(abi.encodePacked(hex"03", SCALAR, _chunkHash(hex"07000000")));
        leaves[2] = sha256(abi.encodePacked(hex"03", EMPTY, sha256(hex"01")));
        for (uint256 i = 0; i < 3; i++) leaves[i] = sha256(abi.encodePacked(hex"04", leaves[i]));
    }

    function _stateRoot() private view returns (bytes32) {
        return sha256(abi.encodePacked(hex"05", uint32(3), MerkleTree.rootOf(_stateLeaves(), 3)));
    }

    function _copy(uint32 store, uint32 entry, uint32 chunk) private view returns (CopyPlace memory) {
        return CopyPlace(LeafPlace(1, 0), claims[1][0].end, store, entry, chunk);
    }

    function _demand(CopyPlace memory copy) private {
        RoundTerms memory t = terms();
        RecordedLeaf memory leaf = recorded(1, 0);
        bytes memory receipt = receiptBy(copy.store, 1, 0, RecordHash.runOf(leaf.claim));
        vm.prank(ANYONE);
        manager.demandCopy(t, copy, leaf, receipt);
    }

    function _proof(uint256 entry, uint256 chunk) private view returns (CopyProof memory proof) {
        proof.entries = 3;
        proof.statePath = path(_stateLeaves(), entry);
        (proof.tensorType, proof.chunk) = entry == 0 ? (LONG, _chunk(chunk)) : (SCALAR, bytes(hex"07000000"));
        proof.chunkPath = new bytes32[](entry == 0 ? 1 : 0);
        if (entry == 0) proof.chunkPath[0] = _chunkHash(_chunk(1 - chunk));
    }

    function _noCopy(uint256 entry) private view returns (NoCopyProof memory proof) {
        proof.entries = 3;
        proof.tree = MerkleTree.rootOf(_stateLeaves(), 3);
        if (entry > 2) return proof;
        proof.tensorType = entry == 0 ? LONG : entry == 1 ? SCALAR : EMPTY;
        proof.tree = entry == 0 ? _longTree() : entry == 1 ? _chunkHash(hex"07000000") : sha256(hex"01");
        proof.statePath = path(_stateLeaves(), entry);
    }

    function test_aStoreShowsChunksForThePrice() public {
        record();
        RoundTerms memory t = terms();
        uint32[2][3] memory asked = [[uint32(0), 0], [uint32(0), 1], [uint32(1), 0]];
        uint256 before = token.balanceOf(ANYONE);
        for (uint256 a = 0; a < 3; a++) {
            CopyPlace memory copy = _copy(1, asked[a][0], asked[a][1]);
            _demand(copy);
            assert(manager.copyOf(instance(), copy).by == ANYONE && manager.queueOf(instance(), 1).open == 1);
            assert(token.balanceOf(ANYONE) == before - (a + 1) * PRICE);
            manager.showCopy(t, copy, _proof(asked[a][0], asked[a][1]));
            assert(manager.queueOf(instance(), 1).open == 0);
            expectMoney(ownerAt(FIRST + 1), 0, (a + 1) * PRICE);
        }
        assert(state().out == 0);
        pastDeadline();
        manager.close(t);
        expectMoney(ownerAt(FIRST + 1), 0, 3 * PRICE + REWARD);
    }

    function test_anotherChunkIsNoAnswer() public {
        record();
        RoundTerms memory t = terms();
        CopyPlace memory copy = _copy(1, 0, 1);
        _demand(copy);
        CopyProof memory proof = _proof(0, 0);
        refuses(Commitments.WrongChunkLength.selector);
        manager.showCopy(t, copy, proof);
        proof = _proof(0, 1);
        proof.chunk[3] = 0xff;
        refuses(IRoundManager.WrongCopy.selector);
        manager.showCopy(t, copy, proof);
        proof = _proof(0, 1);
        proof.statePath[0] = "another entry";
        refuses(IRoundManager.WrongCopy.selector);
        manager.showCopy(t, copy, proof);
        // The count of entries and the type are in the root.
        proof = _proof(0, 1);
        proof.entries = 4;
        refuses(IRoundManager.WrongCopy.selector);
        manager.showCopy(t, copy, proof);
        proof = _proof(0, 1);
        proof.tensorType = hex"02010000_0046";
        refuses(IRoundManager.WrongCopy.selector);
        manager.showCopy(t, copy, proof);
        proof.tensorType = hex"0101";
        refuses(TensorType.NoTensorType.selector);
        manager.showCopy(t, copy, proof);
        CopyPlace memory other = _copy(1, 1, 0);
        proof = _proof(1, 0);
        refuses(IRoundManager.NothingWaiting.selector);
        manager.showCopy(t, other, proof);
        // Nor is the answer of another store, or of another end.
        other = _copy(0, 0, 1);
        proof = _proof(0, 1);
        refuses(IRoundManager.NothingWaiting.selector);
        manager.showCopy(t, other, proof);
        other = _copy(1, 0, 1);
        other.end = StateRoot.wrap("another end");
        refuses(IRoundManager.WrongCopy.selector);
        manager.showCopy(t, other, proof);
        manager.showCopy(t, copy, proof);
        refuses(IRoundManager.NothingWaiting.selector);
        manager.showCopy(t, copy, proof);
        refuses(IRoundManager.NothingWaiting.selector);
        manager.lapseCopy(t, copy);
        expectMoney(ownerAt(FIRST + 1), 0, PRICE);
    }

    /// @dev The asker need not know what there is, and a store need not have what there is not.
    function test_aStoreShowsThatThereIsNoSuchChunk() public {
        record();
        RoundTerms memory t = terms();
        uint32[2][5] memory asked = [[uint32(3), 0], [type(uint32).max, 0], [uint32(0), 2], [uint32(1), 1], [uint32(2), 0]];
        for (uint256 a = 0; a < 5; a++) {
            CopyPlace memory copy = _copy(1, asked[a][0], asked[a][1]);
            _demand(copy);
            manager.showNoCopy(t, copy, _noCopy(asked[a][0]));
        }
        expectMoney(ownerAt(FIRST + 1), 0, 5 * PRICE);
        assert(state().out == 0);
    }

    function test_aStoreCannotDenyAChunkThatExists() public {
        record();
        RoundTerms memory t = terms();
        CopyPlace memory copy = _copy(1, 0, 1);
        _demand(copy);
        NoCopyProof memory proof = _noCopy(0);
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.ChunkExists.selector, 2));
        manager.showNoCopy(t, copy, proof);
        proof.tensorType = SCALAR;
        refuses(IRoundManager.WrongCopy.selector);
        manager.showNoCopy(t, copy, proof);
        proof = _noCopy(3);
        proof.entries = 0;
        refuses(IRoundManager.WrongCopy.selector);
        manager.showNoCopy(t, copy, proof);
        // The entry with one chunk stands at another place.
        proof = _noCopy(1);
        refuses(IRoundManager.WrongCopy.selector);
        manager.showNoCopy(t, copy, proof);
    }

    function test_aStoreThatWithholdsLosesHalfToTheAsker() public {
        record();
        RoundTerms memory t = terms();
        CopyPlace memory copy = _copy(1, 0, 0);
        _demand(copy);
        refuses(ITaskManager.TooEarly.selector);
        manager.lapseCopy(t, copy);
        CopyPlace memory second = _copy(1, 0, 1);
        _demand(second);
        vm.warp(block.timestamp + 1 hours + 1);
        CopyProof memory proof = _proof(0, 0);
        refuses(ITaskManager.TooLate.selector);
        manager.showCopy(t, copy, proof);
        manager.lapseCopy(t, copy);
        assert(state().out == 1 << (FIRST + 1));
        expectMoney(ownerAt(FIRST + 1), STAKE, 0);
        expectMoney(ANYONE, 0, STAKE / 2 + PRICE);
        // Nobody waits for a store that has lost, or asks it again.
        assert(manager.queueOf(instance(), 1).open == 1);
        manager.lapseCopy(t, second);
        assert(manager.queueOf(instance(), 1).open == 0);
        expectMoney(ANYONE, 0, STAKE / 2 + 2 * PRICE);
        expectMoney(ownerAt(FIRST + 1), STAKE, 0);
        refuses(IRoundManager.NothingWaiting.selector);
        manager.lapseCopy(t, second);
        copy = _copy(1, 1, 0);
        (RecordedLeaf memory leaf, bytes memory receipt) = _asked(copy);
        refuses(IRoundManager.NothingToWin.selector);
        manager.demandCopy(t, copy, leaf, receipt);
        pastDeadline();
        manager.close(t);
        expectMoney(CLIENT, 0, REWARD);
        assert(vault.escrow() == 0);
    }

    function _asked(CopyPlace memory copy) private view returns (RecordedLeaf memory leaf, bytes memory receipt) {
        leaf = recorded(copy.place.round, copy.place.seat);
        receipt = receiptBy(copy.store, copy.place.round, copy.place.seat, RecordHash.runOf(leaf.claim));
    }

    function test_aStoreIsAskedForWhatItHasSignedAndTheRecordHas() public {
        RoundTerms memory t = terms();
        CopyPlace memory copy = _copy(1, 0, 0);
        (RecordedLeaf memory leaf, bytes memory receipt) = _asked(copy);
        refuses(IRoundManager.WrongRoundState.selector);
        manager.demandCopy(t, copy, leaf, receipt);
        record();
        copy.store = 3;
        refuses(IRoundManager.NoSuchStore.selector);
        manager.demandCopy(t, copy, leaf, receipt);
        copy.store = 2;
        refuses(IRoundManager.NotSignedBy.selector);
        manager.demandCopy(t, copy, leaf, receipt);
        copy.store = 1;
        copy.end = StateRoot.wrap("another end");
        refuses(IRoundManager.WrongCopy.selector);
        manager.demandCopy(t, copy, leaf, receipt);
        leaf.claim.end = copy.end;
        refuses(IRoundManager.NotInRecord.selector);
        manager.demandCopy(t, copy, leaf, receipt);
        // Nothing that an absent member has made is in the record.
        copy = CopyPlace(LeafPlace(2, 0), claims[1][0].end, 1, 0, 0);
        (leaf, receipt) = _asked(copy);
        refuses(IRoundManager.NotInRecord.selector);
        manager.demandCopy(t, copy, leaf, receipt);
        // A receipt of another run for the place is none.
        copy = _copy(1, 0, 0);
        (leaf, receipt) = _asked(copy);
        bytes memory other = receiptBy(1, 1, 0, RunRoot.wrap("another run"));
        refuses(IRoundManager.NotSignedBy.selector);
        manager.demandCopy(t, copy, leaf, other);
        pastDeadline();
        refuses(ITaskManager.TooLate.selector);
        manager.demandCopy(t, copy, leaf, receipt);
    }

    /// @dev Each store has its own time, and a chunk is demanded once.
    function test_demandsOfAStoreAreDueOneAfterTheOther() public {
        record();
        RoundTerms memory t = terms();
        uint256 now_ = block.timestamp;
        _demand(_copy(1, 0, 0));
        _demand(_copy(1, 0, 1));
        _demand(_copy(2, 0, 1));
        assert(manager.copyOf(instance(), _copy(1, 0, 0)).deadline == now_ + 1 hours);
        assert(manager.copyOf(instance(), _copy(1, 0, 1)).deadline == now_ + 2 hours);
        assert(manager.copyOf(instance(), _copy(2, 0, 1)).deadline == now_ + 1 hours);
        assert(manager.queueOf(instance(), 1).open == 2 && manager.queueOf(instance(), 2).open == 1);
        manager.showCopy(t, _copy(1, 0, 0), _proof(0, 0));
        CopyPlace memory copy = _copy(1, 0, 0);
        (RecordedLeaf memory leaf, bytes memory receipt) = _asked(copy);
        refuses(IRoundManager.AskedBefore.selector);
        manager.demandCopy(t, copy, leaf, receipt);
        // Nobody gets more time by it.
        assert(state().deadline == now_ + 3 days && state().open == 0);
    }

    /// @dev A store that asks itself holds nobody up. Its own stake and reward wait for its last answer.
    function test_thePerformanceClosesWithoutTheStoreThatIsAsked() public {
        record();
        RoundTerms memory t = terms();
        vm.warp(state().deadline);
        _demand(_copy(1, 0, 0));
        _demand(_copy(1, 0, 1));
        _demand(_copy(0, 1, 0));
        pastDeadline();
        manager.close(t);
        expectState(RoundState.Closed);
        for (uint256 i = 0; i <= recorderNumber(); i++) {
            bool waits = i == FIRST || i == FIRST + 1;
            expectMoney(ownerAt(i), 0, waits ? 0 : REWARD);
            assert(vault.accountOf(ownerAt(i)).exposed == (waits ? STAKE : 0));
        }
        assert(vault.escrow() == 2 * REWARD + 3 * PRICE);
        manager.showCopy(t, _copy(0, 1, 0), _proof(1, 0));
        expectMoney(ownerAt(FIRST), 0, REWARD + PRICE);
        assert(vault.accountOf(ownerAt(FIRST)).exposed == 0 && vault.escrow() == REWARD + 2 * PRICE);
        manager.showCopy(t, _copy(1, 0, 1), _proof(0, 1));
        assert(vault.accountOf(ownerAt(FIRST + 1)).exposed == STAKE);
        manager.showCopy(t, _copy(1, 0, 0), _proof(0, 0));
        expectMoney(ownerAt(FIRST + 1), 0, REWARD + 2 * PRICE);
        assert(vault.accountOf(ownerAt(FIRST + 1)).exposed == 0 && vault.escrow() == 0);
        CopyPlace memory copy = _copy(1, 1, 0);
        (RecordedLeaf memory leaf, bytes memory receipt) = _asked(copy);
        refuses(IRoundManager.WrongRoundState.selector);
        manager.demandCopy(t, copy, leaf, receipt);
    }

    function test_aStoreLosesAfterTheClosingToo() public {
        record();
        RoundTerms memory t = terms();
        vm.warp(state().deadline);
        _demand(_copy(1, 0, 0));
        _demand(_copy(1, 0, 1));
        _demand(_copy(1, 1, 0));
        pastDeadline();
        manager.close(t);
        vm.warp(block.timestamp + 1 hours);
        manager.lapseCopy(t, _copy(1, 0, 0));
        expectMoney(ownerAt(FIRST + 1), STAKE, 0);
        expectMoney(CLIENT, 0, REWARD);
        // It is paid for what it shows, and its stake and reward are gone.
        manager.showCopy(t, _copy(1, 1, 0), _proof(1, 0));
        manager.lapseCopy(t, _copy(1, 0, 1));
        expectMoney(ownerAt(FIRST + 1), STAKE, PRICE);
        expectMoney(CLIENT, 0, REWARD);
        expectMoney(ANYONE, 0, STAKE / 2 + 2 * PRICE);
        assert(vault.escrow() == 0 && vault.accountOf(ownerAt(FIRST + 1)).exposed == 0);
    }

    /// @dev Its reward went to the client when the performance was closed, and does so once.
    function test_whoHasLostBeforeTheClosingPaysOnce() public {
        record();
        RoundTerms memory t = terms();
        vm.warp(state().deadline);
        _demand(_copy(1, 0, 0));
        _demand(_copy(1, 0, 1));
        RunRoot[2] memory runs = [RunRoot.wrap("run"), RunRoot.wrap(0)];
        manager.storeTwice(t, 1, LeafPlace(1, 1), runs, [receiptBy(1, 1, 1, runs[0]), noteBy(1, 1, 1)]);
        pastDeadline();
        manager.close(t);
        expectMoney(CLIENT, 0, REWARD);
        manager.showCopy(t, _copy(1, 0, 0), _proof(0, 0));
        manager.lapseCopy(t, _copy(1, 0, 1));
        expectMoney(CLIENT, 0, REWARD);
        expectMoney(ownerAt(FIRST + 1), STAKE, PRICE);
        expectMoney(ANYONE, 0, PRICE);
        assert(vault.escrow() == 0);
    }
}
