// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobId, RunRoot, StateRoot} from "../libraries/Ids.sol";
import {CopyPlace, CopyQueue, InstanceId, LeafPlace, PlanId, PlanStores, RoundTerms} from "../rounds/RoundTypes.sol";
import {IRoundQuestions} from "./IRoundQuestions.sol";
import {IRoundStores} from "./IRoundStores.sol";
import {IStakeVault} from "./IStakeVault.sol";

/// @notice Joining: the participants and the recorder put up their stakes. Running: they compute, off the
/// chain. Challengeable: the record is posted. Closed: stakes and rewards are paid. Cancelled: somebody has
/// not joined, or there was no record in time; stakes and rewards are returned.
enum RoundState {
    None,
    Joining,
    Running,
    Challengeable,
    Closed,
    Cancelled
}

/// @notice Why somebody has lost. Inputs: its job does not follow from the leaves that it had to read. Game:
/// the game has found a wrong step, or a wrong state that was handed on. Equivocation: two signatures for one
/// place, or one turn; of a store, two sentences for one place. Unsigned: nobody has shown a place of the
/// record with all that has to be signed of it. Record: the recorder has signed another record than it has
/// posted. Roll: the record misses too many members, has another leaf than the last one of an absent member,
/// or says of a member something else than the recorder has signed. Censored: the record says that a member
/// was absent whose leaf stores hold, and nobody has shown why. Withheld: a store has not shown what it has
/// signed to hold.
enum Fault {
    Inputs,
    Game,
    Equivocation,
    Unsigned,
    Record,
    Roll,
    Censored,
    Withheld
}

/// @notice An instance as it is stored. Bit i stands for participant i; the recorder is the one after them.
/// @param state of the instance
/// @param deadline the last second of the state
/// @param open challenges, accusations and demands that have not ended, without those for copies
/// @param accused deadline of the last accusation
/// @param demanded deadline of the last demand
/// @param stake of each participant and of the recorder
/// @param bond of a challenger
/// @param censored deadline of the last accusation of the recorder that a member was not absent
/// @param stores how many stores there are: the last participants
/// @param copies how many stores have to hold a leaf
/// @param joined who has put up its stake
/// @param out who has lost it
/// @param record its root, once it is posted
struct Instance {
    RoundState state;
    uint40 deadline;
    uint32 open;
    uint40 accused;
    uint40 demanded;
    uint80 stake;
    uint80 bond;
    uint40 censored;
    uint32 stores;
    uint32 copies;
    uint256 joined;
    uint256 out;
    bytes32 record;
}

/// @notice Something that has to be answered. At each place there is at most one.
/// @param by who has made it; zero if there is none
/// @param deadline the last second for the answer
/// @param done whether it is over
struct Waiting {
    address by;
    uint40 deadline;
    bool done;
}

/// @title Plans of several participants, each with a stake (spec 6.10, 7.14)
/// @notice A client posts a plan, with its participants and a recorder. All put up a stake, and perform the
/// plan off the chain: they sign their leaves, and the recorder posts the root of all of them. Then anyone
/// may show who is wrong. A leaf is judged against the recorded leaves that it reads. Some faults are shown
/// here at once or after a question; a wrong step is found by the game, `IRoundGame`.
/// @dev The terms are calldata, and their hash is in the instance. Half of a stake that is lost goes to who
/// has shown it, and half is burned; so who convicts itself from another account still loses. An owner
/// answers only for what it has signed: without its signature a listed leaf counts against the recorder
/// alone. The contract trusts its one game, which its deployer names once: the game says who has challenged,
/// and who has lost. It trusts nobody else.
interface IRoundManager is IRoundQuestions, IRoundStores {
    /// @notice From now on leaves are challenged there.
    event GameNamed(address game);
    event InstancePosted(InstanceId indexed instance, PlanId indexed plan, RoundTerms terms);
    event InstanceMoved(InstanceId indexed instance, RoundState state, uint256 deadline);
    event Joined(InstanceId indexed instance, uint256 participant);
    event RecordPosted(InstanceId indexed instance, bytes32 record);
    /// @notice A leaf's job does not follow from what it had to read. Its owner may show that it has read
    /// what others had signed.
    event Accused(InstanceId indexed instance, uint32 round, uint32 seat, JobId job, JobId right);
    /// @notice The rounds in which the leaves were made that an accused leaf has to read, by its sources:
    /// some stand for absent members.
    event LeafStood(InstanceId indexed instance, uint32 round, uint32 seat, uint32[] rounds);
    /// @notice The recorder has to show a leaf with its signature.
    event LeafDemanded(InstanceId indexed instance, uint32 round, uint32 seat);
    /// @notice An accusation or a demand was answered.
    event LeafAnswered(InstanceId indexed instance, uint32 round, uint32 seat);
    /// @notice The record says that a member was absent, whose leaf so many stores have signed to hold as a
    /// leaf has to have. The recorder has to show as many notes of absence as an absent member has to have.
    event Censored(InstanceId indexed instance, uint32 round, uint32 seat, RunRoot run);
    /// @notice A store has to show a chunk of what it has signed to hold.
    event CopyDemanded(InstanceId indexed instance, address indexed owner, address indexed by, CopyPlace copy);
    /// @notice A store has shown a chunk, or that there is none.
    event CopyShown(InstanceId indexed instance, CopyPlace copy);
    /// @notice A participant, or the recorder, has lost its stake.
    event Convicted(InstanceId indexed instance, uint256 participant, address owner, Fault fault);

    /// @notice The game is named once, by who has deployed the manager.
    error GameExists(address game);
    /// @notice There is no contract for questions at this address.
    error NoQuestions(address questions);
    /// @notice No game is named yet, so no leaf could be challenged.
    error NoGame();
    /// @notice The plan is not the one that the terms describe.
    error WrongPlan(PlanId plan);
    /// @notice Counts, amounts or periods of the terms are out of range, or turns and participants don't fit.
    error TermsOutOfRange();
    /// @notice An instance with these terms exists.
    error InstanceExists(InstanceId instance);
    /// @notice The call needs another state of the instance, or there is no such instance.
    error WrongRoundState(RoundState state);
    /// @notice The participant has joined already.
    error HasJoined(uint256 participant);
    /// @notice The account has lost its stake already, or accuses itself.
    error NothingToWin(address owner);
    /// @notice The plan has no such seat, or the terms no such round.
    error NoSuchSeat(uint256 seat);
    /// @notice The template or the seat is not in the plan, or the sources are not as many as it has.
    error NotInPlan();
    /// @notice The record does not have this leaf at this place.
    error NotInRecord(uint32 round, uint32 seat);
    /// @notice The leaf's run has other segments than its template says: the recorder should not have
    /// admitted it, and can be asked to show it.
    error WrongForm();
    /// @notice The leaf has this job, as it should.
    error RightJob(JobId job);
    /// @notice The leaf should have the job `right`: accuse its owner, or show other sources.
    error OtherJob(JobId right);
    /// @notice The account has not signed this.
    error NotSignedBy(address owner, bytes32 digest);
    /// @notice Both are the same.
    error NoContradiction();
    /// @notice The roll is of another turn, or says something else of the member than it has to.
    error WrongRoll(uint32 round, uint32 turn);
    /// @notice The accusation at this place is about another leaf, or has named other rounds.
    error OtherAccusation();
    /// @notice The plan may miss so many members.
    error MayMiss(uint256 members);
    /// @notice This has been asked at this place already.
    error AskedBefore(uint32 round, uint32 seat);
    /// @notice There is nothing to be answered at this place.
    error NothingWaiting(uint32 round, uint32 seat);
    /// @notice The plan has no such store, or stores are not named in increasing order.
    error NoSuchStore(uint256 store);
    /// @notice The plan has no stores, or it needs signatures of at least so many.
    error TooFewStores(uint256 least);
    /// @notice The chunk is in another state than the leaf's final one.
    error WrongCopy(StateRoot state);
    /// @notice The entry exists and has so many chunks: show the chunk.
    error ChunkExists(uint256 chunks);
    /// @notice Challenges, accusations or demands have not ended.
    error StillOpen(uint256 open);

    /// @notice As the account that has deployed this contract, once: names the game about leaves.
    function nameGame(address game) external;

    /// @notice As the client: posts an instance. The vault takes the rewards, and needs an allowance.
    /// @param name of the plan
    /// @param turns root of the plan's tree of turns
    /// @param stores the plan's storage part
    function post(
        RoundTerms calldata terms,
        bytes calldata name,
        bytes32 turns,
        PlanStores calldata stores
    ) external returns (InstanceId instance);

    /// @notice As participant `participant`, or as the recorder: puts up the stake.
    function join(RoundTerms calldata terms, uint256 participant) external;

    /// @notice As the recorder: posts the root of the record, with all rounds.
    function postRecord(RoundTerms calldata terms, bytes32 record) external;

    /// @notice Shows two signatures of a seat's owner for one place and different runs. Anyone may.
    function equivocate(
        RoundTerms calldata terms,
        LeafPlace calldata place,
        RunRoot[2] calldata runs,
        bytes[2] calldata signatures
    ) external;

    /// @notice Shows a signature of the recorder for another record of all rounds. Anyone may.
    function misrecord(RoundTerms calldata terms, bytes32 record, bytes calldata signature) external;

    /// @notice The game only: a leaf is challenged. Takes the challenger's bond.
    /// @return instance of the terms
    /// @return participant the number of the leaf's owner
    /// @return owner its account
    /// @return record the root of the record
    function challenged(
        RoundTerms calldata terms,
        uint32 seat,
        address challenger
    ) external returns (InstanceId instance, uint256 participant, address owner, bytes32 record);

    /// @notice The game only: a challenge has ended.
    /// @param losers bit 0: the challenger has lost; bit 1: the owner has
    function decide(
        InstanceId instance,
        uint256 participant,
        address owner,
        address challenger,
        uint256 losers
    ) external;

    /// @notice Pays stakes and rewards once nothing can be shown any more. Anyone may. The rewards of those
    /// who have lost go back to the client. A store that still has to show copies is paid when it has shown
    /// the last one; nobody else waits for it.
    function close(RoundTerms calldata terms) external;

    /// @notice Ends an instance in which somebody has not joined in time, or that has no record in time.
    /// Anyone may.
    function cancel(RoundTerms calldata terms) external;

    /// @notice The contract whose code answers for `IRoundQuestions` here.
    function questions() external view returns (address);

    /// @return the id of an instance with these terms
    function instanceOf(RoundTerms calldata terms) external view returns (InstanceId);

    /// @return an instance as it is stored
    function stateOf(InstanceId instance) external view returns (Instance memory);

    /// @return the accusation of a leaf that waits for its answer
    function accusationOf(InstanceId instance, LeafPlace calldata place) external view returns (Waiting memory);

    /// @return the demand of a leaf that waits for its answer
    function demandOf(InstanceId instance, LeafPlace calldata place) external view returns (Waiting memory);

    /// @return the accusation of a recorder, for a place of the record without a leaf, that waits for notes
    function censorshipOf(InstanceId instance, LeafPlace calldata place) external view returns (Waiting memory);

    /// @return the demand for a chunk that waits for its answer
    function copyOf(InstanceId instance, CopyPlace calldata copy) external view returns (Waiting memory);

    /// @return the demands for copies that a store has to answer
    function queueOf(InstanceId instance, uint256 store) external view returns (CopyQueue memory);

    /// @notice Where leaves are challenged; zero until it is named.
    function game() external view returns (address);

    /// @notice The vault with all stakes and rewards of this manager.
    function vault() external view returns (IStakeVault);
}
