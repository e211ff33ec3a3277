// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRoundManager} from "../interfaces/IRoundManager.sol";
import {IRoundQuestions} from "../interfaces/IRoundQuestions.sol";
import {
    LeafEvidence,
    LeafExcuse,
    LeafPlace,
    RecordedLeaf,
    RoundTerms,
    SignedRoll,
    StoreSignature
} from "./RoundTypes.sol";

/// @title The functions of the manager whose code is in another contract
/// @dev That code runs on the manager's storage (`InstanceStore`), and gets the call as it was made.
abstract contract HandedOn is IRoundManager {
    /// @inheritdoc IRoundManager
    address public immutable questions;

    constructor(IRoundQuestions questions_) {
        questions = address(questions_);
        require(questions.code.length != 0, NoQuestions(questions));
    }

    /// @inheritdoc IRoundQuestions
    function accuse(RoundTerms calldata, LeafEvidence calldata, bytes calldata) external {
        _handOn();
    }

    /// @inheritdoc IRoundQuestions
    function answer(RoundTerms calldata, LeafEvidence calldata, LeafExcuse calldata) external {
        _handOn();
    }

    /// @inheritdoc IRoundQuestions
    function convict(RoundTerms calldata, LeafPlace calldata) external {
        _handOn();
    }

    /// @inheritdoc IRoundQuestions
    function demand(RoundTerms calldata, LeafPlace calldata) external {
        _handOn();
    }

    /// @inheritdoc IRoundQuestions
    function show(
        RoundTerms calldata,
        LeafEvidence calldata,
        bytes calldata,
        StoreSignature[] calldata
    ) external {
        _handOn();
    }

    /// @inheritdoc IRoundQuestions
    function showAbsence(
        RoundTerms calldata,
        LeafPlace calldata,
        RecordedLeaf calldata,
        RecordedLeaf calldata,
        bool,
        SignedRoll calldata,
        StoreSignature[] calldata
    ) external {
        _handOn();
    }

    /// @inheritdoc IRoundQuestions
    function lapse(RoundTerms calldata, LeafPlace calldata) external {
        _handOn();
    }

    /// @inheritdoc IRoundQuestions
    function callTwice(RoundTerms calldata, SignedRoll[2] calldata) external {
        _handOn();
    }

    /// @inheritdoc IRoundQuestions
    function miscall(
        RoundTerms calldata,
        LeafPlace calldata,
        RecordedLeaf calldata,
        bool,
        SignedRoll calldata
    ) external {
        _handOn();
    }

    /// @inheritdoc IRoundQuestions
    function missMany(RoundTerms calldata, uint32, uint32, uint32[] calldata, RecordedLeaf[] calldata) external {
        _handOn();
    }

    /// @inheritdoc IRoundQuestions
    function misplace(
        RoundTerms calldata,
        LeafPlace calldata,
        RecordedLeaf calldata,
        RecordedLeaf calldata,
        bool
    ) external {
        _handOn();
    }

    function _handOn() private {
        address to = questions;
        assembly ("memory-safe") {
            // Nothing of this contract runs afterwards, so all memory is free.
            let from := mload(0x40)
            calldatacopy(from, 0, calldatasize())
            let holds := delegatecall(gas(), to, from, calldatasize(), 0, 0)
            returndatacopy(from, 0, returndatasize())
            if iszero(holds) { revert(from, returndatasize()) }
            return(from, returndatasize())
        }
    }
}
