// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {JobEscrow} from "../src/JobEscrow.sol";
import {Splitter} from "../src/Splitter.sol";
import {LedgerTest} from "./support/LedgerTest.sol";
import {FalseToken, FeeToken, ReentrantToken, SpoiltToken} from "./support/Tokens.sol";

contract JobEscrowTest is LedgerTest {
    address private constant AGENT = address(0xA6E27);
    address private constant MODEL = address(0x30DE1);
    bytes32 private constant INTENT = keccak256("CHAT_COMPLETION");
    bytes32 private constant ANSWER = keccak256("answer");
    uint256 private constant EXPIRES = NOW + 1 hours;

    JobEscrow private escrow;

    function setUp() public override {
        super.setUp();
        escrow = new JobEscrow(address(usdc), ROUTER, TREASURY, FEE_BPS);
        usdc.mint(AGENT, 10_000);
        vm.prank(AGENT);
        usdc.approve(address(escrow), type(uint256).max);
    }

    function open(uint256 budget) private returns (uint256) {
        vm.prank(AGENT);
        return escrow.open(MODEL, budget, EXPIRES, INTENT);
    }

    function deliver(uint256 jobId) private {
        vm.prank(MODEL);
        escrow.deliver(jobId, ANSWER);
    }

    function refuse(bytes memory reason) private {
        vm.expectRevert(reason);
    }

    function wrongState(JobEscrow.State found, JobEscrow.State needed) private {
        refuse(abi.encodeWithSelector(JobEscrow.WrongState.selector, found, needed));
    }

    function test_open_locks_the_budget() public {
        vm.expectEmit(true, true, true, true, address(escrow));
        emit JobEscrow.Opened(0, AGENT, MODEL, 600, EXPIRES, INTENT);
        assertEq(open(600), 0, "id");
        assertEq(open(1), 1, "next id");
        assertEq(escrow.jobCount(), 2, "jobs");
        JobEscrow.Job memory job = escrow.getJob(0);
        assertEq(job.agent, AGENT, "agent");
        assertEq(job.model, MODEL, "model");
        assertEq(job.budget, 600, "budget");
        assertEq(job.expiresAt, EXPIRES, "expires at");
        assertTrue(job.state == JobEscrow.State.Open, "state");
        assertEq(usdc.balanceOf(address(escrow)), 601, "locked");
        assertEq(usdc.balanceOf(AGENT), 9399, "left");
    }

    function test_release_pays_the_charge_and_refunds_the_rest() public {
        open(600);
        vm.expectEmit(true, false, false, true, address(escrow));
        emit JobEscrow.Delivered(0, ANSWER);
        deliver(0);
        vm.expectEmit(true, false, false, true, address(escrow));
        emit JobEscrow.Released(0, 499, 9, 101);
        vm.prank(ROUTER);
        escrow.release(0, 499);
        assertEq(usdc.balanceOf(AGENT), 9501, "agent");
        assertEq(escrow.claim(MODEL), 490, "model");
        assertEq(escrow.claimFees(), 9, "fees");
        assertEq(usdc.balanceOf(address(escrow)), 0, "locked");
        assertTrue(escrow.getJob(0).state == JobEscrow.State.Released, "state");
    }

    function test_release_of_the_whole_budget_refunds_nothing() public {
        open(600);
        deliver(0);
        vm.expectEmit(true, false, false, true, address(escrow));
        emit JobEscrow.Released(0, 600, 12, 0);
        vm.prank(ROUTER);
        escrow.release(0, 600);
        assertEq(usdc.balanceOf(AGENT), 9400, "agent");
    }

    function test_refund_by_the_router_or_the_model_returns_the_whole_budget() public {
        open(600);
        open(300);
        deliver(1);
        vm.expectEmit(true, false, false, true, address(escrow));
        emit JobEscrow.Refunded(0, 600);
        vm.prank(MODEL);
        escrow.refund(0);
        vm.expectEmit(true, false, false, true, address(escrow));
        emit JobEscrow.Refunded(1, 300);
        vm.prank(ROUTER);
        escrow.refund(1);
        assertEq(usdc.balanceOf(AGENT), 10_000, "agent");
        assertTrue(escrow.getJob(1).state == JobEscrow.State.Refunded, "state");
    }

    function test_anyone_ends_a_job_whose_time_is_over_delivered_or_not() public {
        open(600);
        open(300);
        deliver(1);
        vm.warp(EXPIRES);
        refuse(abi.encodeWithSelector(JobEscrow.NotExpired.selector, EXPIRES, EXPIRES));
        escrow.expire(0);
        vm.warp(EXPIRES + 1);
        vm.expectEmit(true, false, false, true, address(escrow));
        emit JobEscrow.Expired(0, 600);
        escrow.expire(0);
        escrow.expire(1);
        assertEq(usdc.balanceOf(AGENT), 10_000, "agent");
        assertTrue(escrow.getJob(1).state == JobEscrow.State.Expired, "state");
    }

    function test_a_late_delivery_reverts_and_a_late_release_does_not() public {
        open(600);
        open(300);
        vm.warp(EXPIRES);
        deliver(0);
        vm.warp(EXPIRES + 1);
        vm.prank(MODEL);
        refuse(abi.encodeWithSelector(JobEscrow.JobExpired.selector, EXPIRES + 1, EXPIRES));
        escrow.deliver(1, ANSWER);
        vm.prank(ROUTER);
        escrow.release(0, 600);
        assertEq(escrow.claim(MODEL), 588, "paid");
    }

    function test_each_job_ends_once() public {
        open(600);
        deliver(0);
        vm.prank(ROUTER);
        escrow.release(0, 600);
        usdc.mint(address(escrow), 600);
        JobEscrow.State released = JobEscrow.State.Released;
        vm.prank(ROUTER);
        wrongState(released, JobEscrow.State.Delivered);
        escrow.release(0, 600);
        vm.prank(ROUTER);
        wrongState(released, JobEscrow.State.Open);
        escrow.refund(0);
        vm.prank(MODEL);
        wrongState(released, JobEscrow.State.Open);
        escrow.deliver(0, ANSWER);
        vm.warp(EXPIRES + 1);
        wrongState(released, JobEscrow.State.Open);
        escrow.expire(0);
    }

    function test_only_a_delivered_job_is_released() public {
        open(600);
        vm.prank(ROUTER);
        wrongState(JobEscrow.State.Open, JobEscrow.State.Delivered);
        escrow.release(0, 600);
    }

    function test_nobody_else_delivers_releases_or_refunds() public {
        open(600);
        refuse(abi.encodeWithSelector(JobEscrow.NotModel.selector, address(this), MODEL));
        escrow.deliver(0, ANSWER);
        bytes memory notRouter =
            abi.encodeWithSelector(Splitter.NotRouter.selector, address(this), ROUTER);
        refuse(notRouter);
        escrow.release(0, 1);
        refuse(notRouter);
        escrow.refund(0);
        deliver(0);
        vm.prank(AGENT); // who would have the answer for nothing
        refuse(abi.encodeWithSelector(Splitter.NotRouter.selector, AGENT, ROUTER));
        escrow.refund(0);
    }

    function test_a_charge_above_the_budget_reverts() public {
        open(600);
        deliver(0);
        vm.prank(ROUTER);
        refuse(abi.encodeWithSelector(JobEscrow.ChargeAboveBudget.selector, 601, 600));
        escrow.release(0, 601);
    }

    function test_unknown_jobs_revert() public {
        open(600);
        refuse(abi.encodeWithSelector(JobEscrow.UnknownJob.selector, 1, 1));
        escrow.getJob(1);
    }

    function test_a_job_that_cannot_be_is_not_opened() public {
        vm.prank(AGENT);
        vm.expectRevert(Splitter.NoAddress.selector);
        escrow.open(address(0), 1, EXPIRES, INTENT);
        vm.prank(AGENT);
        refuse(abi.encodeWithSelector(JobEscrow.JobExpired.selector, NOW, NOW - 1));
        escrow.open(MODEL, 1, NOW - 1, INTENT);
        vm.prank(AGENT);
        refuse(abi.encodeWithSelector(Splitter.OutOfRange.selector, 1 << 96, (1 << 96) - 1));
        escrow.open(MODEL, 1 << 96, EXPIRES, INTENT);
        vm.prank(AGENT);
        refuse(abi.encodeWithSelector(Splitter.OutOfRange.selector, 1 << 88, (1 << 88) - 1));
        escrow.open(MODEL, 1, 1 << 88, INTENT);
    }

    function use(SpoiltToken token) private {
        escrow = new JobEscrow(address(token), ROUTER, TREASURY, FEE_BPS);
        token.mint(AGENT, 1000);
        vm.prank(AGENT);
        token.approve(address(escrow), type(uint256).max);
    }

    function test_tokens_that_move_something_else_are_refused() public {
        use(new FeeToken());
        vm.prank(AGENT);
        refuse(abi.encodeWithSelector(JobEscrow.WrongTransfer.selector, 99, 100));
        escrow.open(MODEL, 100, EXPIRES, INTENT);
        FalseToken token = new FalseToken();
        use(token);
        vm.prank(AGENT);
        refuse(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        escrow.open(MODEL, 100, EXPIRES, INTENT);
        token.beSilent();
        vm.prank(AGENT);
        refuse(abi.encodeWithSelector(JobEscrow.WrongTransfer.selector, 0, 100));
        escrow.open(MODEL, 100, EXPIRES, INTENT);
    }

    function test_a_token_that_calls_back_gets_in_nowhere() public {
        ReentrantToken token = new ReentrantToken();
        use(token);
        for (uint256 i = 0; i < 3; ++i) {
            open(100);
            deliver(i);
        }
        vm.warp(EXPIRES + 1);
        bytes4 reason = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        token.attack(address(escrow), abi.encodeCall(JobEscrow.expire, (2)));
        vm.expectRevert(reason);
        escrow.expire(1);
        vm.prank(ROUTER);
        vm.expectRevert(reason);
        escrow.release(0, 50);
        vm.prank(ROUTER);
        vm.expectRevert(reason);
        escrow.refund(0);
        vm.prank(AGENT);
        vm.expectRevert(reason);
        escrow.open(MODEL, 100, EXPIRES + 1, INTENT);
    }

    /// @dev I10: whatever is done to a job in whatever order, time ends it, and what came in goes
    /// out.
    function testFuzz_every_job_ends_by_time_alone_with_payouts_and_refund_the_budget(
        uint256 budget,
        uint256 charge,
        uint8 steps
    ) public {
        budget = bound(budget, 0, 10_000);
        open(budget);
        if (steps & 1 != 0) deliver(0);
        if (steps & 3 == 3) {
            vm.prank(ROUTER);
            escrow.release(0, bound(charge, 0, budget));
        } else if (steps & 4 != 0) {
            vm.prank(ROUTER);
            escrow.refund(0);
        }
        vm.warp(EXPIRES + 1);
        if (uint8(escrow.getJob(0).state) < uint8(JobEscrow.State.Released)) escrow.expire(0);
        escrow.claim(MODEL);
        escrow.claimFees();
        assertEq(usdc.balanceOf(address(escrow)), 0, "held");
        uint256 paid = usdc.balanceOf(AGENT) + usdc.balanceOf(MODEL) + usdc.balanceOf(TREASURY);
        assertEq(paid, 10_000, "paid");
    }
}
