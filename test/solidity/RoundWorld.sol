// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RoundGame} from "../../contracts/RoundGame.sol";
import {RoundManager} from "../../contracts/RoundManager.sol";
import {RoundQuestions} from "../../contracts/RoundQuestions.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {PairId} from "../../contracts/game/GameTypes.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {Instance, IRoundManager, RoundState} from "../../contracts/interfaces/IRoundManager.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {JobId, RunRoot, StateRoot} from "../../contracts/libraries/Ids.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import {TestToken} from "../../contracts/local/TestToken.sol";
import {LeafJob} from "../../contracts/rounds/LeafJob.sol";
import {PlanHash} from "../../contracts/rounds/PlanHash.sol";
import {RecordHash} from "../../contracts/rounds/RecordHash.sol";
import "../../contracts/rounds/RoundTypes.sol";
import {JobFacts} from "../../contracts/training/TrainingTypes.sol";
import {vm} from "./Vm.sol";

/// @dev A game whose disputes a test can begin and end.
contract OpenRoundGame is RoundGame {
    constructor(IRoundManager manager_) RoundGame(manager_, IJudge(address(1)), Pace(60, 10, 20), 1 ether) {}

    function begin(uint256 dispute, uint256 side) external payable {
        _begun(PairId.wrap(bytes32(dispute)), side);
    }

    function end(uint256 dispute, uint256 losers) external {
        _ended(PairId.wrap(bytes32(dispute)), losers);
    }
}

/// @dev A plan of two clients and a server: in each round the clients take two steps from the server's last
/// state, then the server reads both and its own last state. Two rounds: the first makes initial states.
abstract contract RoundWorld {
    uint80 internal constant STAKE = 1000;
    uint80 internal constant BOND = 500;
    uint80 internal constant REWARD = 90;
    uint80 internal constant PRICE = 7;
    uint256 internal constant RICH = 1_000_000;
    uint32 internal constant SERVER = 2;
    uint256 internal constant RECORDER = 3;
    /// @dev The key of store 0.
    uint256 internal constant STORE = 10;
    address internal constant CLIENT = address(0xC11E);
    address internal constant ANYONE = address(0xA);
    bytes32 internal constant TURNS = "root of the turns";

    TestToken internal token;
    RoundManager internal manager;
    IStakeVault internal vault;
    OpenRoundGame internal game;
    /// @dev By round, then seat.
    mapping(uint256 round => mapping(uint256 seat => LeafClaim)) internal claims;
    /// @dev Who was away, in the record.
    mapping(uint256 round => mapping(uint256 seat => bool)) internal away;

    function build() internal {
        token = new TestToken();
        manager = new RoundManager(token, 60 days, new RoundQuestions());
        vault = manager.vault();
        game = new OpenRoundGame(manager);
        manager.nameGame(address(game));
        fund(CLIENT);
        fund(ANYONE);
        for (uint256 i = 0; i <= recorderNumber(); i++) fund(ownerAt(i));
        for (uint32 round = 0; round <= last(); round++) perform(round);
    }

    /// @dev Rounds after round 0.
    function last() internal view virtual returns (uint32) {
        return 1;
    }

    /// @dev How many clients must be there in a round; zero if none may be away.
    function quorum() internal view virtual returns (uint32) {
        return 0;
    }

    /// @dev How many stores there are, after the other participants.
    function storeCount() internal view virtual returns (uint32) {
        return 0;
    }

    /// @dev How many stores have to hold a leaf.
    function copies() internal view virtual returns (uint32) {
        return 0;
    }

    function storagePart() internal view returns (PlanStores memory part) {
        (part.role, part.members, part.copies) = (storeCount() == 0 ? bytes("") : bytes("store"), storeCount(), copies());
    }

    function recorderNumber() internal view returns (uint256) {
        return RECORDER + storeCount();
    }

    /// @dev The account of a participant, or of the recorder.
    function ownerAt(uint256 participant) internal view returns (address) {
        if (participant == recorderNumber()) return account(RECORDER);
        return account(participant < RECORDER ? participant : participant - RECORDER + STORE);
    }

    function fund(address who) internal {
        token.mint(who, 2 * RICH);
        vm.prank(who);
        token.approve(address(vault), type(uint256).max);
        vm.prank(who);
        vault.deposit(RICH);
    }

    function keyOf(uint256 participant) internal pure returns (uint256) {
        return 0x1000 + participant;
    }

    function account(uint256 participant) internal pure returns (address) {
        return vm.addr(keyOf(participant));
    }

    function terms() internal view returns (RoundTerms memory t) {
        t.client = CLIENT;
        t.salt = "salt";
        t.rounds = last();
        t.templates = MerkleTree.rootOf(templateLeaves(), 2);
        t.seats = MerkleTree.rootOf(seatLeaves(), 3);
        t.templateCount = 2;
        t.turns = new RoundTurn[](2);
        t.turns[0] = RoundTurn({members: 2, first: 0, quorum: quorum()});
        t.turns[1] = RoundTurn({members: 1, first: SERVER, quorum: 0});
        t.participants = new address[](recorderNumber());
        for (uint256 i = 0; i < t.participants.length; i++) t.participants[i] = ownerAt(i);
        t.recorder = account(RECORDER);
        (t.stake, t.bond, t.reward, t.price) = (STAKE, BOND, REWARD, PRICE);
        t.periods = RoundPeriods({toJoin: 1 days, toRecord: 2 days, toChallenge: 3 days, toAnswer: 1 hours});
        t.plan = this.planOf(t, "plan", TURNS, storagePart());
    }

    function planOf(
        RoundTerms calldata t,
        bytes calldata name,
        bytes32 turns,
        PlanStores calldata part
    ) external pure returns (PlanId) {
        return PlanHash.planOf(t, name, turns, part);
    }

    function templateOf(uint256 index) internal pure returns (RoundTemplate memory t) {
        bool isServer = index == 1;
        t.turn = uint32(index);
        t.sources = new SeatSource[](isServer ? 3 : 1);
        t.genesis = TemplateJob({name: "begin", steps: 0, step: "step", init: "init", lists: new uint32[](1)});
        t.genesis.lists[0] = isServer ? 3 : 4;
        t.later = TemplateJob({name: "later", steps: isServer ? 0 : 2, step: "step", init: "init", lists: new uint32[](2)});
        if (isServer) {
            t.sources[0] = SeatSource({turn: 0, back: 0, member: 0});
            t.sources[1] = SeatSource({turn: 0, back: 0, member: 1});
            t.sources[2] = SeatSource({turn: 1, back: 1, member: OWN});
            t.later.lists = new uint32[](4);
            (t.later.lists[0], t.later.lists[1], t.later.lists[2], t.later.lists[3]) = (5, 5, 2, 3);
        } else {
            // More rounds back than there are.
            t.sources[0] = SeatSource({turn: 1, back: 7, member: 0});
            (t.later.lists[0], t.later.lists[1]) = (2, 4);
        }
    }

    function templateLeaf(RoundTemplate calldata template) external pure returns (bytes32) {
        return PlanHash.templateOf(template);
    }

    function templateLeaves() internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](2);
        for (uint256 i = 0; i < 2; i++) leaves[i] = this.templateLeaf(templateOf(i));
    }

    /// @dev Clients have one tensor, the server has none.
    function shardOf(uint256 seat) internal pure returns (bytes32[] memory shard) {
        shard = new bytes32[](seat == SERVER ? 0 : 1);
        if (seat != SERVER) shard[0] = bytes32(seat + 1);
    }

    function seatLeaves() internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](3);
        for (uint32 seat = 0; seat < 3; seat++) {
            bytes32[] memory shard = shardOf(seat);
            bytes32 tree = sha256(shard.length == 0 ? bytes(hex"01") : abi.encodePacked(hex"04", shard[0]));
            bytes32 list = sha256(abi.encodePacked(hex"05", uint32(shard.length), tree));
            (uint32 turn, uint32 member) = seat == SERVER ? (1, 0) : (0, seat);
            leaves[seat] = sha256(abi.encodePacked(hex"1b", turn, member, turn, list));
        }
    }

    /// @dev Everybody computes a round from what is there of it and of the round before.
    function perform(uint32 round) internal {
        for (uint32 seat = 0; seat < 3; seat++) if (!away[round][seat]) compute(round, seat);
    }

    function compute(uint32 round, uint32 seat) internal {
        LeafEvidence memory e = evidenceOf(round, seat);
        LeafClaim storage claim = claims[round][seat];
        bool trains = round > 0 && seat != SERVER;
        claim.every = trains ? 2 : 1;
        claim.start = StateRoot.wrap(trains ? keccak256(abi.encode("start", round, seat)) : bytes32(0));
        claim.end = StateRoot.wrap(keccak256(abi.encode("end", round, seat)));
        claim.job = this.jobOf(terms(), e);
    }

    function jobOf(RoundTerms calldata t, LeafEvidence calldata e) external view returns (JobId) {
        return this.factsOf(t, e).id;
    }

    function factsOf(RoundTerms calldata t, LeafEvidence calldata e) external view returns (JobFacts memory) {
        LeafReads memory reads = LeafJob.emptyReads(e);
        for (uint256 i = 0; i < reads.ends.length; i++) reads.ends[i] = e.sources[i].claim.end;
        for (uint256 i = 0; i < e.standing.length; i++) reads.absent[e.standing[i].source] = true;
        return LeafJob.factsOf(t, e, reads);
    }

    /// @dev The sources are the leaves that are there now.
    function evidenceOf(uint32 round, uint32 seat) internal view returns (LeafEvidence memory e) {
        e.place = LeafPlace({round: round, seat: seat});
        e.index = seat == SERVER ? 1 : 0;
        e.template = templateOf(e.index);
        e.templatePath = path(templateLeaves(), e.index);
        e.shard = shardOf(seat);
        e.seatPath = path(seatLeaves(), seat);
        e.leaf = recorded(round, seat);
        e.sources = new RecordedLeaf[](round == 0 ? 0 : e.template.sources.length);
        if (round == 0) return e;
        if (seat != SERVER) {
            e.sources[0] = recorded(0, SERVER);
            return e;
        }
        e.sources[0] = recorded(round, 0);
        e.sources[1] = recorded(round, 1);
        e.sources[2] = recorded(round - 1, SERVER);
        e.standing = standingOf(round);
    }

    /// @dev Where the leaves were made of the clients that are away in a round.
    function standingOf(uint32 round) internal view returns (StandingLeaf[] memory standing) {
        standing = new StandingLeaf[]((away[round][0] ? 1 : 0) + (away[round][1] ? 1 : 0));
        uint256 next = 0;
        for (uint32 seat = 0; seat < SERVER; seat++) {
            if (!away[round][seat]) continue;
            uint32 made = madeIn(round, seat);
            RecordedLeaf memory leaf = recorded(made, seat);
            standing[next++] = StandingLeaf(seat, made, leaf.inRound, leaf.inRecord);
        }
    }

    /// @return made the round of the leaf that stands at a seat
    function madeIn(uint32 round, uint32 seat) internal view returns (uint32 made) {
        made = round;
        while (away[made][seat]) made--;
    }

    /// @dev What the record has at a place: a leaf, or what stands there.
    function recorded(uint32 round, uint32 seat) internal view virtual returns (RecordedLeaf memory leaf) {
        leaf.claim = claims[madeIn(round, seat)][seat];
        leaf.inRound = path(roundLeaves(round), seat);
        leaf.inRecord = path(recordLeaves(), round);
    }

    function roundLeaves(uint256 round) internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](3);
        for (uint256 seat = 0; seat < 3; seat++)
            leaves[seat] = sha256(abi.encodePacked(hex"1d", wordOf(uint32(round), uint32(seat))));
    }

    function wordOf(uint32 round, uint32 seat) internal view virtual returns (bytes32 word) {
        word = RunRoot.unwrap(RecordHash.runOf(claims[madeIn(round, seat)][seat]));
        if (away[round][seat]) word = sha256(abi.encodePacked(hex"21", word));
    }

    function recordLeaves() internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](last() + 1);
        for (uint256 round = 0; round < leaves.length; round++)
            leaves[round] = sha256(abi.encodePacked(hex"1e", MerkleTree.rootOf(roundLeaves(round), 3)));
    }

    function recordRoot() internal view returns (bytes32) {
        return sha256(abi.encodePacked(hex"1f", terms().plan, last() + 1, MerkleTree.rootOf(recordLeaves(), last() + 1)));
    }

    /// @return proof the siblings of a leaf
    function path(bytes32[] memory leaves, uint256 index) internal view returns (bytes32[] memory proof) {
        bytes32[] memory siblings = new bytes32[](8);
        uint256 count = 0;
        for (uint256 width = leaves.length; width > 1; width = (width + 1) / 2) {
            if (index ^ 1 < width) siblings[count++] = leaves[index ^ 1];
            for (uint256 i = 0; i < width; i += 2)
                leaves[i / 2] = i + 1 < width ? MerkleTree.hashNode(leaves[i], leaves[i + 1]) : leaves[i];
            index /= 2;
        }
        proof = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) proof[i] = siblings[i];
    }

    function post() internal {
        RoundTerms memory t = terms();
        PlanStores memory part = storagePart();
        vm.prank(CLIENT);
        manager.post(t, "plan", TURNS, part);
    }

    function join(uint256 participant) internal {
        RoundTerms memory t = terms();
        vm.prank(ownerAt(participant));
        manager.join(t, participant);
    }

    function joinAll() internal {
        post();
        for (uint256 i = 0; i <= recorderNumber(); i++) join(i);
    }

    /// @dev Until leaves can be challenged.
    function record() internal {
        joinAll();
        RoundTerms memory t = terms();
        bytes32 root = recordRoot();
        vm.prank(account(RECORDER));
        manager.postRecord(t, root);
    }

    function state() internal view returns (Instance memory) {
        return manager.stateOf(instance());
    }

    function instance() internal view returns (InstanceId) {
        return manager.instanceOf(terms());
    }

    function expectState(RoundState wanted) internal view {
        assert(state().state == wanted);
    }

    function pastDeadline() internal {
        vm.warp(state().deadline + 1);
    }

    /// @dev What is shown beside the signatures of leaves where nobody was absent.
    function excuseBy(bytes[] memory signatures) internal pure returns (LeafExcuse memory excuse) {
        excuse.signatures = signatures;
    }

    /// @dev A leaf as its owner has signed it.
    function signedOf(LeafEvidence memory e) internal view returns (bytes memory) {
        return signedLeaf(e.place.seat, e.place.round, e.place.seat, RecordHash.runOf(e.leaf.claim));
    }

    function signedLeaf(uint256 by, uint32 round, uint32 seat, RunRoot run) internal view returns (bytes memory) {
        return sign(keyOf(by), RecordHash.leafDigest(instance(), LeafPlace(round, seat), run));
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function refuses(bytes4 selector) internal {
        vm.expectPartialRevert(selector);
    }

    /// @dev Stake that is still there, and what can be claimed.
    function expectMoney(address who, uint256 lost, uint256 credit) internal view {
        IStakeVault.Account memory a = vault.accountOf(who);
        assert(a.active == RICH - lost && a.credit == credit);
    }
}
