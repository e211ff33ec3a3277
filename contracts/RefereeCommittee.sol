// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SignedVerdicts} from "./committee/SignedVerdicts.sol";
import {ICommittee, Verdict} from "./interfaces/ICommittee.sol";
import {IRefereeCommittee} from "./interfaces/IRefereeCommittee.sol";
import {ITaskManager, Resolution} from "./interfaces/ITaskManager.sol";
import {TaskId} from "./libraries/Ids.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Terms, TermsLib} from "./libraries/Terms.sol";

/// @title The committee of `IRefereeCommittee`
/// @notice Trusts a threshold of its members with every dispute of the tasks that name it, and nobody else.
/// It trusts them with no money but their own share.
contract RefereeCommittee is IRefereeCommittee, SignedVerdicts, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using TermsLib for Terms;

    /// @inheritdoc ICommittee
    ITaskManager public immutable manager;
    /// @inheritdoc ICommittee
    uint256 public immutable threshold;
    /// @inheritdoc ICommittee
    uint256 public immutable members;
    /// @inheritdoc ICommittee
    IERC20 public immutable token;
    /// @inheritdoc IRefereeCommittee
    mapping(address account => bool) public isMember;
    /// @inheritdoc ICommittee
    mapping(address member => uint256) public paid;
    /// @inheritdoc IRefereeCommittee
    uint256 public paidToAll;

    /// @param members_ the members, which never change
    /// @param threshold_ signatures that a verdict needs
    constructor(ITaskManager manager_, address[] memory members_, uint256 threshold_) {
        require(threshold_ != 0 && threshold_ <= members_.length, BadCommittee());
        for (uint256 i = 0; i < members_.length; i++) {
            require(members_[i] != address(0) && !isMember[members_[i]], BadCommittee());
            isMember[members_[i]] = true;
        }
        manager = manager_;
        threshold = threshold_;
        members = members_.length;
        token = manager_.vault().token();
    }

    /// @inheritdoc ICommittee
    function submit(
        Terms calldata terms,
        Verdict calldata verdict,
        address[] calldata signers,
        bytes[] calldata signatures
    ) external {
        _requireValid(verdict);
        bool enough = signers.length >= threshold && signers.length == signatures.length;
        require(enough, WrongSignatureCount(signatures.length, threshold));
        _requireSigned(digestOf(terms.idAt(address(manager)), verdict), signers, signatures);
        manager.resolve(
            terms,
            Resolution({
                dispute: verdict.dispute,
                claims: verdict.claims,
                losers: verdict.losers,
                verdict: verdict.file
            })
        );
    }

    /// @inheritdoc ICommittee
    function payMember(address member) external nonReentrant returns (uint256 amount) {
        require(isMember[member], WrongSigner(member));
        // Every member has the same share of everything that the committee has ever received.
        amount = (token.balanceOf(address(this)) + paidToAll) / members - paid[member];
        require(amount != 0, NothingToPay());
        paid[member] += amount;
        paidToAll += amount;
        token.safeTransfer(member, amount);
    }

    /// @inheritdoc ICommittee
    function isMemberFor(TaskId, address account) external view returns (bool) {
        return isMember[account];
    }

    function _requireSigned(bytes32 digest, address[] calldata signers, bytes[] calldata signatures) private view {
        address last = address(0);
        for (uint256 i = 0; i < signers.length; i++) {
            address signer = signers[i];
            require(signer > last && isMember[signer], WrongSigner(signer));
            require(Signatures.isSignedCalldata(digest, signer, signatures[i]), WrongSignature(signer));
            last = signer;
        }
    }
}
