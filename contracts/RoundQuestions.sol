// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRoundManager} from "./interfaces/IRoundManager.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {Questions} from "./rounds/Questions.sol";

/// @title The code of `IRoundQuestions`, which runs in the place of a manager
/// @dev The manager hands calls on to it by `delegatecall`, so its storage and its vault are the manager's. A
/// call to this contract itself finds no instances.
contract RoundQuestions is Questions {
    function _vault() internal view override returns (IStakeVault) {
        return IRoundManager(address(this)).vault();
    }
}
