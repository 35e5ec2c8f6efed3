// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobEscrow} from "../../src/JobEscrow.sol";
import {USDC} from "../../src/USDC.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title Everything that can be done to an escrow of jobs, in any order, and what must then have
/// come of it.
contract EscrowHandler is LedgerTest {
    uint256 public constant MODELS = 3;
    address private constant AGENT = address(0xA6E27);

    JobEscrow private _escrow;
    uint256 public paidIn;
    uint256 public refunded;
    uint256 public released;

    constructor() {
        setUp();
        _escrow = new JobEscrow(address(usdc), ROUTER, TREASURY, FEE_BPS);
        vm.prank(AGENT);
        usdc.approve(address(_escrow), type(uint256).max);
    }

    function parts() external view returns (USDC, JobEscrow) {
        return (usdc, _escrow);
    }

    function model(uint256 which) public pure returns (address) {
        return address(uint160(0x30DE0 + which % MODELS));
    }

    function open(uint256 which, uint256 budget, uint256 seconds_) external {
        budget = bound(budget, 0, 1e6);
        usdc.mint(AGENT, budget);
        vm.prank(AGENT);
        _escrow.open(model(which), budget, block.timestamp + bound(seconds_, 0, 100), "intent");
        paidIn += budget;
    }

    function deliver(uint256 jobId) external {
        JobEscrow.Job memory job;
        (jobId, job) = known(jobId);
        if (job.state != JobEscrow.State.Open || block.timestamp > job.expiresAt) return;
        vm.prank(job.model);
        _escrow.deliver(jobId, "answer");
    }

    function release(uint256 jobId, uint256 charge) external {
        JobEscrow.Job memory job;
        (jobId, job) = known(jobId);
        if (job.state != JobEscrow.State.Delivered) return;
        charge = bound(charge, 0, job.budget);
        vm.prank(ROUTER);
        _escrow.release(jobId, charge);
        released += charge;
        refunded += job.budget - charge;
    }

    function refund(uint256 jobId, bool byModel) external {
        JobEscrow.Job memory job;
        (jobId, job) = known(jobId);
        if (!unended(job)) return;
        vm.prank(byModel ? job.model : ROUTER);
        _escrow.refund(jobId);
        refunded += job.budget;
    }

    /// @dev Not before its time.
    function expire(uint256 jobId) external {
        JobEscrow.Job memory job;
        (jobId, job) = known(jobId);
        if (!unended(job)) return;
        if (block.timestamp <= job.expiresAt) {
            vm.expectRevert();
            _escrow.expire(jobId);
            vm.warp(uint256(job.expiresAt) + 1);
        }
        _escrow.expire(jobId);
        refunded += job.budget;
    }

    function claim(uint256 which) external {
        _escrow.claim(model(which));
    }

    function claimFees() external {
        _escrow.claimFees();
    }

    function agentHas() external view returns (uint256) {
        return usdc.balanceOf(AGENT);
    }

    function unended(JobEscrow.Job memory job) private pure returns (bool) {
        return job.agent != address(0)
            && (job.state == JobEscrow.State.Open || job.state == JobEscrow.State.Delivered);
    }

    /// @dev Any job; an empty one if there are none.
    function known(uint256 jobId) private view returns (uint256, JobEscrow.Job memory job) {
        uint256 count = _escrow.jobCount();
        if (count == 0) {
            job.state = JobEscrow.State.Released;
            return (0, job);
        }
        jobId = bound(jobId, 0, count - 1);
        return (jobId, _escrow.getJob(jobId));
    }
}
