// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputeGame, JobParts} from "../../../contracts/interfaces/IDisputeGame.sol";
import {Terms} from "../../../contracts/libraries/Terms.sol";
import * as Tags from "../../../contracts/libraries/Tags.sol";

/// @title Attack 3: a job with a name so long that opening its dispute fits no transaction
/// @notice The name of 450 kB is in the job's id by its hash. test/settlement/attacks plays such a dispute to
/// its end.
contract Attack03_LongNames {
    uint256 private constant SELECTOR = 4;
    uint256 private constant WORDS = 24 + 5;

    function test_ATransactionThatOpensADisputeHasOneLength() public view {
        bytes memory info = new bytes(450_000);
        Terms memory terms;
        JobParts memory parts;
        assert(abi.encodeCall(IDisputeGame.open, (terms, parts)).length == SELECTOR + 32 * WORDS);
        parts.infoHash = sha256(abi.encodePacked(Tags.JOB_INFO, info));
        assert(parts.infoHash != 0);
        assert(abi.encodeCall(IDisputeGame.open, (terms, parts)).length == SELECTOR + 32 * WORDS);
    }
}
