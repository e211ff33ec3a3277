// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockHashes} from "../../contracts/libraries/BlockHashes.sol";
import {vm} from "./Vm.sol";

/// @dev Answers each call with the same word, as the system contract of EIP-2935 answers for a block.
contract AnsweringHistory {
    fallback() external {
        bytes32 word = "the word of the history";
        assembly ("memory-safe") {
            mstore(0, word)
            return(0, 0x20)
        }
    }
}

/// @dev Refuses each call with a word, which is no answer.
contract RefusingHistory {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0, 1)
            revert(0, 0x20)
        }
    }
}

/// @dev Answers with more than a word.
contract LongHistory {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0, 1)
            return(0, 0x40)
        }
    }
}

contract BlockHashesTest {
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    bytes32 private constant WORD = "the word of the history";

    function test_aBlockThatTheChainStillKnowsHasTheHashOfTheChain() public {
        vm.roll(1000);
        bytes32 known = blockhash(999);
        assert(known != 0 && known != WORD);
        vm.etch(HISTORY, type(AnsweringHistory).runtimeCode);
        assert(BlockHashes.hashOf(999) == known);
    }

    function test_aBlockThatTheChainHasForgottenHasTheHashOfTheHistory() public {
        vm.roll(1000);
        vm.etch(HISTORY, type(AnsweringHistory).runtimeCode);
        assert(BlockHashes.hashOf(1) == WORD);
    }

    function test_thePresentBlockAndALaterOneHaveNone() public {
        vm.roll(1000);
        vm.etch(HISTORY, type(AnsweringHistory).runtimeCode);
        assert(BlockHashes.hashOf(1000) == 0 && BlockHashes.hashOf(1001) == 0);
    }

    function test_aRefusalAndAnAnswerOfAnotherLengthAreNoHash() public {
        vm.roll(1000);
        assert(BlockHashes.hashOf(1) == 0);
        vm.etch(HISTORY, type(RefusingHistory).runtimeCode);
        assert(BlockHashes.hashOf(1) == 0);
        vm.etch(HISTORY, type(LongHistory).runtimeCode);
        assert(BlockHashes.hashOf(1) == 0);
    }
}
