// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bisection} from "./game/Bisection.sol";
import {Pace} from "./game/Clocks.sol";
import {Claim, Context, PairId, Sizes} from "./game/GameTypes.sol";
import {IDisputeGame} from "./interfaces/IDisputeGame.sol";
import {IJudge} from "./interfaces/IJudge.sol";
import {IRoundGame} from "./interfaces/IRoundGame.sol";
import {IRoundManager} from "./interfaces/IRoundManager.sol";
import {RunRoot, StateRoot} from "./libraries/Ids.sol";
import {SelfTest} from "./libraries/SelfTest.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {LeafJob} from "./rounds/LeafJob.sol";
import {RecordHash} from "./rounds/RecordHash.sol";
import {InstanceId, LeafClaim, LeafEvidence, RoundTerms} from "./rounds/RoundTypes.sol";
import {JobHash} from "./training/JobHash.sol";
import {SizesLib} from "./training/Sizes.sol";
import {TrainingMachine} from "./training/TrainingMachine.sol";
import {JobFacts} from "./training/TrainingTypes.sol";

/// @title The game of `IRoundGame`
contract RoundGame is IRoundGame, Bisection, TrainingMachine {
    using SizesLib for Sizes;

    /// @dev Two accounts in a dispute.
    /// @param posted bit i: side i has posted its bond
    struct Sides {
        InstanceId instance;
        address challenger;
        uint8 participant;
        uint8 posted;
        address owner;
    }

    /// @dev As for tasks (`DisputeGame`): four times the gas of one side, at twice the base fee of the block.
    uint256 private constant LEAST_GAS = 4 * 2 * 1_650_000;
    uint256 private constant CHALLENGER = 1;
    uint256 private constant OWNER = 2;

    /// @inheritdoc IRoundGame
    IRoundManager public immutable manager;

    mapping(PairId dispute => Sides) private _sides;

    constructor(
        IRoundManager manager_,
        IJudge judge_,
        Pace memory pace_,
        uint256 gasBond_
    ) Bisection(pace_, gasBond_) TrainingMachine(judge_) {
        SelfTest.checkWords();
        manager = manager_;
        uint256 least = LEAST_GAS * block.basefee;
        require(gasBond_ >= least, IDisputeGame.BondTooSmall(gasBond_, least));
    }

    /// @inheritdoc IRoundGame
    function judge() external view returns (IJudge) {
        return _judge;
    }

    /// @inheritdoc IRoundGame
    function challenge(
        RoundTerms calldata terms,
        LeafEvidence calldata e,
        StateRoot start,
        StateRoot end,
        bytes calldata signature
    ) external returns (uint256 dispute) {
        Context memory c;
        Sides memory s = _listed(terms, e, signature, c);
        LeafClaim memory own = e.leaf.claim;
        (own.start, own.end) = (start, end);
        c.claims[0] = Claim.wrap(RunRoot.unwrap(RecordHash.runOf(own)));
        require(!(c.claims[0] == c.claims[1]), SameRun());
        c.owners = [s.challenger, s.owner];
        dispute = _disputes;
        c.players = PairId.wrap(bytes32(dispute));
        _sides[c.players] = s;
        emit LeafChallenged(s.instance, dispute, e.place, s.owner, s.challenger);
        _start(c, _clock);
    }

    /// @dev The owner's side: what the record has, which the owner has signed.
    function _listed(
        RoundTerms calldata terms,
        LeafEvidence calldata e,
        bytes calldata signature,
        Context memory c
    ) private returns (Sides memory s) {
        bytes32 record;
        uint256 participant;
        (s.instance, participant, s.owner, record) = manager.challenged(terms, e.place.seat, msg.sender);
        (s.challenger, s.participant) = (msg.sender, uint8(participant));
        RunRoot run = RecordHash.check(terms, record, e.place, e.leaf);
        _requireSigned(RecordHash.leafDigest(s.instance, e.place, run), s.owner, signature);
        c.claims[1] = Claim.wrap(RunRoot.unwrap(run));
        _derive(terms, e, record, c);
    }

    function _requireSigned(bytes32 digest, address owner, bytes calldata signature) private view {
        bool signed = Signatures.isSignedCalldata(digest, owner, signature);
        require(signed, IRoundManager.NotSignedBy(owner, digest));
    }

    /// @dev Reverts unless the leaf has the job that follows from what it reads, and the form that its
    /// template says.
    function _derive(
        RoundTerms calldata terms,
        LeafEvidence calldata e,
        bytes32 record,
        Context memory c
    ) private view {
        LeafJob.expectForm(e);
        JobFacts memory facts = LeafJob.factsOf(terms, e, LeafJob.recorded(terms, record, e));
        require(facts.id == e.leaf.claim.job, IRoundManager.OtherJob(facts.id));
        c.job = JobHash.hashOf(facts);
        c.sizes = SizesLib.ofRun(LeafJob.jobOf(e).steps, e.leaf.claim.every).withLists(e.sources.length + 1);
    }

    /// @inheritdoc Bisection
    function _begun(PairId players, uint256 side) internal override {
        _takeBond(false);
        _sides[players].posted |= uint8(1 << side);
    }

    /// @inheritdoc Bisection
    function _ended(PairId players, uint256 losers) internal override {
        Sides memory s = _sides[players];
        delete _sides[players];
        uint256 lost = losers & s.posted;
        uint256 share = lost == 0 ? 0 : gasBond / 2;
        if (losers == CHALLENGER) _credit(s.owner, share + (s.posted & OWNER != 0 ? gasBond : 0));
        if (losers == OWNER) _credit(s.challenger, share + gasBond);
        manager.decide(s.instance, s.participant, s.owner, s.challenger, losers);
    }
}
