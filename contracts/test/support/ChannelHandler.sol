// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {USDC} from "../../src/USDC.sol";
import {IVoucherChannels} from "../../src/x402/IVoucherChannels.sol";
import {ChannelTest} from "./ChannelTest.sol";

/// @title Everything that can be done to channels, in any order, and what must then have come of
/// it.
contract ChannelHandler is ChannelTest {
    uint256 public constant COUNT = 3;

    /// @dev By channel: the highest voucher signed, and the highest claim seen.
    mapping(uint256 channel => uint128) public signed;
    mapping(uint256 channel => uint256) public claimedSeen;
    mapping(uint256 channel => uint256) private requestedAt;
    uint256 public paidIn;

    constructor() {
        setUp();
    }

    function parts() external view returns (USDC, IVoucherChannels) {
        return (usdc, channels);
    }

    function configOf(uint256 channel)
        public
        view
        returns (IVoucherChannels.ChannelConfig memory)
    {
        return newConfig(channel);
    }

    function pay(uint256 channel, uint128 amount) external {
        amount = uint128(bound(amount, 1, 1e6));
        deposit(configOf(channel % COUNT), amount);
        paidIn += amount;
    }

    /// @dev A voucher of any height, old ones too, claimed as far as the channel has it.
    function claimVoucher(uint256 channel, uint128 most, uint128 claimed) external {
        channel = channel % COUNT;
        (uint256 balance, uint256 before) = stateOf(configOf(channel));
        most = uint128(bound(most, 0, balance));
        claimed = uint128(bound(claimed, 0, most));
        if (most > signed[channel]) signed[channel] = most;
        claim(row(configOf(channel), most, claimed));
        (, uint256 now_) = stateOf(configOf(channel));
        assertEq(now_, claimed > before ? claimed : before, "claimed");
        claimedSeen[channel] = now_;
    }

    function settle() external {
        channels.settle(vm.addr(RECEIVER), address(usdc));
    }

    function refund(uint256 channel, uint128 amount) external {
        vm.prank(vm.addr(RECEIVER));
        channels.refund(configOf(channel % COUNT), uint128(bound(amount, 1, 1e6)));
    }

    function initiate(uint256 channel, uint128 amount) external {
        channel = channel % COUNT;
        (uint256 balance, uint256 claimed) = stateOf(configOf(channel));
        bytes32 channelId = channels.getChannelId(configOf(channel));
        (, uint256 initiatedAt) = channels.pendingWithdrawals(channelId);
        if (balance == claimed || initiatedAt != 0) return;
        requestedAt[channel] = block.timestamp;
        vm.prank(vm.addr(PAYER));
        channels.initiateWithdraw(configOf(channel), uint128(bound(amount, 1, balance - claimed)));
    }

    /// @dev I7: not before its time.
    function finalize(uint256 channel) external {
        channel = channel % COUNT;
        bytes32 channelId = channels.getChannelId(configOf(channel));
        (, uint256 initiatedAt) = channels.pendingWithdrawals(channelId);
        if (initiatedAt == 0) return;
        if (block.timestamp < requestedAt[channel] + DELAY) {
            vm.prank(vm.addr(PAYER));
            vm.expectRevert(IVoucherChannels.WithdrawDelayNotElapsed.selector);
            channels.finalizeWithdraw(configOf(channel));
            vm.warp(requestedAt[channel] + DELAY);
        }
        vm.prank(vm.addr(PAYER));
        channels.finalizeWithdraw(configOf(channel));
    }
}
