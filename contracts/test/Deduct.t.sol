// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CallLedger} from "../src/CallLedger.sol";
import {ICallLedger} from "../src/ICallLedger.sol";
import {ILedger} from "../src/ILedger.sol";
import {BatchTest} from "./support/BatchTest.sol";
import {Call, Calls} from "./support/Call.sol";
import {Reference} from "./support/Reference.sol";

contract DeductTest is BatchTest {
    uint32 private agent;
    uint32 private model;

    function setUp() public override {
        super.setUp();
        agent = newAgent(1000, 1000, 1000);
        model = newModel();
    }

    function deduct(Call memory call) private {
        bytes memory record = Calls.encode(one(call));
        uint256 first = ledger.callCount();
        vm.prank(ROUTER);
        ledger.deduct(first, agent, model, record);
    }

    function test_a_deduction_is_a_batch_of_one() public {
        Call memory call = newCall(0, 0, 500, 400);
        call.flags = 1;
        bytes32 leaf = Reference.leaf(0, list(agent), list(model), call, 400);
        vm.expectEmit(true, false, false, true, address(ledger));
        emit ICallLedger.CallSettled(0, headOf(call), call.answerHash);
        vm.expectEmit(true, false, false, true, address(ledger));
        emit ILedger.BatchSettled(0, 0, 1, leaf, 400, 8);
        deduct(call);
        assertEq(balanceOf(agent), 600, "balance");
        assertEq(capOf(agent), 600, "cap");
        assertEq(earnedOf(model), 392, "earned");
        assertEq(ledger.fees(), 8, "fees");
        assertEq(ledger.callCount(), 1, "calls");
        assertEq(ledger.rootOf(0), leaf, "root");
        assertTrue(
            ledger.proveCall(
                0, 0, agent, model, headOf(call), call.answerHash, 400, new bytes32[](0)
            ),
            "proven"
        );
    }

    function test_an_agent_that_cannot_pay_is_charged_nothing_and_blocks_nobody() public {
        deduct(newCall(0, 0, 1001, 5));
        deduct(newCall(0, 0, 900, 900));
        deduct(newCall(0, 0, 101, 101));
        assertEq(ledger.callCount(), 3, "calls");
        assertEq(balanceOf(agent), 100, "balance");
    }

    function test_only_the_router_deducts() public {
        vm.expectRevert(abi.encodeWithSelector(ILedger.NotRouter.selector, address(this), ROUTER));
        ledger.deduct(0, agent, model, new bytes(64));
    }

    function test_a_deduction_sent_twice_settles_once() public {
        deduct(newCall(0, 0, 5, 5));
        vm.prank(ROUTER);
        vm.expectRevert(abi.encodeWithSelector(ILedger.WrongFirst.selector, 0, 1));
        ledger.deduct(0, agent, model, new bytes(64));
    }

    function test_a_record_that_is_not_one_whole_record_reverts() public {
        vm.prank(ROUTER);
        vm.expectRevert(abi.encodeWithSelector(ICallLedger.WrongLength.selector, 128, 64));
        ledger.deduct(0, agent, model, new bytes(128));
    }

    function test_unknown_accounts_revert() public {
        vm.prank(ROUTER);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnknownAccount.selector, 7, 2));
        ledger.deduct(0, 7, model, new bytes(64));
        vm.prank(ROUTER);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnknownAccount.selector, 0, 2));
        ledger.deduct(0, agent, 0, new bytes(64));
    }

    function test_a_record_that_points_into_a_list_reverts() public {
        bytes memory record = Calls.encode(one(newCall(1, 0, 5, 5)));
        vm.prank(ROUTER);
        vm.expectRevert(abi.encodeWithSelector(ICallLedger.IndexOutOfList.selector, 1, 1));
        ledger.deduct(0, agent, model, record);
    }

    /// @dev The same calls in one batch, on a second ledger, end in the same balances.
    function testFuzz_deductions_end_where_a_batch_ends(uint256 seed) public {
        Call[] memory calls = drawCalls(seed, 1, 1, 8);
        for (uint256 i = 0; i < calls.length; ++i) {
            deduct(calls[i]);
        }
        (uint256 balance, uint256 earned, uint256 fees) =
            (balanceOf(agent), earnedOf(model), ledger.fees());
        ledger = new CallLedger(address(usdc), ROUTER, TREASURY, FEE_BPS, WITHDRAW_DELAY);
        agent = newAgent(1000, 1000, 1000);
        model = newModel();
        settleAsExpected(list(agent), list(model), calls);
        assertEq(balanceOf(agent), balance, "balance");
        assertEq(earnedOf(model), earned, "earned");
        assertEq(ledger.fees(), fees, "fees");
    }
}
