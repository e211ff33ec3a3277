// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {State} from "../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {SaleId} from "../../contracts/exchange/SaleTypes.sol";
import {SaleState} from "../../contracts/interfaces/IExchange.sol";
import {SaleWorld} from "./SaleWorld.sol";
import {vm} from "./Vm.sol";

/// @dev A wallet contract: its owner's calls are made in its name.
contract Wallet {
    function execute(address to, bytes calldata data) external returns (bytes memory answer) {
        bool done;
        (done, answer) = to.call(data);
        assert(done);
    }
}

/// @dev Owners that are contracts, and accounts whose code is a delegation (EIP-7702), take part like any
/// other account: every call is made by the owner itself, and payments call nobody.
contract OwnersTest is SaleWorld {
    function setUp() public {
        buildExchange();
    }

    /// @dev A whole task and a sale, of which seat 0 and the client are played by `call`.
    function played() private {
        Terms memory terms = defaultTerms();
        TaskId task = post(terms);
        SaleId sale = pledge(saleTerms(task));
        settle(task);
        assertState(task, State.Final);
        offer(sale, sealedChunks(2));
        take(sale);
        exchange.releaseKey(sale, KEY);
        vm.prank(CLIENT);
        exchange.finish(sale);
        assertSale(sale, SaleState.Paid);
        assert(vault.claim(seller()) == REWARD);
        assert(exchange.claim(seller()) == SHARE + SALE_BOND);
    }

    function test_AWalletContractIsAnOwner() public {
        bytes memory code = type(Wallet).runtimeCode;
        vm.etch(seller(), code);
        vm.etch(CLIENT, code);
        played();
        // It also acts by itself.
        Wallet wallet = Wallet(seller());
        wallet.execute(address(vault), abi.encodeCall(vault.requestUnbond, (5)));
        assert(vault.accountOf(seller()).unbonding == 5);
    }

    function test_AnAccountWithADelegationIsAnOwner() public {
        Wallet wallet = new Wallet();
        vm.etch(seller(), abi.encodePacked(hex"ef0100", address(wallet)));
        vm.etch(CLIENT, abi.encodePacked(hex"ef0100", address(wallet)));
        played();
    }
}
