// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {KeyHash, SaleId, SealKey, SealRoot} from "../exchange/SaleTypes.sol";
import {TaskId} from "../libraries/Ids.sol";
import {SealedChunk} from "../libraries/Sealing.sol";
import {ITaskManager} from "./ITaskManager.sol";

/// @notice Pledged: the buyer's money waits for an offer. Offered: the seller has committed to a ciphertext
/// and to the hash of its key. Taken: the buyer has checked the ciphertext, and the seller owes the key.
/// Released: the key is public, and a wrong chunk can be shown. Paid: the seller has the price. Returned: the
/// buyer has the price back. Burned: nobody has it.
enum SaleState {
    None,
    Pledged,
    Offered,
    Taken,
    Released,
    Paid,
    Returned,
    Burned
}

/// @notice What a buyer offers for the final weights of a run; its hash is the sale's id.
/// @param task whose settled run it is
/// @param salt tells equal sales apart
/// @param buyer pays, and decides whether an offer is taken
/// @param seat of the task; its owner is the seller
/// @param price in units of the token
/// @param bond of the seller, which it loses if it does not release the key, or if a chunk is wrong
/// @param toOffer seconds for an offer, from the task's end or the pledge, whichever is later
/// @param toTake seconds from the offer in which the buyer can take it
/// @param toRelease seconds from there in which the key has to be released
/// @param toComplain seconds from there in which a wrong chunk can be shown
struct SaleTerms {
    TaskId task;
    bytes32 salt;
    address buyer;
    uint8 seat;
    uint80 price;
    uint80 bond;
    uint24 toOffer;
    uint24 toTake;
    uint24 toRelease;
    uint24 toComplain;
}

/// @notice A sale as it is stored.
/// @param buyer pays the price
/// @param movedAt when the sale entered its state, in seconds
/// @param state of the sale
/// @param seat of the task whose owner sells
/// @param chunks of the offered ciphertext
/// @param price in units of the token
/// @param bond of the seller
/// @param toOffer seconds for an offer
/// @param toTake seconds for taking it
/// @param toRelease seconds for the key
/// @param toComplain seconds for a complaint
/// @param task whose final weights are sold
/// @param root over the offered ciphertext
/// @param keyHash of the offered key
struct Sale {
    address buyer;
    uint40 movedAt;
    SaleState state;
    uint8 seat;
    uint32 chunks;
    uint80 price;
    uint80 bond;
    uint24 toOffer;
    uint24 toTake;
    uint24 toRelease;
    uint24 toComplain;
    TaskId task;
    SealRoot root;
    KeyHash keyHash;
}

/// @title Fair exchange: the final weights of a settled run against a price
/// @notice A run root does not hand over the weights. So a client pledges a part of what it pays here, before
/// the work is done. When the task has ended, the seat offers the final checkpoint: encrypted, with a root
/// over the ciphertext and the hash of the key. The ciphertext goes to the buyer off the chain, with the leaf
/// of each chunk. Before it takes the offer, the buyer checks that the leaves lead to the settled run root,
/// and that leaves and ciphertext lead to the offered root. Then the seller releases the key. If a chunk
/// decrypts to anything but its leaf, that one chunk, shown on the chain, gives the price back to the buyer.
/// @dev Half of a slashed bond goes to the buyer, for its gas; the other half is burned. If an offer is not
/// taken, the price is burned, so neither side gains by holding out. All payments are credits.
interface IExchange {
    /// @notice A buyer has set the price aside.
    /// @param sale the sale's id
    /// @param task whose final weights it wants
    /// @param terms of the sale
    event Pledged(SaleId indexed sale, TaskId indexed task, SaleTerms terms);
    /// @notice The seller has committed to a ciphertext and a key.
    /// @param sale the sale's id
    /// @param root over the ciphertext
    /// @param chunks of the ciphertext
    /// @param keyHash `hashOfKey(sale, key)`
    event Offered(SaleId indexed sale, SealRoot root, uint32 chunks, KeyHash keyHash);
    /// @notice The buyer has taken the offer: the seller owes the key.
    /// @param sale the sale's id
    event Taken(SaleId indexed sale);
    /// @notice The key is public.
    /// @param sale the sale's id
    /// @param key that decrypts the ciphertext
    event KeyReleased(SaleId indexed sale, SealKey key);
    /// @notice A chunk does not decrypt to its leaf.
    /// @param sale the sale's id
    /// @param chunk its index
    event WrongChunkShown(SaleId indexed sale, uint32 chunk);
    /// @notice The sale has ended.
    /// @param sale the sale's id
    /// @param state Paid, Returned or Burned
    /// @param slashed what the seller has lost, in units of the token
    event SaleEnded(SaleId indexed sale, SaleState state, uint256 slashed);
    /// @notice An account got credit.
    /// @param owner of the credit
    /// @param amount in units of the token
    event SaleCredited(address indexed owner, uint256 amount);
    /// @notice Credit was paid.
    /// @param owner of the credit
    /// @param to the account that was paid
    /// @param amount in units of the token
    event CreditPaid(address indexed owner, address to, uint256 amount);
    /// @notice What waited to be burned was sent to an address without a key.
    /// @param amount in units of the token
    event SalesBurned(uint256 amount);

    /// @notice A sale with these terms exists.
    error SaleExists(SaleId sale);
    /// @notice Price, bond or the number of chunks is zero.
    error EmptySale();
    /// @notice The call needs another state of the sale, or there is no such sale.
    error WrongSaleState(SaleState state);
    /// @notice The seat has no settled claim: the task has not ended, was refunded, or the seat lost.
    error NotSettled(TaskId task, uint256 seat);
    /// @notice The offer is another one than the call names.
    error OtherOffer(SealRoot root, KeyHash keyHash);
    /// @notice The key does not have the hash that the seller committed to.
    error WrongKey(KeyHash keyHash);
    /// @notice The chunk leads to `root`, which is not that of the offer.
    error NotSealed(SealRoot root);
    /// @notice The chunk decrypts to what its leaf says.
    error NothingWrong(uint256 chunk);

    /// @notice Sets the price aside. The exchange needs an allowance of the caller, who is the buyer. The
    /// task may be in any state, except that it has to exist.
    /// @param terms of the sale
    /// @return sale `saleId(terms)`
    function pledge(SaleTerms calldata terms) external returns (SaleId sale);

    /// @notice As the owner of the seat, whose claim is settled: offers the final checkpoint. The exchange
    /// needs an allowance for the bond.
    /// @param sale the sale's id
    /// @param root over the ciphertext
    /// @param chunks of the ciphertext
    /// @param keyHash `hashOfKey(sale, key)`
    function offer(SaleId sale, SealRoot root, uint32 chunks, KeyHash keyHash) external;

    /// @notice As the buyer: takes the offer.
    /// @dev It names what was checked, so a reorganization cannot put another offer in its place.
    /// @param sale the sale's id
    /// @param root of the offer
    /// @param keyHash of the offer
    function take(SaleId sale, SealRoot root, KeyHash keyHash) external;

    /// @notice Publishes the key of an offer that was taken. Anyone who knows it may.
    /// @param sale the sale's id
    /// @param key that the seller committed to
    function releaseKey(SaleId sale, SealKey key) external;

    /// @notice Shows a chunk that does not decrypt to its leaf: the price goes back to the buyer, and the
    /// seller loses its bond. Anyone may. A complaint about a right chunk reverts.
    /// @param sale the sale's id
    /// @param key that was released
    /// @param chunk that is wrong
    function complain(SaleId sale, SealKey key, SealedChunk calldata chunk) external;

    /// @notice Pays the seller, once the time for complaints has passed. Anyone may; the buyer may at once.
    /// @param sale the sale's id
    function finish(SaleId sale) external;

    /// @notice Ends a sale in which somebody missed a deadline. Anyone may. Without an offer, or without a
    /// claim that could be sold, the buyer has the price back. An offer that was not taken burns it. A key
    /// that was not released costs the seller its bond.
    /// @param sale the sale's id
    function expire(SaleId sale) external;

    /// @notice Pays all of `owner`'s credit to `owner`. Anyone may trigger it.
    /// @param owner of the credit
    /// @return amount that was paid
    function claim(address owner) external returns (uint256 amount);

    /// @notice Pays all of the caller's credit to another account, for an owner that the token does not pay.
    /// @param to the account that is paid
    /// @return amount that was paid
    function claimTo(address to) external returns (uint256 amount);

    /// @notice Sends what waits to be burned to 0x…dEaD, an address without a key. Anyone may trigger it.
    /// @return amount that was burned
    function burn() external returns (uint256 amount);

    /// @notice The task manager, whose settled claims can be sold. It never changes.
    /// @return its address
    function manager() external view returns (ITaskManager);

    /// @notice The token of the manager's vault, in which everything is paid. It never changes.
    /// @return its address
    function token() external view returns (IERC20);

    /// @notice The id of a sale with these terms.
    /// @param terms of the sale
    /// @return keccak256(abi.encode(block.chainid, exchange, terms))
    function saleId(SaleTerms calldata terms) external view returns (SaleId);

    /// @notice What a seller commits to.
    /// @param sale the sale's id
    /// @param key that decrypts the ciphertext
    /// @return SHA-256(14 ‖ sale ‖ key)
    function hashOfKey(SaleId sale, SealKey key) external view returns (KeyHash);

    /// @notice A sale; all zero if there is none.
    /// @param sale the sale's id
    /// @return as it is stored
    function saleOf(SaleId sale) external view returns (Sale memory);

    /// @notice The last second for the next step of a sale; zero if there is none, or if the task has not
    /// ended yet.
    /// @param sale the sale's id
    /// @return deadline in seconds
    function deadlineOf(SaleId sale) external view returns (uint256 deadline);

    /// @notice What `claim` pays an account.
    /// @param owner of the credit
    /// @return in units of the token
    function creditOf(address owner) external view returns (uint256);

    /// @notice Prices and bonds of sales that have not ended.
    /// @return in units of the token
    function escrow() external view returns (uint128);

    /// @notice The amount that waits to be burned.
    /// @return in units of the token
    function condemned() external view returns (uint128);
}
