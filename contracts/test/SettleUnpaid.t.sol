// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BatchTest} from "./support/BatchTest.sol";
import {Call} from "./support/Call.sol";
import {Outcome} from "./support/Reference.sol";

contract SettleUnpaidTest is BatchTest {
    uint32 private model;

    function setUp() public override {
        super.setUp();
        model = newModel();
    }

    function charged(uint32 agent, uint256 quote, uint256 charge) private returns (uint256) {
        Outcome memory outcome =
            settleAsExpected(list(agent), list(model), one(newCall(0, 0, quote, charge)));
        return outcome.charged[0];
    }

    function test_a_charge_up_to_the_balance_is_paid() public {
        uint32 agent = newAgent(100, 1000, 1000);
        assertEq(charged(agent, 101, 101), 0, "one more than the balance");
        assertEq(charged(agent, 101, 100), 100, "the balance");
        assertEq(charged(agent, 1, 1), 0, "nothing left");
        assertEq(capOf(agent), 900, "cap");
    }

    function test_a_charge_up_to_the_cap_is_paid() public {
        uint32 agent = newAgent(1000, 100, 1000);
        assertEq(charged(agent, 101, 101), 0, "one more than the cap");
        assertEq(charged(agent, 101, 100), 100, "the cap");
        assertEq(charged(agent, 1, 1), 0, "nothing left");
        assertEq(balanceOf(agent), 900, "balance");
    }

    function test_a_quote_up_to_the_maximum_price_is_paid() public {
        uint32 agent = newAgent(1000, 1000, 50);
        assertEq(charged(agent, 51, 1), 0, "a quote above the maximum, whatever the charge");
        assertEq(charged(agent, 50, 50), 50, "the maximum");
    }

    function test_a_mandate_holds_up_to_its_deadline() public {
        uint32 agent = newAgent(1000, 1000, 50);
        vm.warp(NOW + 1 days);
        assertEq(charged(agent, 5, 5), 5, "at the deadline");
        vm.warp(NOW + 1 days + 1);
        assertEq(charged(agent, 5, 5), 0, "a second later");
        allow(agent, 10, 50, NOW + 2 days);
        assertEq(charged(agent, 5, 5), 5, "with a new mandate");
    }

    function test_an_agent_without_a_mandate_pays_nothing() public {
        uint32 agent = registerNext(1);
        pay(agent, 1000);
        assertEq(charged(agent, 5, 5), 0, "charged");
        assertEq(balanceOf(agent), 1000, "balance");
    }

    function test_a_cap_of_zero_ends_the_routers_power() public {
        uint32 agent = newAgent(1000, 1000, 50);
        allow(agent, 0, 50, NOW + 1 days);
        assertEq(charged(agent, 5, 5), 0, "charged");
    }

    function test_a_zero_charge_is_always_payable() public {
        uint32 agent = newAgent(0, 0, 50);
        assertEq(charged(agent, 50, 0), 0, "charged");
        assertEq(ledger.callCount(), 1, "calls");
    }

    function test_an_unpaid_call_leaves_the_funds_to_the_next() public {
        uint32 agent = newAgent(100, 100, 1000);
        Call[] memory calls = new Call[](3);
        (calls[0], calls[1], calls[2]) =
        (newCall(0, 0, 60, 60), newCall(0, 0, 60, 60), newCall(0, 0, 40, 40));
        Outcome memory outcome = settleAsExpected(list(agent), list(model), calls);
        assertEq(outcome.charged[1], 0, "the second");
        assertEq(outcome.charged[2], 40, "the third");
        assertEq(balanceOf(agent), 0, "balance");
    }

    function test_an_insolvent_agent_blocks_nobody() public {
        (uint32 poor, uint32 rich) = (newAgent(0, 1000, 1000), newAgent(1000, 1000, 1000));
        Call[] memory calls = new Call[](2);
        (calls[0], calls[1]) = (newCall(0, 0, 60, 60), newCall(1, 0, 60, 60));
        settleAsExpected(list(poor, rich), list(model), calls);
        assertEq(balanceOf(rich), 940, "balance");
        assertEq(earnedOf(model), 59, "earned");
    }

    function testFuzz_no_agent_blocks_a_batch(
        uint80 balance,
        uint80 cap,
        uint48 maxPrice,
        uint48 wait,
        uint48 quote
    ) public {
        uint32 agent = newAgent(balance, cap, maxPrice);
        vm.warp(NOW + wait);
        uint256 taken = charged(agent, quote, quote);
        assertTrue(taken == 0 || taken == quote, "all or nothing");
        assertEq(ledger.callCount(), 1, "calls");
        assertEq(balanceOf(agent), balance - taken, "balance");
        assertEq(capOf(agent), cap - taken, "cap");
    }
}
