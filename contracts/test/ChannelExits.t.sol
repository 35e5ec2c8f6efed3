// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {IVoucherChannels} from "../src/x402/IVoucherChannels.sol";
import {ChannelTest} from "./support/ChannelTest.sol";

/// @title How money comes back out of a channel: by time, or by the receiver's consent.
contract ChannelExitsTest is ChannelTest {
    IVoucherChannels.ChannelConfig private config;
    bytes32 private channelId;

    function setUp() public override {
        super.setUp();
        config = newConfig(1);
        channelId = channels.getChannelId(config);
        deposit(config, 1000);
    }

    function initiate(uint128 amount) private {
        vm.prank(vm.addr(PAYER));
        channels.initiateWithdraw(config, amount);
    }

    function finalize() private {
        vm.prank(vm.addr(PAYER));
        channels.finalizeWithdraw(config);
    }

    function refund(uint128 amount) private {
        vm.prank(vm.addr(RECEIVER));
        channels.refund(config, amount);
    }

    function requirePending(uint256 amount, uint256 initiatedAt) private view {
        (uint256 found, uint256 foundAt) = channels.pendingWithdrawals(channelId);
        assertEq(found, amount, "pending");
        assertEq(foundAt, initiatedAt, "initiated at");
    }

    function test_a_withdrawal_is_paid_after_its_delay_and_not_before() public {
        vm.expectEmit(true, false, false, true, CHANNELS);
        emit IVoucherChannels.WithdrawInitiated(channelId, 600, uint40(NOW) + DELAY);
        initiate(600);
        requirePending(600, NOW);
        vm.warp(NOW + DELAY - 1);
        vm.prank(vm.addr(PAYER));
        vm.expectRevert(IVoucherChannels.WithdrawDelayNotElapsed.selector);
        channels.finalizeWithdraw(config);
        vm.warp(NOW + DELAY);
        vm.expectEmit(true, true, false, true, CHANNELS);
        emit IVoucherChannels.WithdrawFinalized(channelId, vm.addr(PAYER), 600);
        finalize();
        assertEq(usdc.balanceOf(vm.addr(PAYER)), 600, "received");
        requireState(config, 400, 0);
        requirePending(0, 0);
    }

    /// @dev I7: a voucher signed before the request can be claimed until the withdrawal is final.
    function test_a_claim_during_the_delay_comes_before_the_withdrawal() public {
        initiate(1000);
        vm.warp(NOW + DELAY);
        claim(row(config, 700, 700));
        finalize();
        assertEq(usdc.balanceOf(vm.addr(PAYER)), 300, "received");
        requireState(config, 700, 700);
        channels.settle(vm.addr(RECEIVER), address(usdc));
        assertEq(usdc.balanceOf(CHANNELS), 0, "held");
    }

    function test_a_voucher_claimed_after_the_withdrawal_finds_nothing() public {
        initiate(1000);
        vm.warp(NOW + DELAY);
        vm.expectEmit(true, false, false, true, CHANNELS);
        emit IVoucherChannels.ChannelClosed(channelId, config);
        finalize();
        IVoucherChannels.VoucherClaim memory late = row(config, 700, 700);
        vm.prank(vm.addr(RECEIVER));
        vm.expectRevert(IVoucherChannels.ClaimExceedsBalance.selector);
        channels.claim(rows(late));
    }

    function test_a_withdrawal_of_what_was_claimed_meanwhile_pays_nothing() public {
        initiate(1000);
        claim(row(config, 1000, 1000));
        vm.warp(NOW + DELAY);
        finalize();
        assertEq(usdc.balanceOf(vm.addr(PAYER)), 0, "received");
        requirePending(0, 0);
    }

    function test_only_the_payer_side_withdraws() public {
        vm.expectRevert(IVoucherChannels.InvalidChannel.selector);
        channels.initiateWithdraw(config, 1);
        vm.prank(vm.addr(PAYER_AUTHORIZER));
        channels.initiateWithdraw(config, 1);
        vm.warp(NOW + DELAY);
        vm.expectRevert(IVoucherChannels.NotAuthorizedToFinalizeWithdraw.selector);
        channels.finalizeWithdraw(config);
        vm.prank(vm.addr(PAYER_AUTHORIZER));
        channels.finalizeWithdraw(config);
        assertEq(usdc.balanceOf(vm.addr(PAYER)), 1, "received");
    }

    function test_withdrawals_that_cannot_be_revert() public {
        vm.startPrank(vm.addr(PAYER));
        vm.expectRevert(IVoucherChannels.NothingToWithdraw.selector);
        channels.initiateWithdraw(config, 0);
        vm.expectRevert(IVoucherChannels.WithdrawAmountExceedsAvailable.selector);
        channels.initiateWithdraw(config, 1001);
        vm.expectRevert(IVoucherChannels.WithdrawalNotPending.selector);
        channels.finalizeWithdraw(config);
        channels.initiateWithdraw(config, 1);
        vm.expectRevert(IVoucherChannels.WithdrawalAlreadyPending.selector);
        channels.initiateWithdraw(config, 1);
        vm.stopPrank();
    }

    function test_the_receiver_gives_back_what_is_unclaimed_at_once() public {
        claim(row(config, 300, 300));
        vm.expectEmit(true, true, false, true, CHANNELS);
        emit IVoucherChannels.Refunded(channelId, vm.addr(RECEIVER), 700);
        refund(5000);
        assertEq(usdc.balanceOf(vm.addr(PAYER)), 700, "received");
        requireState(config, 300, 300);
        assertEq(channels.refundNonce(channelId), 1, "nonce");
        refund(1);
        assertEq(channels.refundNonce(channelId), 2, "a refund of nothing left uses a nonce");
    }

    function test_a_refund_of_all_closes_an_unused_channel_and_it_can_be_opened_again() public {
        vm.expectEmit(true, false, false, true, CHANNELS);
        emit IVoucherChannels.ChannelClosed(channelId, config);
        vm.prank(vm.addr(RECEIVER_AUTHORIZER));
        channels.refund(config, 1000);
        usdc.mint(vm.addr(PAYER), 5);
        bytes memory data = collectorData(config, 5);
        vm.expectEmit(true, false, false, true, CHANNELS);
        emit IVoucherChannels.ChannelCreated(channelId, config);
        channels.deposit(config, 5, ERC3009_COLLECTOR, data);
    }

    function test_a_refund_comes_off_a_withdrawal_under_way() public {
        initiate(600);
        refund(200);
        requirePending(400, NOW);
        refund(400);
        requirePending(0, 0);
        requireState(config, 400, 0);
    }

    function test_only_the_receiver_side_refunds_and_not_nothing() public {
        vm.expectRevert(IVoucherChannels.NotAuthorizedToRefund.selector);
        channels.refund(config, 1);
        vm.prank(vm.addr(RECEIVER));
        vm.expectRevert(IVoucherChannels.ZeroRefund.selector);
        channels.refund(config, 0);
    }

    function test_anyone_submits_a_refund_that_the_authorizer_signed_once() public {
        bytes memory signature =
            sign(RECEIVER_AUTHORIZER, channels.getRefundDigest(channelId, 0, 400));
        vm.expectRevert(IVoucherChannels.InvalidRefundNonce.selector);
        channels.refundWithSignature(config, 400, 1, signature);
        vm.expectRevert(IVoucherChannels.InvalidSignature.selector);
        channels.refundWithSignature(config, 401, 0, signature);
        channels.refundWithSignature(config, 400, 0, signature);
        assertEq(usdc.balanceOf(vm.addr(PAYER)), 400, "received");
        vm.expectRevert(IVoucherChannels.InvalidRefundNonce.selector);
        channels.refundWithSignature(config, 400, 0, signature);
    }

    function test_claims_and_a_refund_go_together_as_the_facilitator_sends_them() public {
        IVoucherChannels.VoucherClaim[] memory all = rows(row(config, 300, 300));
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(
            IVoucherChannels.claimWithSignature,
            (all, sign(RECEIVER_AUTHORIZER, channels.getClaimBatchDigest(all)))
        );
        calls[1] = abi.encodeCall(
            IVoucherChannels.refundWithSignature,
            (
                config,
                700,
                0,
                sign(RECEIVER_AUTHORIZER, channels.getRefundDigest(channelId, 0, 700))
            )
        );
        Multicall(CHANNELS).multicall(calls);
        requireState(config, 300, 300);
        assertEq(usdc.balanceOf(vm.addr(PAYER)), 700, "refunded");
    }

    /// @dev Whatever is claimed, refunded and withdrawn, in whatever order: it is what came in.
    function testFuzz_what_comes_in_goes_out(
        uint128 claimed,
        uint128 refunded,
        uint128 withdrawn,
        uint256 order
    ) public {
        initiate(uint128(bound(withdrawn, 1, 1000)));
        vm.warp(NOW + DELAY);
        for (uint256 i = 0; i < 3; ++i) {
            uint256 step = (order % 3 + i) % 3;
            (uint256 balance, uint256 before) = stateOf(config);
            if (step == 0) {
                uint128 amount = uint128(bound(claimed, 0, balance));
                claim(row(config, amount, amount));
            } else if (step == 1) {
                refund(uint128(bound(refunded, 1, 1000)));
            } else {
                (uint256 pending,) = channels.pendingWithdrawals(channelId);
                if (pending != 0) finalize();
            }
            (uint256 left, uint256 total) = stateOf(config);
            assertLe(before, total, "claimed never falls");
            assertLe(total, left, "claimed");
            assertEq(left + usdc.balanceOf(vm.addr(PAYER)), 1000, "all of it");
        }
        channels.settle(vm.addr(RECEIVER), address(usdc));
        (uint256 unclaimed, uint256 paid) = stateOf(config);
        assertEq(usdc.balanceOf(CHANNELS), unclaimed - paid, "held");
    }
}
