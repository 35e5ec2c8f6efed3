// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILedger} from "../src/ILedger.sol";
import {LedgerTest} from "./support/LedgerTest.sol";

contract WithdrawTest is LedgerTest {
    uint32 private agent;
    uint32 private model;

    function setUp() public override {
        super.setUp();
        agent = newAgent(1000, 1000, 1000);
        model = newModel();
    }

    function request(uint256 amount) private {
        vm.prank(vm.addr(agent));
        ledger.requestWithdraw(agent, amount);
    }

    function test_a_request_unlocks_after_four_hours_and_moves_nothing() public {
        vm.expectEmit(true, false, false, true, address(ledger));
        emit ILedger.WithdrawRequested(agent, 600, NOW + WITHDRAW_DELAY);
        request(600);
        (uint256 amount, uint256 unlocksAt) = ledger.withdrawal(agent);
        assertEq(amount, 600, "amount");
        assertEq(unlocksAt, NOW + WITHDRAW_DELAY, "unlocks at");
        assertEq(ledger.withdrawDelay(), WITHDRAW_DELAY, "delay");
        assertEq(balanceOf(agent), 1000, "balance");
        assertEq(ledger.effectiveBalance(agent), 400, "effective balance");
        assertEq(usdc.balanceOf(address(ledger)), 1000, "held");
    }

    function test_anyone_executes_an_unlocked_withdrawal_and_its_owner_is_paid() public {
        request(600);
        vm.warp(NOW + WITHDRAW_DELAY);
        vm.expectEmit(true, false, false, true, address(ledger));
        emit ILedger.Withdrawn(agent, 600);
        vm.prank(address(0xA11));
        assertEq(ledger.executeWithdraw(agent), 600, "paid");
        assertEq(usdc.balanceOf(vm.addr(agent)), 600, "received");
        (uint256 balance, uint256 cap, uint256 maxPrice, uint256 deadline) = ledger.account(agent);
        assertEq(balance, 400, "balance");
        assertEq(cap, 1000, "cap");
        assertEq(maxPrice, 1000, "max price");
        assertEq(deadline, NOW + 1 days, "deadline");
        assertEq(ledger.effectiveBalance(agent), 400, "effective balance");
    }

    function test_no_withdrawal_before_its_timelock() public {
        request(600);
        vm.warp(NOW + WITHDRAW_DELAY - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILedger.WithdrawalLocked.selector, NOW + WITHDRAW_DELAY - 1, NOW + WITHDRAW_DELAY
            )
        );
        ledger.executeWithdraw(agent);
    }

    function test_a_withdrawal_is_paid_once() public {
        request(600);
        vm.warp(NOW + WITHDRAW_DELAY);
        ledger.executeWithdraw(agent);
        vm.expectRevert(abi.encodeWithSelector(ILedger.NothingRequested.selector, agent));
        ledger.executeWithdraw(agent);
        (uint256 amount, uint256 unlocksAt) = ledger.withdrawal(agent);
        assertEq(amount + unlocksAt, 0, "withdrawal");
    }

    function test_a_call_admitted_before_the_request_is_payable_until_it_is_executed() public {
        request(1000);
        vm.warp(NOW + WITHDRAW_DELAY);
        settleOne(agent, model, 700, 700);
        assertEq(earnedOf(model), 686, "earned");
        assertEq(ledger.effectiveBalance(agent), 0, "effective balance");
        assertEq(ledger.executeWithdraw(agent), 300, "what is left");
        assertEq(balanceOf(agent), 0, "balance");
        settleOne(agent, model, 1, 1);
        assertEq(earnedOf(model), 686, "nothing after");
    }

    function test_a_withdrawal_of_a_spent_balance_pays_zero_and_ends() public {
        request(1000);
        settleOne(agent, model, 1000, 1000);
        vm.warp(NOW + WITHDRAW_DELAY);
        assertEq(ledger.executeWithdraw(agent), 0, "paid");
    }

    function test_a_second_request_replaces_the_first_and_starts_its_own_delay() public {
        request(600);
        vm.warp(NOW + WITHDRAW_DELAY - 1);
        request(200);
        vm.warp(NOW + WITHDRAW_DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILedger.WithdrawalLocked.selector,
                NOW + WITHDRAW_DELAY,
                NOW + 2 * WITHDRAW_DELAY - 1
            )
        );
        ledger.executeWithdraw(agent);
        vm.warp(NOW + 2 * WITHDRAW_DELAY - 1);
        assertEq(ledger.executeWithdraw(agent), 200, "paid");
    }

    function test_a_request_of_zero_takes_the_last_one_back() public {
        request(600);
        vm.expectEmit(true, false, false, true, address(ledger));
        emit ILedger.WithdrawRequested(agent, 0, 0);
        request(0);
        assertEq(ledger.effectiveBalance(agent), 1000, "effective balance");
        vm.warp(NOW + WITHDRAW_DELAY);
        vm.expectRevert(abi.encodeWithSelector(ILedger.NothingRequested.selector, agent));
        ledger.executeWithdraw(agent);
    }

    function test_only_the_owner_of_the_account_requests() public {
        vm.expectRevert(
            abi.encodeWithSelector(ILedger.NotOwner.selector, address(this), vm.addr(agent))
        );
        ledger.requestWithdraw(agent, 1);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnknownAccount.selector, 9, 2));
        ledger.requestWithdraw(9, 1);
    }

    function test_nobody_requests_more_than_the_balance() public {
        vm.expectRevert(abi.encodeWithSelector(ILedger.OutOfRange.selector, 1001, 1000));
        request(1001);
    }

    function test_an_agent_leaves_with_all_it_did_not_spend() public {
        settleOne(agent, model, 300, 300);
        request(700);
        vm.warp(NOW + WITHDRAW_DELAY);
        ledger.executeWithdraw(agent);
        ledger.claim(model);
        ledger.claimFees();
        assertEq(usdc.balanceOf(vm.addr(agent)), 700, "agent");
        assertEq(usdc.balanceOf(address(ledger)), 0, "held");
    }

    function testFuzz_what_is_charged_and_what_is_withdrawn_is_what_was_paid_in(
        uint256 requested,
        uint256 charge,
        uint256 wait
    ) public {
        requested = bound(requested, 1, 1000);
        charge = bound(charge, 0, 1000);
        request(requested);
        settleOne(agent, model, charge, charge);
        vm.warp(NOW + bound(wait, WITHDRAW_DELAY, 1 days));
        uint256 paid = ledger.executeWithdraw(agent);
        assertEq(paid, requested < 1000 - charge ? requested : 1000 - charge, "paid");
        assertEq(balanceOf(agent), 1000 - charge - paid, "balance");
    }
}
