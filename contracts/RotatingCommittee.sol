// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Hearings} from "./committee/Hearings.sol";
import {Pool} from "./committee/Pool.sol";
import {SignedVerdicts} from "./committee/SignedVerdicts.sol";
import {ICommittee, Verdict} from "./interfaces/ICommittee.sol";
import {Bracket, BracketId, IDisputeGame} from "./interfaces/IDisputeGame.sol";
import {Hearing, HearingId, IRotatingCommittee, Member} from "./interfaces/IRotatingCommittee.sol";
import {ITaskManager, Phase, Resolution, State, Task} from "./interfaces/ITaskManager.sol";
import {TaskId} from "./libraries/Ids.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Terms, TermsLib} from "./libraries/Terms.sol";

/// @title The committee of `IRotatingCommittee`
/// @notice Trusts the stakes in the pool: a party with a share f of them has each drawn place with the chance
/// f. Trusts a threshold of those drawn with the dispute, and the game, if there is one, with their pay.
/// Trusts the client and the proposer of a block not to choose the draw together. Nobody owns it.
contract RotatingCommittee is Hearings, SignedVerdicts {
    using TermsLib for Terms;

    /// @dev The task manager's share of a slash for the authority that decided.
    uint256 private constant REFEREES_PERCENT = 10;

    /// @param game_ the game that may overturn verdicts, or zero
    /// @param price_ stake of each candidate
    /// @param members_ how many are drawn for a dispute, at most 15
    /// @param threshold_ how many of them make a verdict
    constructor(
        ITaskManager manager_,
        IDisputeGame game_,
        uint256 price_,
        uint256 members_,
        uint256 threshold_
    ) Pool(manager_, price_) Hearings(game_, members_, threshold_) {}

    /// @inheritdoc ICommittee
    /// @dev Without a game the slash follows at once, so what the vault credits more is its share.
    function submit(
        Terms calldata terms,
        Verdict calldata verdict,
        address[] calldata signers,
        bytes[] calldata signatures
    ) external nonReentrant {
        (TaskId task, Task memory t) = _judged(terms);
        HearingId hearing = _hearingOf(task, t.dispute);
        (bytes32 vote, uint256 losers) = _voteOf(task, t, verdict);
        _countAll(hearing, digestOf(task, verdict), signers, signatures, vote);
        Hearing storage h = _hearings[hearing];
        (h.ruled, h.vote) = (true, vote);
        _dockSilent(hearing, h.round);
        uint256 before = _credit();
        _resolve(terms, verdict);
        if (terms.game != address(0)) {
            h.losers = uint24(losers);
            return;
        }
        h.settled = true;
        _share(hearing, h, _credit() - before);
        emit VerdictSettled(task, t.dispute, false);
    }

    /// @inheritdoc IRotatingCommittee
    function attest(
        Terms calldata terms,
        Verdict calldata verdict,
        address signer,
        bytes calldata signature
    ) external {
        (TaskId task, Task memory t) = _judged(terms);
        (bytes32 vote, ) = _voteOf(task, t, verdict);
        _count(_hearingOf(task, t.dispute), digestOf(task, verdict), signer, signature, vote);
        emit Attested(task, t.dispute, signer, _leftBy(verdict));
    }

    /// @inheritdoc IRotatingCommittee
    function settle(Terms calldata terms, uint256 dispute) external nonReentrant {
        TaskId task = terms.idAt(address(manager));
        HearingId hearing = _hearingOf(task, dispute);
        Hearing storage h = _hearings[hearing];
        Task memory t = manager.taskOf(task);
        bool open = t.state == State.Disputed && t.phase != Phase.Revealing && t.dispute == dispute;
        require(h.ruled && !h.settled && !open, NothingToSettle());
        h.settled = true;
        emit VerdictSettled(task, dispute, h.losers & ~uint256(t.out) != 0);
        if (!_isByGame(hearing)) _share(hearing, h, Math.min(_shareOf(terms, h.losers), _surplus()));
    }

    /// @return vote hash of the claim that the verdict leaves
    /// @return losers bit i: the claim of seat i stands, and the verdict doesn't leave it
    function _voteOf(
        TaskId task,
        Task memory t,
        Verdict calldata verdict
    ) private view returns (bytes32 vote, uint256 losers) {
        _requireValid(verdict);
        bytes32 left = _leftBy(verdict);
        bool known = left == 0;
        uint256 standing = t.revealed & ~t.out;
        for (uint256 seat = 0; seat < t.seats; seat++) {
            if (standing & (1 << seat) == 0) continue;
            (, bytes32 claim) = manager.seatOf(task, seat);
            if (claim == left) known = true;
            else losers |= 1 << seat;
        }
        require(known && verdict.dispute == t.dispute, NoSuchVerdict());
        vote = _hashOf(left);
    }

    /// @dev Counts the signatures of enough members, in rising order of their addresses.
    function _countAll(
        HearingId hearing,
        bytes32 digest,
        address[] calldata signers,
        bytes[] calldata signatures,
        bytes32 vote
    ) private {
        bool enough = signers.length >= threshold && signers.length == signatures.length;
        require(enough, WrongSignatureCount(signatures.length, threshold));
        address last = address(0);
        for (uint256 i = 0; i < signers.length; i++) {
            require(signers[i] > last, WrongSigner(signers[i]));
            last = signers[i];
            _count(hearing, digest, last, signatures[i], vote);
        }
    }

    /// @dev Counts a member's signature. A member has one vote in a dispute.
    function _count(HearingId hearing, bytes32 digest, address signer, bytes calldata signature, bytes32 vote) private {
        require(_isMember(hearing, signer), WrongSigner(signer));
        Member storage m = _members[hearing][signer];
        require(m.vote == 0 || m.vote == vote, VotedOtherwise(signer));
        require(Signatures.isSignedCalldata(digest, signer, signature), WrongSignature(signer));
        m.vote = vote;
    }

    function _resolve(Terms calldata terms, Verdict calldata verdict) private {
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

    /// @dev Divides pay among the members of the last round that have voted as the verdict says. What does
    /// not divide is left over.
    function _share(HearingId hearing, Hearing storage h, uint256 amount) private {
        address[] storage drawn = _drawn[hearing][h.round];
        bytes32 vote = h.vote;
        uint256 count = 0;
        for (uint256 i = 0; i < drawn.length; i++) if (_members[hearing][drawn[i]].vote == vote) count++;
        uint256 each = amount / count;
        _owe(each * count);
        for (uint256 i = 0; i < drawn.length; i++)
            if (_members[hearing][drawn[i]].vote == vote) _earn(drawn[i], each);
    }

    /// @return whether the game has opened and closed a bracket for the dispute
    /// @dev Brackets and hearings are named alike.
    function _isByGame(HearingId hearing) private view returns (bool) {
        Bracket memory b = game.bracketOf(BracketId.wrap(HearingId.unwrap(hearing)));
        return b.players != 0 && b.closed;
    }

    /// @return amount that the manager has credited for these seats
    function _shareOf(Terms calldata terms, uint256 losers) private pure returns (uint256 amount) {
        for (uint256 seat = 0; seat < TermsLib.MAX_SEATS; seat++)
            if (losers & (1 << seat) != 0) amount += seat < terms.providers ? terms.stake : terms.bond;
        return (amount * REFEREES_PERCENT) / 100;
    }

    /// @return left the one claim that does not lose, or zero
    function _leftBy(Verdict calldata verdict) private pure returns (bytes32 left) {
        uint256 count = 0;
        for (uint256 i = 0; i < verdict.claims.length; i++) {
            if ((verdict.losers >> i) & 1 == 1) continue;
            left = verdict.claims[i];
            count++;
        }
        require(count < 2, NoSuchVerdict());
    }

    /// @dev Zero means that a member has not spoken.
    function _hashOf(bytes32 left) private pure returns (bytes32) {
        return keccak256(abi.encode(left));
    }
}
