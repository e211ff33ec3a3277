// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TaskId} from "../libraries/Ids.sol";
import {Terms} from "../libraries/Terms.sol";
import {ICommittee, Verdict} from "./ICommittee.sol";
import {IDisputeGame} from "./IDisputeGame.sol";
import {Phase, State} from "./ITaskManager.sol";

/// @notice The committee's work on one dispute: the hash of a task and the number of its dispute.
type HearingId is bytes32;

/// @notice An account with a place in the pool.
/// @param stake what it has in the contract
/// @param pay what it has earned and not been paid
/// @param readyAt when it may withdraw its stake, in seconds since 1970; 0 if it has not left
/// @param place the number of its place, from 1; 0 if it has none
struct Candidate {
    uint88 stake;
    uint88 pay;
    uint40 readyAt;
    uint32 place;
}

/// @notice How far a dispute is before the committee.
/// @param number of the block that decides the draw of this round
/// @param convenedAt when that block was
/// @param until members that have not spoken by then can be replaced; 0 if they are not drawn yet
/// @param places among which is drawn: how many there were when the round was convened
/// @param round from 1; 0 if the dispute has not been convened
/// @param plain whether this round is drawn without the client's secret
/// @param ruled whether a verdict was submitted
/// @param settled whether the pay of the verdict is settled
/// @param losers bit i: by the verdict seat i loses. Only in tasks with a game
/// @param vote the hash of the claim that the verdict has left
struct Hearing {
    uint64 number;
    uint40 convenedAt;
    uint40 until;
    uint32 places;
    uint8 round;
    bool plain;
    bool ruled;
    bool settled;
    uint24 losers;
    bytes32 vote;
}

/// @notice What a drawn account has done in a dispute.
/// @param round the last round in which it was drawn, from 1
/// @param silent whether it was replaced without having spoken
/// @param vote the hash of the claim that it leaves, 0 if it has not spoken
struct Member {
    uint8 round;
    bool silent;
    bytes32 vote;
}

/// @title A committee that is drawn anew for each dispute, from a pool of accounts with a stake
/// @notice Anyone may take places in the pool, each with the same stake, for one account. All places are
/// equally likely to be drawn. So a party is drawn by its share of the stakes in the pool, whether it has one
/// account or a hundred.
/// For a dispute anyone `convene`s: the hash of that block, and a secret to which the salt of the terms
/// commits, decide who is drawn. If the client keeps its secret for a twelfth of `toJudge`, another block
/// decides alone. Members have a third of `toJudge`. If there is no verdict by then, others may be drawn, and
/// those that have not shown a signature lose 2 % of a stake, once others have submitted a verdict.
/// Those that have signed the verdict share the committee's part of that slash.
/// @dev Nobody loses a stake because the game decides otherwise. A player that is silent falls in the game,
/// even with the right claim, and no state shows why a player fell. So a party with both seats could have
/// honest members lose.
interface IRotatingCommittee is ICommittee {
    /// @notice An account has a place in the pool, and a full stake.
    /// @param candidate the account
    /// @param amount what it has paid for it
    event Registered(address indexed candidate, uint256 amount);
    /// @notice An account is not drawn any more: it has left, or has less than half of a stake.
    /// @param candidate the account
    /// @param readyAt when it may withdraw
    event Left(address indexed candidate, uint256 readyAt);
    /// @notice An account has withdrawn its stake.
    /// @param candidate the account
    /// @param amount of its stake
    event Withdrawn(address indexed candidate, uint256 amount);
    /// @notice A part of an account's stake is lost.
    /// @param candidate the account
    /// @param amount that is lost
    event Docked(address indexed candidate, uint256 amount);
    /// @notice An account has earned something.
    /// @param member the account
    /// @param amount that `payMember` pays
    event Earned(address indexed member, uint256 amount);
    /// @notice A round has begun, or its draw is repeated without the client's secret.
    /// @param task in dispute
    /// @param dispute its number
    /// @param round from 1
    /// @param number of the block that decides
    event Convened(TaskId indexed task, uint256 indexed dispute, uint256 round, uint256 number);
    /// @notice The members of a round were drawn.
    /// @param task in dispute
    /// @param dispute its number
    /// @param round from 1
    /// @param members the accounts
    event MembersDrawn(TaskId indexed task, uint256 indexed dispute, uint256 round, address[] members);
    /// @notice A member was replaced, and has not spoken.
    /// @param task in dispute
    /// @param dispute its number
    /// @param member the account
    event Silent(TaskId indexed task, uint256 indexed dispute, address indexed member);
    /// @notice A member has shown a signature before there are enough of them.
    /// @param task in dispute
    /// @param dispute its number
    /// @param member the account
    /// @param left the claim that its verdict leaves, or zero
    event Attested(TaskId indexed task, uint256 indexed dispute, address indexed member, bytes32 left);
    /// @notice The pay of a verdict is settled.
    /// @param task that was in dispute
    /// @param dispute its number
    /// @param overturned whether a seat that loses by the verdict has been saved by the game
    event VerdictSettled(TaskId indexed task, uint256 indexed dispute, bool overturned);
    /// @notice Lost stakes that nobody gets were burned.
    /// @param amount of them
    event Burned(uint256 amount);

    /// @notice There is nothing to pay, to take or to burn.
    error NothingToDo();
    /// @notice The account has no place in the pool, or has left it.
    error NotACandidate(address account);
    /// @notice The account leaves the pool. It may withdraw at `readyAt`, and register again after that.
    error Leaving(uint256 readyAt);
    /// @notice The terms name another committee.
    error NotThisCommittee(address committee);
    /// @notice The terms name another game than the committee's. Its owner could take the pay of others.
    error ForeignGame(address game);
    /// @notice The task does not wait for a committee's verdict.
    error NotJudging(State state, Phase phase);
    /// @notice Only `candidates` can be drawn; `wanted` are needed.
    error TooFewCandidates(uint256 candidates, uint256 wanted);
    /// @notice The members of this round have time until `until`.
    error RoundNotOver(uint256 until);
    /// @notice The client has time to open its secret until `until`.
    error SecretAwaited(uint256 until);
    /// @notice The round is convened, and its block is known.
    error ConvenedBefore(uint256 number);
    /// @notice The round is not convened, or the block after the one that decides is not there yet.
    error NotConvened(uint256 number);
    /// @notice The members are drawn already.
    error DrawnAlready(uint256 round);
    /// @notice Neither the salt of the terms nor the last opened secret commits to this secret.
    error WrongLink();
    /// @notice The chain does not know the hash of that block any more.
    error HashForgotten(uint256 number);
    /// @notice The verdict leaves more than one claim, or one that does not stand, or is about another
    /// dispute.
    error NoSuchVerdict();
    /// @notice The member has signed that another claim is right.
    error VotedOtherwise(address member);
    /// @notice There is no verdict about this dispute that could be settled, or not yet.
    error NothingToSettle();

    /// @notice Takes a place in the pool, or fills up the stake. The contract needs an allowance.
    function register() external;

    /// @notice Leaves the pool. The stake can be lost until it is withdrawn.
    /// @return readyAt when it may be withdrawn
    function leavePool() external returns (uint256 readyAt);

    /// @notice Withdraws the stake, when the delay is over.
    /// @param to the receiver
    /// @return amount that is paid
    function withdraw(address to) external returns (uint256 amount);

    /// @notice Begins a round: the block of this call decides who is drawn. Anyone may. For a later round the
    /// time of the one before has to be over, and those that were silent in it are not drawn again. It also
    /// repeats a draw with another block: if the client has kept its secret, or if the hash was forgotten
    /// after that.
    /// @param terms of the task
    function convene(Terms calldata terms) external;

    /// @notice Draws the members, after the block that decides. Anyone who knows the secret may.
    /// @param terms of the task
    /// @param secret the next link to which the salt of the terms commits; anything in a plain round
    function draw(Terms calldata terms, bytes32 secret) external;

    /// @notice Shows that a member of this round has signed a verdict. Anyone may. The member has not been
    /// silent then, and is paid if that verdict is submitted by others.
    /// @param terms of the task
    /// @param verdict that the member has signed
    /// @param signer the member
    /// @param signature of the member
    function attest(Terms calldata terms, Verdict calldata verdict, address signer, bytes calldata signature) external;

    /// @notice Pays the signers of a verdict in a task with a game, once the dispute is over. Anyone may. If
    /// the game has decided, the committee has no share, and nobody is paid.
    /// @dev A verdict that was enforced is told from one that the game has decided by the bracket. If the
    /// game was opened, did not decide in time, and its bracket was closed before this call, nobody is paid.
    /// @param terms of the task
    /// @param dispute its number
    function settle(Terms calldata terms, uint256 dispute) external;

    /// @notice Burns lost stakes that nobody gets. Anyone may.
    /// @return amount that is burned
    function burn() external returns (uint256 amount);

    /// @notice The salt of terms for which secrets can be opened.
    /// @param secret the first link: it commits to the second one
    /// @return salt for the terms
    function saltOf(bytes32 secret) external pure returns (bytes32 salt);

    /// @notice The link that commits to the next one.
    /// @param next the next link
    /// @return link before it
    function linkOf(bytes32 next) external pure returns (bytes32 link);

    /// @notice The last secret that was opened for a task, or zero.
    /// @param task the task's id
    /// @return link to which the next one has to lead
    function openedOf(TaskId task) external view returns (bytes32 link);

    /// @notice How far a dispute is.
    /// @param task the task's id
    /// @param dispute its number
    /// @return what is stored
    function hearingOf(TaskId task, uint256 dispute) external view returns (Hearing memory);

    /// @notice The members that were drawn.
    /// @param task the task's id
    /// @param dispute its number
    /// @param round from 1
    /// @return accounts in the order in which they were drawn
    function drawnOf(TaskId task, uint256 dispute, uint256 round) external view returns (address[] memory accounts);

    /// @notice What an account has done in a dispute.
    /// @param task the task's id
    /// @param dispute its number
    /// @param account to look up
    /// @return what is stored
    function memberOf(TaskId task, uint256 dispute, address account) external view returns (Member memory);

    /// @notice What an account has in the pool.
    /// @param account to look up
    /// @return what is stored
    function candidateOf(address account) external view returns (Candidate memory);

    /// @notice How many accounts can be drawn.
    /// @return their number
    function candidates() external view returns (uint256);

    /// @notice The stake of each place. It never changes.
    /// @return in units of the token
    function price() external view returns (uint256);

    /// @notice Seconds from leaving to withdrawing: the vault's unbonding period, so longer than any task.
    /// @return the delay
    function delay() external view returns (uint256);

    /// @notice The only game that may overturn verdicts, or zero. It never changes.
    /// @return the contract
    function game() external view returns (IDisputeGame);

    /// @notice Stakes, pay and what is to be burned: what the contract owes.
    /// @return in units of the token
    function liabilities() external view returns (uint256);
}
