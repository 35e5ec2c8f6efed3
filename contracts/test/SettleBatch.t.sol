// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CallLedger} from "../src/CallLedger.sol";
import {ICallLedger} from "../src/ICallLedger.sol";
import {ILedger} from "../src/ILedger.sol";
import {BatchTest} from "./support/BatchTest.sol";
import {Call, Calls} from "./support/Call.sol";
import {Outcome} from "./support/Reference.sol";

/// @dev A router that settles several batches in one transaction.
contract RelayRouter {
    function settleTwice(
        CallLedger ledger,
        uint32[] calldata agents,
        uint32[] calldata models,
        bytes calldata records
    ) external {
        ledger.settleBatch(0, agents, models, records);
        ledger.settleBatch(records.length / 64, agents, models, records);
    }
}

contract SettleBatchTest is BatchTest {
    uint32 private agent;
    uint32 private model;

    function setUp() public override {
        super.setUp();
        agent = newAgent(1000, 900, 300);
        model = newModel();
    }

    function refuse(
        uint32[] memory agents,
        uint32[] memory models,
        bytes memory records,
        bytes memory reason
    ) private {
        vm.expectRevert(reason);
        vm.prank(ROUTER);
        ledger.settleBatch(0, agents, models, records);
        assertEq(ledger.callCount(), 0, "calls");
    }

    function refuse(Call memory only, bytes memory reason) private {
        refuse(list(agent), list(model), Calls.encode(one(only)), reason);
    }

    function test_a_charge_moves_from_agent_to_model_and_treasury() public {
        settleOne(agent, model, 260, 250);
        assertEq(balanceOf(agent), 750, "balance");
        assertEq(capOf(agent), 650, "cap");
        assertEq(earnedOf(model), 245, "earned");
        assertEq(ledger.fees(), 5, "fees");
        assertEq(ledger.callCount(), 1, "calls");
        assertEq(ledger.batchCount(), 1, "batches");
    }

    function test_the_fee_is_rounded_down_per_call() public {
        Call[] memory calls = new Call[](3);
        for (uint256 i = 0; i < 3; ++i) {
            calls[i] = newCall(0, 0, 99, 99);
        }
        settle(list(agent), list(model), calls);
        assertEq(ledger.fees(), 3, "one each: 1.98 rounded down");
        assertEq(earnedOf(model), 3 * 98, "earned");
    }

    function test_the_flag_asks_for_an_event_and_only_the_flag() public {
        Call[] memory calls = new Call[](2);
        (calls[0], calls[1]) = (newCall(0, 0, 9, 8), newCall(0, 0, 7, 6));
        calls[1].flags = 1;
        vm.recordLogs();
        settle(list(agent), list(model), calls);
        assertEq(vm.getRecordedLogs().length, 2, "one CallSettled and one BatchSettled");
        vm.expectEmit(true, false, false, true, address(ledger));
        emit ICallLedger.CallSettled(3, headOf(calls[1]), calls[1].answerHash);
        settle(list(agent), list(model), calls);
    }

    function test_an_id_may_pay_and_earn_in_one_batch() public {
        settleOne(agent, agent, 100, 100);
        assertEq(balanceOf(agent), 900, "balance");
        assertEq(earnedOf(agent), 98, "earned");
    }

    function test_listed_accounts_without_calls_stay_as_they_are() public {
        uint32 idle = newAgent(5, 5, 5);
        settle(list(agent, idle), list(model, idle), one(newCall(0, 0, 10, 10)));
        assertEq(balanceOf(idle), 5, "balance");
        assertEq(earnedOf(idle), 0, "earned");
    }

    function test_lists_need_no_order() public {
        uint32 second = newAgent(1000, 900, 300);
        Call[] memory calls = new Call[](2);
        (calls[0], calls[1]) = (newCall(0, 1, 10, 10), newCall(1, 0, 20, 20));
        settle(list(second, agent), list(model, second), calls);
        assertEq(balanceOf(second), 990, "balance of the first listed");
        assertEq(balanceOf(agent), 980, "balance of the second listed");
        assertEq(earnedOf(second), 10, "earned by the second listed");
        assertEq(earnedOf(model), 20, "earned by the first listed");
    }

    function test_only_the_router_settles() public {
        vm.expectRevert(abi.encodeWithSelector(ILedger.NotRouter.selector, address(this), ROUTER));
        ledger.settleBatch(0, list(agent), list(model), Calls.encode(one(newCall(0, 0, 1, 1))));
    }

    function test_a_replayed_batch_reverts() public {
        settleOne(agent, model, 10, 10);
        vm.expectRevert(abi.encodeWithSelector(ILedger.WrongFirst.selector, 0, 1));
        vm.prank(ROUTER);
        ledger.settleBatch(0, list(agent), list(model), Calls.encode(one(newCall(0, 0, 10, 10))));
        assertEq(balanceOf(agent), 990, "balance");
    }

    function test_a_batch_that_leaves_a_gap_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(ILedger.WrongFirst.selector, 1, 0));
        vm.prank(ROUTER);
        ledger.settleBatch(1, list(agent), list(model), Calls.encode(one(newCall(0, 0, 10, 10))));
    }

    function test_no_records_or_half_a_record_revert() public {
        refuse(
            list(agent),
            list(model),
            "",
            abi.encodeWithSelector(ICallLedger.WrongLength.selector, 0, 64)
        );
        bytes memory short = new bytes(63);
        refuse(
            list(agent),
            list(model),
            short,
            abi.encodeWithSelector(ICallLedger.WrongLength.selector, 63, 64)
        );
        bytes memory long = new bytes(65);
        refuse(
            list(agent),
            list(model),
            long,
            abi.encodeWithSelector(ICallLedger.WrongLength.selector, 65, 64)
        );
    }

    function test_an_index_outside_its_list_reverts() public {
        bytes memory reason = abi.encodeWithSelector(ICallLedger.IndexOutOfList.selector, 1, 1);
        refuse(newCall(1, 0, 1, 1), reason);
        refuse(newCall(0, 1, 1, 1), reason);
        bytes memory records = Calls.encode(one(newCall(0, 0, 1, 1)));
        reason = abi.encodeWithSelector(ICallLedger.IndexOutOfList.selector, 0, 0);
        refuse(new uint32[](0), list(model), records, reason);
        refuse(list(agent), new uint32[](0), records, reason);
    }

    function test_an_unknown_id_reverts() public {
        bytes memory records = Calls.encode(one(newCall(0, 0, 1, 1)));
        bytes memory nobody = abi.encodeWithSelector(ILedger.UnknownAccount.selector, 0, 2);
        bytes memory stranger = abi.encodeWithSelector(ILedger.UnknownAccount.selector, 3, 2);
        refuse(list(agent, 0), list(model), records, nobody);
        refuse(list(agent, 3), list(model), records, stranger);
        refuse(list(agent), list(model, 0), records, nobody);
        refuse(list(agent), list(model, 3), records, stranger);
    }

    function test_a_repeated_id_reverts() public {
        bytes memory records = Calls.encode(one(newCall(0, 0, 1, 1)));
        bytes memory reason = abi.encodeWithSelector(ICallLedger.RepeatedAccount.selector, agent);
        refuse(list(agent, agent), list(model), records, reason);
        refuse(list(agent), list(agent, agent), records, reason);
    }

    function test_a_charge_above_its_quote_reverts_even_if_the_agent_cannot_pay() public {
        refuse(
            newCall(0, 0, 10, 11),
            abi.encodeWithSelector(ICallLedger.ChargeAboveQuote.selector, 11, 10)
        );
        refuse(
            newCall(0, 0, 5000, 5001),
            abi.encodeWithSelector(ICallLedger.ChargeAboveQuote.selector, 5001, 5000)
        );
    }

    function test_every_unknown_flag_reverts() public {
        for (uint256 bit = 1; bit < 24; ++bit) {
            Call memory only = newCall(0, 0, 10, 10);
            only.flags = 1 << bit;
            refuse(only, abi.encodeWithSelector(ICallLedger.UnknownFlags.selector, only.flags, 1));
            only.flags |= 1;
            refuse(only, abi.encodeWithSelector(ICallLedger.UnknownFlags.selector, only.flags, 1));
        }
    }

    function test_two_batches_fit_in_one_transaction() public {
        RelayRouter relay = new RelayRouter();
        ledger = new CallLedger(address(usdc), address(relay), TREASURY, FEE_BPS, WITHDRAW_DELAY);
        registerNext(2);
        relay.settleTwice(ledger, list(1), list(2), Calls.encode(one(newCall(0, 0, 0, 0))));
        assertEq(ledger.callCount(), 2, "calls");
        assertEq(ledger.batchCount(), 2, "batches");
    }

    function test_the_highest_index_and_the_highest_charge_settle() public {
        uint256 most = type(uint48).max;
        uint32 rich = newAgent(type(uint80).max, type(uint80).max, most);
        uint32 first = registerNext(1000);
        uint32[] memory agents = range(first, 1001);
        agents[1000] = rich;
        settle(agents, list(model), one(newCall(1000, 0, most, most)));
        assertEq(balanceOf(rich), type(uint80).max - most, "balance");
        assertEq(earnedOf(model), most - most * FEE_BPS / 10_000, "earned");
    }

    function testFuzz_a_batch_does_what_the_reference_does(uint256 seed) public {
        uint32[] memory agents = drawAgents(seed, 1 + draw(seed, 8));
        uint32[] memory models = range(registerNext(5), 5);
        for (uint256 batch = 0; batch < 2; ++batch) {
            settleAsExpected(agents, models, drawCalls(seed, agents.length, 5, 1 + draw(seed, 40)));
        }
    }

    function testFuzz_a_fee_of_any_size_loses_nothing(uint16 feeBps, uint48 charge) public {
        feeBps = uint16(bound(feeBps, 0, 10_000));
        ledger = new CallLedger(address(usdc), ROUTER, TREASURY, feeBps, WITHDRAW_DELAY);
        uint32 payer = registerNext(1);
        pay(payer, charge);
        allow(payer, charge, charge, NOW);
        uint32 earner = newModel();
        Outcome memory outcome =
            settleAsExpected(list(payer), list(earner), one(newCall(0, 0, charge, charge)));
        assertEq(earnedOf(earner) + ledger.fees(), charge, "charge");
        assertEq(outcome.charged[0], charge, "charged");
    }

    function testFuzz_a_charge_above_its_quote_never_settles(uint48 quote, uint48 charge) public {
        charge = uint48(bound(charge, 1, type(uint48).max));
        quote = uint48(bound(quote, 0, charge - 1));
        refuse(
            newCall(0, 0, quote, charge),
            abi.encodeWithSelector(ICallLedger.ChargeAboveQuote.selector, charge, quote)
        );
    }
}
