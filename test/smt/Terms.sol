// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";

/// @title What terms promise that `TermsLib.check` lets pass
contract TermsProofs {
    /// @dev Rewards and stakes of providers, bonds in all other seats, and the chunks of two claims.
    function fits(Terms calldata terms, uint256 limit) external pure {
        TermsLib.check(terms, limit);
        uint256 providers = terms.providers;
        uint256 seats = providers * terms.stake + (TermsLib.MAX_SEATS - providers) * terms.bond;
        uint256 paid = providers * terms.reward + 2 * uint256(terms.maxDemands) * terms.chunkPrice;
        assert(seats + paid < 168 * 2 ** 80);
        assert(168 * 2 ** 80 <= type(uint88).max);
    }

    function ends(Terms calldata terms, uint256 limit) external pure {
        TermsLib.check(terms, limit);
        assert(TermsLib.longestRun(terms) <= limit);
        assert(TermsLib.longestRun(terms) < 2 ** 36);
    }

    function isComplete(Terms calldata terms, uint256 limit) external pure {
        TermsLib.check(terms, limit);
        assert(terms.providers >= 2 && terms.providers < TermsLib.MAX_SEATS);
        assert(terms.commitEvery != 0 && terms.steps != 0 && terms.tensors != 0);
        assert(terms.committee != address(0) || terms.game != address(0));
    }
}
