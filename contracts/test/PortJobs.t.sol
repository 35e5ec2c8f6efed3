// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgentCallback, IPort, Job, OnChainData} from "../src/port/IPort.sol";
import {Port} from "../src/port/Port.sol";
import {PortBase} from "../src/port/PortBase.sol";
import {PortTest} from "./support/PortTest.sol";
import {ReentrantToken} from "./support/Tokens.sol";

/// @dev An agent's contract: remembers the answer, reverts, or opens the next job.
contract Callback is IAgentCallback {
    Port private immutable _port;
    uint256 public jobId;
    string public answer;
    bool public isBroken;
    bool public isHungry;
    uint256 public nextJobId;

    constructor(Port port) {
        _port = port;
    }

    function set(bool isBroken_, bool isHungry_) external {
        (isBroken, isHungry) = (isBroken_, isHungry_);
    }

    function subnetMessage(
        uint256 jobId_,
        bool success,
        OnChainData calldata response,
        string calldata errorMessage
    ) external {
        require(!isBroken, "broken");
        require(success && bytes(errorMessage).length == 0, "no answer");
        (jobId, answer) = (jobId_, response.strings[0]);
        if (isHungry) nextJobId = _port.createJob(0, response, address(0));
    }
}

contract PortJobsTest is PortTest {
    function stateOf(uint256 jobId) private view returns (uint256) {
        return port.getJob(jobId).state;
    }

    function test_a_job_is_paid_from_escrow_at_the_ports_price() public {
        vm.expectEmit(true, true, false, true, address(port));
        emit IPort.JobCreated(1, AGENT, CHAT, address(0));
        assertEq(createJob(), 1, "first id");
        assertEq(createJob(), 2, "next id");
        assertEq(port.jobCount(), 2, "jobs");
        assertEq(port.getJobBasePrice(), DOLLAR, "base price");
        Job memory job = port.getJob(1);
        assertEq(job.agent, AGENT, "agent");
        assertEq(job.intentId, CHAT, "intent");
        assertEq(job.callback, address(0), "callback");
        assertEq(job.budget, DOLLAR, "budget");
        assertEq(job.minerPayment, 980_000, "miner payment");
        assertEq(job.protocolFee, 20_000, "protocol fee");
        assertEq(job.state, 0, "Funded");
        assertEq(job.createdAt, NOW, "created at");
        assertEq(port.escrowBalance(AGENT), 98 * DOLLAR, "escrow");
        uint256[] memory ids = port.jobsByAgent(AGENT);
        assertEq(ids.length, 2, "jobs of the agent");
        assertEq(ids[1], 2, "the second");
        assertEq(port.getJob(3).agent, address(0), "no such job");
    }

    function test_the_price_rises_with_demand() public {
        uint256[5] memory volumes = [uint256(999), 1000, 10_000, 100_000, 1_000_000];
        uint256[5] memory tenths = [uint256(10), 15, 25, 50, 100];
        for (uint256 i = 0; i < volumes.length; ++i) {
            vm.expectEmit(true, false, false, true, address(port));
            emit IPort.VolumeSet(CHAT, volumes[i]);
            vm.prank(AUTHORITY);
            port.setVolume(CHAT, volumes[i]);
            assertEq(port.getMultiplierTenths(CHAT), tenths[i], "multiplier");
            assertEq(port.getJob(createJob()).budget, DOLLAR * tenths[i] / 10, "budget");
        }
        assertEq(port.volumeOf(CHAT), 1_000_000, "volume");
        assertEq(port.getJobPrice(keccak256("WEB_SEARCH")), DOLLAR, "another intent's price");
        refuse("only settlement authority");
        port.setVolume(CHAT, 1);
    }

    function test_a_job_that_cannot_be_paid_or_called_back_reverts() public {
        address poor = address(0xB0);
        fund(poor, DOLLAR - 1);
        vm.prank(poor);
        refuse("insufficient escrow balance");
        port.createJob(CHAT, data(), address(0));
        vm.prank(AGENT);
        refuse("callback has no code");
        port.createJob(CHAT, data(), address(0xDEAD));
    }

    function test_without_a_pool_the_miner_is_paid_in_usdc_at_its_fee_address() public {
        createJob();
        assertEq(port.getJobOutput(1), 0, "output before");
        vm.expectEmit(true, false, false, true, address(port));
        emit IPort.JobTerminal(1, 20_000, 980_000);
        answer(1);
        assertEq(stateOf(1), 1, "Terminal");
        assertEq(port.getJobOutput(1), ANSWER, "output");
        assertEq(usdc.balanceOf(TREASURY), 20_000, "treasury");
        assertEq(usdc.balanceOf(FEE_ADDRESS), 980_000, "miner");
        assertEq(port.epochTotalMachina(1), 0, "bought");
    }

    function test_only_the_authority_settles_only_funded_jobs_and_only_to_miners() public {
        createJob();
        refuse("only settlement authority");
        port.transitionToTerminal(1, ANSWER, MINER, "", 0, data());
        vm.prank(AUTHORITY);
        refuse("miner is not registered");
        port.transitionToTerminal(1, ANSWER, AGENT, "", 0, data());
        vm.prank(AUTHORITY);
        refuse("no such job");
        port.transitionToTerminal(2, ANSWER, MINER, "", 0, data());
        answer(1);
        vm.prank(AUTHORITY);
        refuse("job is not funded");
        port.transitionToTerminal(1, ANSWER, MINER, "", 0, data());
    }

    function test_the_agents_contract_is_called_back_with_the_answer() public {
        Callback callback = new Callback(port);
        createJob(address(callback));
        answer(1);
        assertEq(callback.jobId(), 1, "job");
        assertEq(callback.answer(), "What is it worth?", "answer");
    }

    function test_a_callback_that_reverts_changes_nothing() public {
        Callback callback = new Callback(port);
        callback.set(true, false);
        createJob(address(callback));
        vm.expectEmit(true, false, false, true, address(port));
        emit IPort.CallbackFailed(1);
        answer(1);
        assertEq(stateOf(1), 1, "Terminal");
        assertEq(usdc.balanceOf(FEE_ADDRESS), 980_000, "miner");
    }

    function test_a_callback_can_open_the_next_job() public {
        Callback callback = new Callback(port);
        callback.set(false, true);
        fund(address(callback), DOLLAR);
        createJob(address(callback));
        answer(1);
        assertEq(callback.nextJobId(), 2, "next job");
        assertEq(port.getJob(2).agent, address(callback), "its agent");
    }

    /// @dev A contract that was there when the job was opened, and is not any more.
    function test_a_callback_that_is_gone_does_no_harm() public {
        Callback callback = new Callback(port);
        createJob(address(callback));
        vm.etch(address(callback), "");
        answer(1);
        assertEq(stateOf(1), 1, "Terminal");
    }

    function test_the_agent_cancels_before_terminal_for_a_full_refund() public {
        createJob();
        refuse("only the agent");
        port.cancelJob(1);
        vm.expectEmit(true, false, false, true, address(port));
        emit IPort.JobCancelled(1);
        vm.prank(AGENT);
        port.cancelJob(1);
        assertEq(stateOf(1), 2, "Cancelled");
        assertEq(port.escrowBalance(AGENT), 100 * DOLLAR, "escrow");
        vm.prank(AGENT);
        refuse("job is not funded");
        port.cancelJob(1);
        createJob();
        answer(2);
        vm.prank(AGENT);
        refuse("job is not funded");
        port.cancelJob(2);
    }

    /// @dev I10.
    function test_anyone_ends_a_job_that_nobody_answered_in_time() public {
        createJob();
        vm.warp(NOW + LIFETIME);
        refuse("job has not expired");
        port.claimExpired(1);
        vm.warp(NOW + LIFETIME + 1);
        vm.expectEmit(true, false, false, true, address(port));
        emit IPort.JobCancelled(1);
        port.claimExpired(1);
        assertEq(port.escrowBalance(AGENT), 100 * DOLLAR, "escrow");
        refuse("job is not funded");
        port.claimExpired(1);
        refuse("no such job");
        port.claimExpired(2);
    }

    /// @dev I13: a token that calls back while a job is settled finds it over.
    function test_a_token_that_calls_back_gets_in_nowhere() public {
        ReentrantToken token = new ReentrantToken();
        PortBase.Parameters memory given = parameters();
        given.usdc = address(token);
        port = new Port(given);
        register(MINER, FEE_ADDRESS);
        token.mint(AGENT, 10 * DOLLAR);
        vm.prank(AGENT);
        token.approve(address(port), 10 * DOLLAR);
        vm.prank(AGENT);
        port.depositUSDC(10 * DOLLAR);
        createJob();
        vm.warp(NOW + LIFETIME + 1);
        token.attack(address(port), abi.encodeCall(IPort.claimExpired, (1)));
        vm.prank(AUTHORITY);
        refuse("job is not funded");
        port.transitionToTerminal(1, ANSWER, MINER, "", 0, data());
        token.attack(address(0), "");
        answer(1);
        assertEq(token.balanceOf(address(port)), 9 * DOLLAR, "held");
    }

    /// @dev I10: refunds and payouts are the budgets, whatever happens to the jobs.
    function testFuzz_every_job_ends_and_nothing_is_lost(uint8[12] memory ends) public {
        for (uint256 i = 0; i < ends.length; ++i) {
            uint256 jobId = createJob();
            if (ends[i] % 3 == 0) {
                answer(jobId);
            } else if (ends[i] % 3 == 1) {
                vm.prank(AGENT);
                port.cancelJob(jobId);
            }
        }
        vm.warp(NOW + LIFETIME + 1);
        for (uint256 jobId = 1; jobId <= ends.length; ++jobId) {
            if (stateOf(jobId) == 0) port.claimExpired(jobId);
        }
        uint256 paid = usdc.balanceOf(TREASURY) + usdc.balanceOf(FEE_ADDRESS);
        assertEq(port.escrowBalance(AGENT) + paid, 100 * DOLLAR, "all of it");
        assertEq(usdc.balanceOf(address(port)), port.escrowBalance(AGENT), "held");
    }
}
