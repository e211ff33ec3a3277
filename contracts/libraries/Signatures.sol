// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Whether an account has signed a digest
/// @notice First the account's key counts: 65 bytes with the low s, and with v of 27 or 28. If that is not
/// the account's key, the account itself is asked (ERC-1271), by a static call: it can't change anything. So
/// an account keeps its key's signatures when it gets code.
library Signatures {
    function isSigned(bytes32 digest, address by, bytes memory signature) internal view returns (bool) {
        (address recovered, ECDSA.RecoverError failure, ) = ECDSA.tryRecover(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == by) return true;
        return SignatureChecker.isValidERC1271SignatureNow(by, digest, signature);
    }

    function isSignedCalldata(bytes32 digest, address by, bytes calldata signature) internal view returns (bool) {
        (address recovered, ECDSA.RecoverError failure, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == by) return true;
        return SignatureChecker.isValidERC1271SignatureNowCalldata(by, digest, signature);
    }
}
