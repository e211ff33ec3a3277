// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobId, RunRoot, StateRoot} from "../../contracts/libraries/Ids.sol";
import {RecordHash} from "../../contracts/rounds/RecordHash.sol";
import "../../contracts/rounds/RoundTypes.sol";
import {RoundWorld} from "./RoundWorld.sol";

/// @dev Three stores, of which two have to hold a leaf. In round 2 client 0 is absent by the record, and the
/// server knows it.
abstract contract StoreWorld is RoundWorld {
    string private constant STORED = "Stored(bytes32 instance,uint32 round,uint32 seat,bytes32 run)";
    string private constant MISSING = "Missing(bytes32 instance,uint32 round,uint32 seat)";
    string private constant DOMAIN = "EIP712Domain(string name,string version)";
    /// @dev The participant that is store 0.
    uint256 internal constant FIRST = 3;

    /// @dev What client 0 has signed for round 2, in which the record misses it.
    LeafClaim internal censored;

    function last() internal pure override returns (uint32) {
        return 2;
    }

    function quorum() internal pure override returns (uint32) {
        return 1;
    }

    function storeCount() internal pure virtual override returns (uint32) {
        return 3;
    }

    function copies() internal pure virtual override returns (uint32) {
        return 2;
    }

    function prepare() internal {
        build();
        censored = claims[2][0];
        away[2][0] = true;
        compute(2, SERVER);
    }

    function digestOf(bytes memory sentence) private pure returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(keccak256(bytes(DOMAIN)), keccak256("Verde rounds"), keccak256("1")));
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(sentence)));
    }

    function receiptBy(uint256 store, uint32 round, uint32 seat, RunRoot run) internal view returns (bytes memory) {
        bytes memory sentence = abi.encode(keccak256(bytes(STORED)), instance(), round, seat, run);
        return sign(keyOf(STORE + store), digestOf(sentence));
    }

    function noteBy(uint256 store, uint32 round, uint32 seat) internal view returns (bytes memory) {
        return sign(keyOf(STORE + store), digestOf(abi.encode(keccak256(bytes(MISSING)), instance(), round, seat)));
    }

    function censoredRun() internal view returns (RunRoot) {
        return RecordHash.runOf(censored);
    }

    /// @dev Receipts of what client 0 has signed, by two stores.
    function receiptsBy(uint32 a, uint32 b) internal view returns (StoreSignature[] memory list) {
        list = new StoreSignature[](2);
        list[0] = StoreSignature(a, receiptBy(a, 2, 0, censoredRun()));
        list[1] = StoreSignature(b, receiptBy(b, 2, 0, censoredRun()));
    }

    /// @dev Notes of two stores that client 0 was absent.
    function notesBy(uint32 a, uint32 b) internal view returns (StoreSignature[] memory list) {
        list = new StoreSignature[](2);
        list[0] = StoreSignature(a, noteBy(a, 2, 0));
        list[1] = StoreSignature(b, noteBy(b, 2, 0));
    }

    function accuse(StoreSignature[] memory receipts) internal {
        RoundTerms memory t = terms();
        RunRoot run = censoredRun();
        bytes memory signature = signedLeaf(0, 2, 0, run);
        manager.accuseCensor(t, LeafPlace(2, 0), recorded(2, 0), run, signature, receipts);
    }
}
