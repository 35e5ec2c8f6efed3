// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILedger} from "../src/ILedger.sol";
import {LedgerTest} from "./support/LedgerTest.sol";

contract ClaimTest is LedgerTest {
    uint32 private agent;
    uint32 private model;

    function setUp() public override {
        super.setUp();
        agent = newAgent(1000, 1000, 1000);
        model = newModel();
    }

    function test_anyone_sends_a_models_earnings_to_its_owner() public {
        settleOne(agent, model, 500, 500);
        vm.expectEmit(true, false, false, true, address(ledger));
        emit ILedger.Claimed(model, 490);
        assertEq(ledger.claim(model), 490, "paid");
        assertEq(usdc.balanceOf(vm.addr(model)), 490, "received");
        (uint256 earned, uint256 claimed) = ledger.earnings(model);
        assertEq(earned, 490, "earned");
        assertEq(claimed, 490, "claimed");
    }

    function test_a_second_claim_pays_only_what_came_since() public {
        settleOne(agent, model, 500, 500);
        ledger.claim(model);
        assertEq(ledger.claim(model), 0, "nothing since");
        settleOne(agent, model, 100, 100);
        assertEq(ledger.claim(model), 98, "paid");
        assertEq(usdc.balanceOf(vm.addr(model)), 588, "received");
    }

    function test_a_settled_call_after_a_claim_keeps_what_was_claimed() public {
        settleOne(agent, model, 500, 500);
        ledger.claim(model);
        settleOne(agent, model, 100, 100);
        (uint256 earned, uint256 claimed) = ledger.earnings(model);
        assertEq(earned, 588, "earned");
        assertEq(claimed, 490, "claimed");
    }

    function test_an_agent_claims_no_deposit() public {
        assertEq(ledger.claim(agent), 0, "paid");
        assertEq(balanceOf(agent), 1000, "balance");
    }

    function test_an_unknown_account_claims_nothing() public {
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnknownAccount.selector, 3, 2));
        ledger.claim(3);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnknownAccount.selector, 0, 2));
        ledger.claim(0);
    }

    function test_anyone_sends_the_fees_to_the_treasury() public {
        settleOne(agent, model, 500, 500);
        vm.expectEmit(false, false, false, true, address(ledger));
        emit ILedger.FeesClaimed(10);
        assertEq(ledger.claimFees(), 10, "paid");
        assertEq(usdc.balanceOf(TREASURY), 10, "received");
        assertEq(ledger.fees(), 10, "fees");
        assertEq(ledger.feesClaimed(), 10, "fees claimed");
    }

    function test_fees_are_paid_once() public {
        settleOne(agent, model, 500, 500);
        ledger.claimFees();
        assertEq(ledger.claimFees(), 0, "nothing since");
        settleOne(agent, model, 100, 100);
        assertEq(ledger.claimFees(), 2, "paid");
        assertEq(ledger.feesClaimed(), 12, "fees claimed");
    }

    function test_everything_paid_in_can_be_paid_out() public {
        settleOne(agent, model, 1000, 1000);
        ledger.claim(model);
        ledger.claimFees();
        assertEq(usdc.balanceOf(address(ledger)), 0, "held");
    }
}
