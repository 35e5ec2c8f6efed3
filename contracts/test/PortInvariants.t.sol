// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {USDC} from "../src/USDC.sol";
import {Job} from "../src/port/IPort.sol";
import {Port} from "../src/port/Port.sol";
import {InvariantTest} from "./support/InvariantTest.sol";
import {PoolHandler} from "./support/PoolHandler.sol";
import {PortHandler} from "./support/PortHandler.sol";

/// @title What holds after any sequence of deposits, jobs, epochs and withdrawals.
contract PortInvariantsTest is InvariantTest {
    PortHandler private handler;
    USDC private usdc;
    Port private port;

    function newHandler() internal virtual returns (PortHandler) {
        return new PortHandler();
    }

    function setUp() public {
        handler = newHandler();
        (usdc, port) = handler.parts();
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = PortHandler.deposit.selector;
        selectors[1] = PortHandler.requestWithdraw.selector;
        selectors[2] = PortHandler.executeWithdraw.selector;
        selectors[3] = PortHandler.open.selector;
        selectors[4] = PortHandler.end.selector;
        selectors[5] = PortHandler.settleEpoch.selector;
        selectors[6] = PortHandler.pay.selector;
        drive(address(handler), selectors);
    }

    function invariant_I1_the_tokens_held_are_escrow_budgets_of_open_jobs_and_miners_accounts()
        public
        view
    {
        uint256 owed = 0;
        uint256 out = 0;
        for (uint256 i = 0; i < 2; ++i) {
            owed += port.escrowBalance(handler.agent(i)) + port.minerBalance(handler.miner(i));
            out += usdc.balanceOf(handler.agent(i));
        }
        for (uint256 jobId = 1; jobId <= port.jobCount(); ++jobId) {
            Job memory job = port.getJob(jobId);
            if (job.state == 0) owed += job.budget;
        }
        address[4] memory payees = handler.payees();
        for (uint256 i = 0; i < payees.length; ++i) {
            out += usdc.balanceOf(payees[i]);
        }
        assertEq(usdc.balanceOf(address(port)), owed, "held");
        assertEq(usdc.allowance(address(port), port.swapRouter()), 0, "allowance left");
        assertEq(owed + out, handler.paidIn(), "all of it");
    }

    function invariant_I2_a_jobs_payment_and_fee_are_its_budget() public view {
        for (uint256 jobId = 1; jobId <= port.jobCount(); ++jobId) {
            Job memory job = port.getJob(jobId);
            assertEq(job.minerPayment + job.protocolFee, job.budget, "budget");
            assertEq(job.protocolFee, job.budget / 50, "fee");
            assertEq(port.getJobOutput(jobId) != 0 ? 1 : 0, job.state == 1 ? 1 : 0, "output");
        }
    }

    function invariant_I3_epochs_are_contiguous() public view {
        for (uint256 epochId = 1; epochId < port.currentEpoch(); ++epochId) {
            assertTrue(port.epochSettled(epochId), "settled");
            assertEq(port.epochRoot(epochId), "root", "root");
        }
        assertFalse(port.epochSettled(port.currentEpoch()), "the one under way");
    }

    function invariant_I7_what_is_under_withdrawal_stays_in_escrow() public view {
        for (uint256 i = 0; i < 2; ++i) {
            address user = handler.agent(i);
            assertLe(port.effectiveBalance(user), port.escrowBalance(user), "effective");
        }
    }
}

/// @title The same, where miners are paid through a pool that runs dry.
contract PortPoolInvariantsTest is PortInvariantsTest {
    function newHandler() internal override returns (PortHandler) {
        return new PoolHandler();
    }
}
