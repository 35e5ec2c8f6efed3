// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILedger} from "../src/ILedger.sol";
import {LedgerTest} from "./support/LedgerTest.sol";

contract DepositTest is LedgerTest {
    function setUp() public override {
        super.setUp();
        registerNext(2);
    }

    function test_a_deposit_moves_tokens_from_the_sender_and_credits_the_account() public {
        usdc.mint(address(this), 10);
        usdc.approve(address(ledger), 10);
        vm.expectEmit(true, false, false, true, address(ledger));
        emit ILedger.Deposited(2, 7);
        ledger.deposit(2, 7);
        assertEq(balanceOf(2), 7, "balance");
        assertEq(balanceOf(1), 0, "balance of another");
        assertEq(usdc.balanceOf(address(this)), 3, "left");
        assertEq(usdc.balanceOf(address(ledger)), 7, "held");
    }

    function test_deposits_add_up_and_leave_the_mandate_alone() public {
        allow(1, 500, 40, NOW + 9);
        pay(1, 30);
        pay(1, 12);
        (uint256 balance, uint256 cap, uint256 maxPrice, uint256 deadline) = ledger.account(1);
        assertEq(balance, 42, "balance");
        assertEq(cap, 500, "cap");
        assertEq(maxPrice, 40, "max price");
        assertEq(deadline, NOW + 9, "deadline");
    }

    function test_an_unknown_account_takes_no_deposit() public {
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnknownAccount.selector, 3, 2));
        ledger.deposit(3, 1);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnknownAccount.selector, 0, 2));
        ledger.deposit(0, 1);
    }

    function test_a_deposit_without_approval_reverts_and_credits_nothing() public {
        usdc.mint(address(this), 10);
        vm.expectRevert();
        ledger.deposit(1, 10);
        assertEq(balanceOf(1), 0, "balance");
    }

    function test_a_balance_fills_its_80_bits_and_no_more() public {
        uint256 most = type(uint80).max;
        pay(1, most - 5);
        usdc.mint(address(this), 6);
        usdc.approve(address(ledger), 6);
        vm.expectRevert(abi.encodeWithSelector(ILedger.OutOfRange.selector, 6, 5));
        ledger.deposit(1, 6);
        ledger.deposit(1, 5);
        assertEq(balanceOf(1), most, "balance");
        assertEq(capOf(1), 0, "cap");
    }

    function test_tokens_sent_by_mistake_credit_nobody_and_block_nobody() public {
        usdc.mint(address(ledger), 100);
        pay(1, 5);
        assertEq(balanceOf(1), 5, "balance");
    }

    function testFuzz_what_is_deposited_is_held(uint80 first, uint80 second) public {
        second = uint80(bound(second, 0, type(uint80).max - first));
        pay(1, first);
        pay(1, second);
        assertEq(balanceOf(1), uint256(first) + second, "balance");
        assertEq(usdc.balanceOf(address(ledger)), uint256(first) + second, "held");
    }
}
