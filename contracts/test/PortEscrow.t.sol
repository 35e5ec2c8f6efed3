// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPort} from "../src/port/IPort.sol";
import {Port} from "../src/port/Port.sol";
import {PortBase} from "../src/port/PortBase.sol";
import {PortTest} from "./support/PortTest.sol";
import {FeeToken} from "./support/Tokens.sol";

contract PortEscrowTest is PortTest {
    function request(uint256 amount) private {
        vm.prank(AGENT);
        port.requestWithdraw(amount);
    }

    function test_a_deposit_is_in_escrow() public {
        usdc.mint(AGENT, 5);
        vm.prank(AGENT);
        usdc.approve(address(port), 5);
        vm.expectEmit(true, false, false, true, address(port));
        emit IPort.Deposited(AGENT, 5);
        vm.prank(AGENT);
        port.depositUSDC(5);
        assertEq(port.escrowBalance(AGENT), 100 * DOLLAR + 5, "escrow");
        assertEq(port.effectiveBalance(AGENT), 100 * DOLLAR + 5, "effective");
        assertEq(usdc.balanceOf(address(port)), 100 * DOLLAR + 5, "held");
        vm.prank(AGENT);
        refuse("amount is zero");
        port.depositUSDC(0);
    }

    function test_a_withdrawal_is_paid_after_four_hours() public {
        vm.expectEmit(true, false, false, true, address(port));
        emit IPort.WithdrawRequested(AGENT, 60 * DOLLAR, NOW + DELAY);
        request(60 * DOLLAR);
        assertEq(port.escrowBalance(AGENT), 100 * DOLLAR, "escrow");
        assertEq(port.effectiveBalance(AGENT), 40 * DOLLAR, "effective");
        vm.warp(NOW + DELAY - 1);
        vm.prank(AGENT);
        refuse("withdrawal is locked");
        port.executeWithdraw();
        vm.warp(NOW + DELAY);
        vm.expectEmit(true, false, false, true, address(port));
        emit IPort.Withdrawn(AGENT, 60 * DOLLAR);
        vm.prank(AGENT);
        port.executeWithdraw();
        assertEq(usdc.balanceOf(AGENT), 60 * DOLLAR, "received");
        assertEq(port.effectiveBalance(AGENT), 40 * DOLLAR, "effective after");
        vm.prank(AGENT);
        refuse("no withdrawal requested");
        port.executeWithdraw();
    }

    function test_requests_that_cannot_be_revert() public {
        vm.prank(AGENT);
        refuse("amount is zero");
        port.requestWithdraw(0);
        vm.prank(AGENT);
        refuse("insufficient escrow balance");
        port.requestWithdraw(100 * DOLLAR + 1);
    }

    /// @dev I7.
    function test_a_delivery_before_the_request_is_deducted_and_a_job_after_it_is_not() public {
        request(100 * DOLLAR);
        vm.prank(AGENT);
        refuse("insufficient escrow balance");
        port.createJob(CHAT, data(), address(0));
        IPort.Delivery[] memory deliveries = new IPort.Delivery[](1);
        deliveries[0] = IPort.Delivery(AGENT, MINER, 30 * DOLLAR);
        vm.prank(AUTHORITY);
        port.submitEpoch(1, 0, deliveries, 0, 0);
        assertEq(port.effectiveBalance(AGENT), 0, "effective");
        vm.warp(NOW + DELAY);
        vm.prank(AGENT);
        port.executeWithdraw();
        assertEq(usdc.balanceOf(AGENT), 70 * DOLLAR, "what is left");
        assertEq(port.escrowBalance(AGENT), 0, "escrow");
    }

    function test_a_token_that_keeps_a_part_is_refused() public {
        FeeToken token = new FeeToken();
        PortBase.Parameters memory given = parameters();
        given.usdc = address(token);
        port = new Port(given);
        token.mint(AGENT, 100);
        vm.prank(AGENT);
        token.approve(address(port), 100);
        vm.prank(AGENT);
        refuse("wrong transfer");
        port.depositUSDC(100);
    }

    function refuseParameters(PortBase.Parameters memory given, string memory reason) private {
        refuse(reason);
        new Port(given);
    }

    function test_parameters_that_cannot_be_revert() public {
        PortBase.Parameters memory given = parameters();
        given.usdc = address(0);
        refuseParameters(given, "zero token");
        given = parameters();
        given.machina = address(0);
        refuseParameters(given, "zero token");
        given = parameters();
        given.treasury = address(0);
        refuseParameters(given, "zero address");
        given = parameters();
        given.authority = address(0);
        refuseParameters(given, "zero address");
    }

    function test_the_parameters_can_be_read() public view {
        assertEq(port.usdcToken(), address(usdc), "usdc");
        assertEq(port.machinaToken(), address(machina), "machina");
        assertEq(port.getTreasury(), TREASURY, "treasury");
        assertEq(port.settlementAuthority(), AUTHORITY, "authority");
        assertEq(port.swapRouter(), address(0), "swap router");
        assertEq(port.poolFee(), 0, "pool fee");
        assertEq(port.withdrawDelay(), DELAY, "delay");
        assertEq(port.jobLifetime(), LIFETIME, "lifetime");
    }
}
