// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPort} from "../src/port/IPort.sol";
import {PortTest} from "./support/PortTest.sol";

contract PortEpochsTest is PortTest {
    function deliveries(uint256 a, uint256 b) private pure returns (IPort.Delivery[] memory list) {
        list = new IPort.Delivery[](2);
        list[0] = IPort.Delivery(AGENT, MINER, a);
        list[1] = IPort.Delivery(AGENT, TREASURY, b);
    }

    function submit(uint256 epochId, IPort.Delivery[] memory list) private {
        vm.prank(AUTHORITY);
        port.submitEpoch(epochId, keccak256("root"), list, 0, 0);
    }

    function test_an_epoch_takes_deliveries_from_escrow_to_miners_and_treasury() public {
        assertFalse(port.epochSettled(0), "epoch 0 is none");
        assertFalse(port.epochSettled(1), "before");
        vm.expectEmit(true, true, false, true, address(port));
        emit IPort.BalanceDeducted(AGENT, 149, 1);
        vm.expectEmit(true, true, false, true, address(port));
        emit IPort.BalanceDeducted(AGENT, 51, 1);
        vm.expectEmit(true, false, false, true, address(port));
        emit IPort.EpochSubmitted(1, keccak256("root"), 200, 0);
        submit(1, deliveries(149, 51));
        assertTrue(port.epochSettled(1), "after");
        assertFalse(port.epochSettled(2), "the next");
        assertEq(port.currentEpoch(), 2, "epoch under way");
        assertEq(port.epochTotalUSDC(1), 200, "total");
        assertEq(port.epochRoot(1), keccak256("root"), "root");
        assertEq(port.escrowBalance(AGENT), 100 * DOLLAR - 200, "escrow");
        assertEq(port.minerBalance(MINER), 147, "miner");
        assertEq(port.minerBalance(TREASURY), 50, "the other");
        assertEq(usdc.balanceOf(TREASURY), 3, "fees, rounded down per delivery");
    }

    function test_an_epoch_counts_what_a_ledger_beside_has_settled() public {
        vm.expectEmit(true, false, false, true, address(port));
        emit IPort.EpochSubmitted(1, "root", 200 + 7, 9);
        vm.prank(AUTHORITY);
        port.submitEpoch(1, "root", deliveries(149, 51), 7, 9);
        assertEq(port.epochTotalUSDC(1), 207, "dollars");
        assertEq(port.epochTotalMachina(1), 9, "MACHINA");
        assertEq(usdc.balanceOf(TREASURY), 3, "fees of the deliveries alone");
    }

    function test_a_delivery_that_the_escrow_cannot_pay_is_skipped() public {
        submit(1, deliveries(100 * DOLLAR + 1, 50));
        assertEq(port.epochTotalUSDC(1), 50, "total");
        assertEq(port.minerBalance(MINER), 0, "miner");
        submit(2, deliveries(100 * DOLLAR - 50, 1));
        assertEq(port.escrowBalance(AGENT), 0, "escrow");
        assertEq(port.epochTotalUSDC(2), 100 * DOLLAR - 50, "total of the second");
    }

    function test_only_the_authority_settles_epochs_in_order_and_once() public {
        refuse("only settlement authority");
        port.submitEpoch(1, 0, deliveries(1, 1), 0, 0);
        vm.prank(AUTHORITY);
        refuse("epoch out of order");
        port.submitEpoch(2, 0, deliveries(1, 1), 0, 0);
        submit(1, deliveries(1, 1));
        vm.prank(AUTHORITY);
        refuse("epoch out of order");
        port.submitEpoch(1, 0, deliveries(1, 1), 0, 0);
    }

    function test_without_a_pool_miners_are_paid_in_usdc() public {
        submit(1, deliveries(1000, 0));
        vm.prank(AUTHORITY);
        port.payMiner(MINER, 500, 0);
        vm.prank(MINER);
        port.payMiner(MINER, 480, 0);
        assertEq(usdc.balanceOf(FEE_ADDRESS), 980, "paid");
        assertEq(port.minerBalance(MINER), 0, "left");
        vm.prank(MINER);
        refuse("insufficient miner balance");
        port.payMiner(MINER, 1, 0);
    }

    function test_only_the_authority_or_the_miner_pays_a_miner_that_registered() public {
        submit(1, deliveries(1000, 1000));
        refuse("only settlement authority or miner");
        port.payMiner(MINER, 1, 0);
        vm.prank(AUTHORITY);
        refuse("miner is not registered");
        port.payMiner(TREASURY, 1, 0);
        register(TREASURY, TREASURY);
        vm.prank(AUTHORITY);
        port.payMiner(TREASURY, 980, 0);
        assertEq(usdc.balanceOf(TREASURY), 40 + 980, "paid");
    }

    function testFuzz_escrow_is_deducted_to_the_last_unit(uint48[6] memory amounts) public {
        IPort.Delivery[] memory list = new IPort.Delivery[](amounts.length);
        for (uint256 i = 0; i < amounts.length; ++i) {
            list[i] = IPort.Delivery(AGENT, MINER, bound(amounts[i], 0, 60 * DOLLAR));
        }
        submit(1, list);
        uint256 left = port.escrowBalance(AGENT) + port.minerBalance(MINER);
        assertEq(left + usdc.balanceOf(TREASURY), 100 * DOLLAR, "all of it");
        assertEq(usdc.balanceOf(address(port)), left, "held");
        assertEq(port.escrowBalance(AGENT) + port.epochTotalUSDC(1), 100 * DOLLAR, "deducted");
    }
}
