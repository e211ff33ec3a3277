// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {StakeVault} from "../../contracts/StakeVault.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {TestToken} from "../../contracts/local/TestToken.sol";
import {BlockingToken, CallingToken, FeeToken, PermitToken, SilentToken} from "./Tokens.sol";
import {vm} from "./Vm.sol";

/// @dev The vault alone; the test is its manager.
contract StakeVaultTest {
    uint256 private constant DELAY = 10 days;
    address private constant A = address(0xA1);
    address private constant B = address(0xB1);
    address private constant BURNED = 0x000000000000000000000000000000000000dEaD;

    function open(TestToken token) private returns (StakeVault vault) {
        vault = new StakeVault(token, DELAY);
        address[2] memory accounts = [A, B];
        for (uint256 i = 0; i < 2; i++) {
            token.mint(accounts[i], 2000);
            vm.prank(accounts[i]);
            token.approve(address(vault), type(uint256).max);
        }
    }

    function deposit(StakeVault vault, address owner, uint256 amount) private {
        vm.prank(owner);
        vault.deposit(amount);
    }

    function check(StakeVault vault, address owner, uint256 active, uint256 exposed, uint256 unbonding) private view {
        IStakeVault.Account memory a = vault.accountOf(owner);
        assert(a.active == active && a.exposed == exposed && a.unbonding == unbonding);
    }

    function test_DepositAddsToTheCallersStake() public {
        TestToken token = new TestToken();
        StakeVault vault = open(token);
        assert(address(vault.token()) == address(token) && vault.manager() == address(this) && vault.unbondingPeriod() == DELAY);
        deposit(vault, A, 600);
        deposit(vault, A, 400);
        check(vault, A, 1000, 0, 0);
        assert(token.balanceOf(address(vault)) == 1000);
        vm.expectRevert(IStakeVault.NothingToDo.selector);
        vault.deposit(0);
    }

    function test_UnbondingTakesItsTime() public {
        TestToken token = new TestToken();
        StakeVault vault = open(token);
        deposit(vault, A, 1000);
        vm.expectRevert(IStakeVault.NothingToDo.selector);
        vm.prank(A);
        vault.draw();
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.TooLittleStake.selector, A, 1000, 1001));
        vm.prank(A);
        vault.requestUnbond(1001);
        vm.expectRevert(IStakeVault.NothingToDo.selector);
        vm.prank(A);
        vault.requestUnbond(0);
        vm.prank(A);
        vault.requestUnbond(300);
        check(vault, A, 700, 0, 300);
        uint256 readyAt = block.timestamp + DELAY;
        assert(vault.accountOf(A).readyAt == readyAt);
        vm.warp(readyAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.StillUnbonding.selector, readyAt));
        vm.prank(A);
        vault.draw();
        vm.warp(readyAt);
        vm.prank(A);
        assert(vault.draw() == 300);
        check(vault, A, 700, 0, 0);
        assert(token.balanceOf(A) == 1300);
    }

    function test_AFurtherRequestStartsTheClockAnew() public {
        StakeVault vault = open(new TestToken());
        deposit(vault, A, 1000);
        vm.prank(A);
        vault.requestUnbond(300);
        vm.warp(block.timestamp + DELAY - 1);
        vm.prank(A);
        vault.requestUnbond(100);
        check(vault, A, 600, 0, 400);
        assert(vault.accountOf(A).readyAt == block.timestamp + DELAY);
    }

    function test_OnlyTheManagerMovesMoney() public {
        StakeVault vault = open(new TestToken());
        bytes[6] memory calls = [
            abi.encodeCall(vault.collect, (A, 1)),
            abi.encodeCall(vault.expose, (A, 1)),
            abi.encodeCall(vault.release, (A, 1)),
            abi.encodeCall(vault.slash, (A, 1)),
            abi.encodeCall(vault.credit, (A, 1)),
            abi.encodeCall(vault.condemn, (1))
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            vm.prank(A);
            (bool done, bytes memory answer) = address(vault).call(calls[i]);
            assert(!done && keccak256(answer) == keccak256(abi.encodeWithSelector(IStakeVault.NotTheManager.selector, A)));
        }
    }

    function test_ExposureNeedsActiveStake() public {
        StakeVault vault = open(new TestToken());
        deposit(vault, A, 1000);
        vault.expose(A, 600);
        check(vault, A, 1000, 600, 0);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.TooLittleStake.selector, A, 400, 401));
        vault.expose(A, 401);
        vault.expose(A, 400);
        vault.release(A, 900);
        check(vault, A, 1000, 100, 0);
        // More stake is exposed than active, so no more can be exposed.
        vm.prank(A);
        vault.requestUnbond(950);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.TooLittleStake.selector, A, 0, 1));
        vault.expose(A, 1);
        vm.expectRevert();
        vault.release(A, 101);
    }

    function test_ExposureFitsItsBits() public {
        TestToken token = new TestToken();
        StakeVault vault = open(token);
        token.mint(A, 2 ** 81);
        deposit(vault, A, 2 ** 81);
        vault.expose(A, 2 ** 80 - 1);
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 80, 2 ** 80));
        vault.expose(A, 1);
    }

    function test_ASlashReachesStakeThatLeaves() public {
        TestToken token = new TestToken();
        StakeVault vault = open(token);
        deposit(vault, A, 1000);
        vault.expose(A, 800);
        vm.prank(A);
        vault.requestUnbond(700);
        vault.slash(A, 500);
        check(vault, A, 0, 300, 500);
        assert(vault.escrow() == 500);
        // Exposed stake stays, however long ago its withdrawal was requested.
        vm.warp(block.timestamp + 2 * DELAY);
        vm.prank(A);
        assert(vault.draw() == 200);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.StillExposed.selector, 300));
        vm.prank(A);
        vault.draw();
        vault.slash(A, 300);
        check(vault, A, 0, 0, 0);
        assert(vault.escrow() == 800 && token.balanceOf(address(vault)) == 800);
    }

    function test_ASlashTakesActiveStakeFirst() public {
        StakeVault vault = open(new TestToken());
        deposit(vault, A, 1000);
        vault.expose(A, 300);
        vm.prank(A);
        vault.requestUnbond(600);
        vault.slash(A, 300);
        check(vault, A, 100, 0, 600);
        vm.expectRevert();
        vault.slash(A, 1);
    }

    function test_EscrowBecomesCreditAndCreditIsClaimed() public {
        TestToken token = new TestToken();
        StakeVault vault = open(token);
        vault.collect(A, 500);
        assert(vault.escrow() == 500 && token.balanceOf(address(vault)) == 500 && token.balanceOf(A) == 1500);
        vault.credit(B, 200);
        vault.credit(B, 100);
        assert(vault.escrow() == 200 && vault.accountOf(B).credit == 300);
        vm.expectRevert();
        vault.credit(B, 201);
        // Any account may trigger it; the owner is paid.
        assert(vault.claim(B) == 300);
        assert(token.balanceOf(B) == 2300 && vault.accountOf(B).credit == 0);
        vm.expectRevert(IStakeVault.NothingToDo.selector);
        vault.claim(B);
    }

    function test_CondemnedMoneyIsBurned() public {
        TestToken token = new TestToken();
        StakeVault vault = open(token);
        vault.collect(A, 500);
        vault.condemn(100);
        vault.condemn(300);
        vm.expectRevert();
        vault.condemn(101);
        assert(vault.escrow() == 100 && vault.condemned() == 400);
        vm.prank(B);
        assert(vault.burn() == 400);
        assert(token.balanceOf(BURNED) == 400 && vault.condemned() == 0);
        vm.expectRevert(IStakeVault.NothingToDo.selector);
        vault.burn();
    }

    function test_ATokenWithAFeeIsRefused() public {
        StakeVault vault = open(new FeeToken());
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongAmountReceived.selector, 99, 100));
        deposit(vault, A, 100);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongAmountReceived.selector, 99, 100));
        vault.collect(A, 100);
    }

    function test_AnAccountHasAtMost88BitsOfStake() public {
        TestToken token = new TestToken();
        StakeVault vault = open(token);
        token.mint(A, 2 ** 90);
        vm.expectRevert(IStakeVault.VaultFull.selector);
        deposit(vault, A, 2 ** 88);
        deposit(vault, A, 2 ** 88 - 2000);
        vm.expectRevert(IStakeVault.VaultFull.selector);
        deposit(vault, A, 2000);
        deposit(vault, A, 1999);
        check(vault, A, 2 ** 88 - 1, 0, 0);
        // Others are not concerned.
        deposit(vault, B, 1);
        check(vault, B, 1, 0, 0);
    }

    /// @dev Somebody sends the vault more than it could ever owe.
    function test_AGiftClosesNothing() public {
        TestToken token = new TestToken();
        StakeVault vault = open(token);
        token.mint(address(vault), 2 ** 200);
        deposit(vault, A, 1000);
        vault.collect(A, 500);
        vault.expose(A, 300);
        vault.slash(A, 300);
        vault.credit(B, 700);
        vault.condemn(100);
        assert(vault.claim(B) == 700 && vault.burn() == 100 && vault.escrow() == 0);
        vm.prank(A);
        vault.requestUnbond(700);
        vm.warp(block.timestamp + DELAY);
        vm.prank(A);
        assert(vault.draw() == 700);
        assert(token.balanceOf(address(vault)) == 2 ** 200);
    }

    /// @dev Nothing that ends a task may fail, so what does not fit a credit is burned.
    function test_AFullCreditBurnsTheRest() public {
        TestToken token = new TestToken();
        StakeVault vault = open(token);
        token.mint(A, 2 ** 90);
        vault.collect(A, 2 ** 90);
        vault.credit(B, 2 ** 88 - 2);
        vault.credit(B, 1);
        assert(vault.accountOf(B).credit == 2 ** 88 - 1 && vault.condemned() == 0);
        vault.credit(B, 5);
        assert(vault.accountOf(B).credit == 2 ** 88 - 1 && vault.condemned() == 5);
        // Of an amount that fits in part, the other part is burned.
        vault.credit(A, 2 ** 88 - 3);
        vault.credit(A, 6);
        assert(vault.accountOf(A).credit == 2 ** 88 - 1 && vault.condemned() == 9);
        assert(vault.escrow() == 2 ** 89 - 7);
        vault.condemn(2 ** 89 - 7);
        assert(vault.condemned() == 2 ** 89 + 2 && vault.escrow() == 0);
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 128, 2 ** 128));
        vault.collect(A, 2 ** 128);
    }

    function test_AnOwnerNamesWhoIsPaid() public {
        BlockingToken token = new BlockingToken();
        StakeVault vault = open(token);
        deposit(vault, A, 1000);
        vault.collect(A, 500);
        vault.credit(A, 200);
        vm.prank(A);
        vault.requestUnbond(300);
        vm.warp(block.timestamp + DELAY);
        token.setBlocked(A, true);
        vm.expectRevert(abi.encodeWithSelector(BlockingToken.Blocked.selector, A));
        vm.prank(A);
        vault.draw();
        vm.prank(A);
        assert(vault.drawTo(address(0xC1)) == 300);
        vm.prank(A);
        assert(vault.claimTo(address(0xC2)) == 200);
        assert(token.balanceOf(address(0xC1)) == 300 && token.balanceOf(address(0xC2)) == 200);
        check(vault, A, 700, 0, 0);
        // Nobody else can name an account.
        vm.expectRevert(IStakeVault.NothingToDo.selector);
        vm.prank(B);
        vault.drawTo(B);
        vm.expectRevert(IStakeVault.NothingToDo.selector);
        vm.prank(B);
        vault.claimTo(B);
    }

    /// @dev The fields of a permit, signed by the owner of a key.
    function permitFor(PermitToken token, StakeVault vault, uint256 key, uint256 amount)
        private
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        bytes32 kind = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        address owner = vm.addr(key);
        bytes32 text = keccak256(abi.encode(kind, owner, address(vault), amount, token.nonces(owner), block.timestamp));
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), text)));
    }

    function test_ADepositWithASignedAllowance() public {
        PermitToken token = new PermitToken();
        StakeVault vault = new StakeVault(token, DELAY);
        address owner = vm.addr(7);
        token.mint(owner, 1000);
        (uint8 v, bytes32 r, bytes32 s) = permitFor(token, vault, 7, 600);
        vm.prank(owner);
        vault.depositWithPermit(600, block.timestamp, v, r, s);
        check(vault, owner, 600, 0, 0);
        // Somebody else uses the signature first: the allowance is there, and the deposit works.
        (v, r, s) = permitFor(token, vault, 7, 400);
        token.permit(owner, address(vault), 400, block.timestamp, v, r, s);
        vm.prank(owner);
        vault.depositWithPermit(400, block.timestamp, v, r, s);
        check(vault, owner, 1000, 0, 0);
        // Without an allowance the token refuses.
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(vault), 0, 1));
        vm.prank(owner);
        vault.depositWithPermit(1, block.timestamp, v, r, s);
        // A token without permits needs an allowance, and then takes any signature.
        TestToken plain = new TestToken();
        vault = open(plain);
        vm.prank(A);
        vault.depositWithPermit(5, block.timestamp, v, r, s);
        check(vault, A, 5, 0, 0);
    }

    function test_OneBlockedReceiverBlocksNobodyElse() public {
        BlockingToken token = new BlockingToken();
        StakeVault vault = open(token);
        vault.collect(A, 500);
        vault.credit(A, 200);
        vault.credit(B, 300);
        token.setBlocked(A, true);
        vm.expectRevert(abi.encodeWithSelector(BlockingToken.Blocked.selector, A));
        vault.claim(A);
        assert(vault.claim(B) == 300 && vault.accountOf(A).credit == 200);
        token.setBlocked(A, false);
        assert(vault.claim(A) == 200);
    }

    function test_ATokenThatFailsSilentlyIsNoticed() public {
        SilentToken token = new SilentToken();
        StakeVault vault = open(token);
        vault.collect(A, 500);
        vault.credit(A, 200);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        vault.claim(A);
        assert(vault.accountOf(A).credit == 200);
    }

    /// @dev During a transfer of each kind, every function that moves tokens is locked.
    function test_ATokenThatCallsBackIsLockedOut() public {
        bytes[7] memory inner = [
            abi.encodeWithSelector(IStakeVault.deposit.selector, 1),
            abi.encodeWithSelector(IStakeVault.depositWithPermit.selector, 1, 0, 0, 0, 0),
            abi.encodeWithSelector(IStakeVault.draw.selector),
            abi.encodeWithSelector(IStakeVault.drawTo.selector, A),
            abi.encodeWithSelector(IStakeVault.claim.selector, A),
            abi.encodeWithSelector(IStakeVault.claimTo.selector, A),
            abi.encodeWithSelector(IStakeVault.burn.selector)
        ];
        CallingToken token = new CallingToken();
        StakeVault vault = open(token);
        deposit(vault, A, 1000);
        vault.collect(A, 500);
        for (uint256 i = 0; i < inner.length; i++) {
            vm.prank(A);
            vault.requestUnbond(10);
            vault.credit(A, 10);
            vault.condemn(10);
            vm.warp(block.timestamp + DELAY);
            token.onTransfer(address(vault), inner[i]);
            deposit(vault, A, 1);
            assertClosed(token);
            vm.prank(A);
            vault.draw();
            assertClosed(token);
            vault.claim(A);
            assertClosed(token);
            vault.burn();
            assertClosed(token);
            vault.collect(A, 1);
            assertClosed(token);
            token.onTransfer(address(0), "");
        }
    }

    function assertClosed(CallingToken token) private view {
        bytes memory closed = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        assert(!token.succeeded() && keccak256(token.answer()) == keccak256(closed));
    }
}
