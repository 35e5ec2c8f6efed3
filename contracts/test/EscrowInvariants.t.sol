// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobEscrow} from "../src/JobEscrow.sol";
import {USDC} from "../src/USDC.sol";
import {EscrowHandler} from "./support/EscrowHandler.sol";
import {InvariantTest} from "./support/InvariantTest.sol";

/// @title What holds after any sequence of jobs opened, delivered and ended, and of claims.
contract EscrowInvariantsTest is InvariantTest {
    EscrowHandler private handler;
    USDC private usdc;
    JobEscrow private escrow;

    function setUp() public {
        handler = new EscrowHandler();
        (usdc, escrow) = handler.parts();
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = EscrowHandler.open.selector;
        selectors[1] = EscrowHandler.deliver.selector;
        selectors[2] = EscrowHandler.release.selector;
        selectors[3] = EscrowHandler.refund.selector;
        selectors[4] = EscrowHandler.expire.selector;
        selectors[5] = EscrowHandler.claim.selector;
        selectors[6] = EscrowHandler.claimFees.selector;
        drive(address(handler), selectors);
    }

    function invariant_I1_the_tokens_held_are_budgets_under_way_and_what_is_not_claimed()
        public
        view
    {
        uint256 held = escrow.fees() - escrow.feesClaimed();
        for (uint256 i = 0; i < handler.MODELS(); ++i) {
            (uint256 earned, uint256 claimed) = escrow.earnings(handler.model(i));
            assertLe(claimed, earned, "claimed");
            held += earned - claimed;
        }
        for (uint256 jobId = 0; jobId < escrow.jobCount(); ++jobId) {
            JobEscrow.Job memory job = escrow.getJob(jobId);
            bool ends = job.state == JobEscrow.State.Open || job.state == JobEscrow.State.Delivered;
            if (ends) held += job.budget;
        }
        assertEq(usdc.balanceOf(address(escrow)), held, "held");
    }

    function invariant_I10_refunds_and_payouts_are_the_budgets_of_jobs_that_ended() public view {
        uint256 ended = handler.paidIn();
        for (uint256 jobId = 0; jobId < escrow.jobCount(); ++jobId) {
            JobEscrow.Job memory job = escrow.getJob(jobId);
            bool ends = job.state == JobEscrow.State.Open || job.state == JobEscrow.State.Delivered;
            if (ends) ended -= job.budget;
        }
        assertEq(handler.released() + handler.refunded(), ended, "ended");
        assertEq(handler.agentHas(), handler.refunded(), "refunded");
        uint256 earned = escrow.fees();
        for (uint256 i = 0; i < handler.MODELS(); ++i) {
            (uint256 part,) = escrow.earnings(handler.model(i));
            earned += part;
        }
        assertEq(earned, handler.released(), "earned");
    }
}
