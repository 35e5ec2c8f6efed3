// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICallLedger} from "../../src/ICallLedger.sol";
import {ILedger} from "../../src/ILedger.sol";
import {Call} from "./Call.sol";
import {LedgerTest} from "./LedgerTest.sol";
import {Outcome, Reference} from "./Reference.sol";

/// @title Random batches, held against the reference.
abstract contract BatchTest is LedgerTest {
    uint256 private _draws;

    function draw(uint256 seed, uint256 limit) internal returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++_draws))) % limit;
    }

    /// @dev Agents of every kind: rich and poor, well and barely allowed, one in four with a
    /// mandate that will run out.
    function drawAgents(uint256 seed, uint256 count) internal returns (uint32[] memory ids) {
        ids = range(registerNext(count), count);
        for (uint256 i = 0; i < count; ++i) {
            pay(ids[i], draw(seed, 4000));
            uint256 deadline = draw(seed, 4) == 0 ? NOW : NOW + 1 days;
            allow(ids[i], draw(seed, 4000), draw(seed, 1200), deadline);
        }
        vm.warp(NOW + 1);
    }

    function drawCalls(uint256 seed, uint256 agents, uint256 models, uint256 count)
        internal
        returns (Call[] memory calls)
    {
        calls = new Call[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 quote = draw(seed, 1000);
            calls[i] = Call({
                agent: draw(seed, agents),
                model: draw(seed, models),
                quote: quote,
                charge: draw(seed, quote + 1),
                flags: draw(seed, 2),
                answerHash: bytes32(draw(seed, type(uint256).max))
            });
        }
    }

    /// @dev Settles and compares: the event, the root, every account, and that debits are credits
    /// and fees.
    function settleAsExpected(uint32[] memory agents, uint32[] memory models, Call[] memory calls)
        internal
        returns (Outcome memory outcome)
    {
        outcome = Reference.settle(ledger, agents, models, calls);
        uint256 batchId = ledger.batchCount();
        uint256 first = ledger.callCount();
        uint256 feesBefore = ledger.fees();
        bytes32 root = Reference.root(outcome.leaves);
        expectCallEvents(calls, first);
        vm.expectEmit(true, false, false, true, address(ledger));
        emit ILedger.BatchSettled(batchId, first, calls.length, root, outcome.debits, outcome.fees);
        settle(agents, models, calls);
        assertEq(ledger.rootOf(batchId), root, "root");
        assertEq(ledger.callCount(), first + calls.length, "calls");
        assertEq(ledger.batchCount(), batchId + 1, "batches");
        assertEq(ledger.fees() - feesBefore, outcome.fees, "fees");
        assertEq(outcome.debits, outcome.credits + outcome.fees, "debits");
        compareAccounts(agents, models, outcome);
    }

    function expectCallEvents(Call[] memory calls, uint256 first) private {
        for (uint256 i = 0; i < calls.length; ++i) {
            if (calls[i].flags == 0) continue;
            vm.expectEmit(true, false, false, true, address(ledger));
            emit ICallLedger.CallSettled(first + i, headOf(calls[i]), calls[i].answerHash);
        }
    }

    function compareAccounts(
        uint32[] memory agents,
        uint32[] memory models,
        Outcome memory outcome
    ) private view {
        for (uint256 i = 0; i < agents.length; ++i) {
            assertEq(balanceOf(agents[i]), outcome.balances[i], "balance");
            assertEq(capOf(agents[i]), outcome.caps[i], "cap");
        }
        for (uint256 i = 0; i < models.length; ++i) {
            assertEq(earnedOf(models[i]), outcome.earned[i], "earned");
        }
    }
}
