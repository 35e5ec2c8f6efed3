// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {USDC} from "../src/USDC.sol";
import {IVoucherChannels} from "../src/x402/IVoucherChannels.sol";
import {ChannelHandler} from "./support/ChannelHandler.sol";
import {InvariantTest} from "./support/InvariantTest.sol";

/// @title What holds after any sequence of deposits, claims, refunds and withdrawals.
contract ChannelInvariantsTest is InvariantTest {
    ChannelHandler private handler;
    USDC private usdc;
    IVoucherChannels private channels;

    function setUp() public {
        handler = new ChannelHandler();
        (usdc, channels) = handler.parts();
        bytes4[] memory selectors = new bytes4[](6);
        selectors[0] = ChannelHandler.pay.selector;
        selectors[1] = ChannelHandler.claimVoucher.selector;
        selectors[2] = ChannelHandler.settle.selector;
        selectors[3] = ChannelHandler.refund.selector;
        selectors[4] = ChannelHandler.initiate.selector;
        selectors[5] = ChannelHandler.finalize.selector;
        drive(address(handler), selectors);
    }

    function invariant_I1_the_tokens_held_are_what_is_unclaimed_and_what_is_unsettled()
        public
        view
    {
        address receiver = handler.configOf(0).receiver;
        (uint256 claimed, uint256 settled) = channels.receivers(receiver, address(usdc));
        uint256 owed = claimed - settled;
        uint256 allClaimed = 0;
        for (uint256 i = 0; i < handler.COUNT(); ++i) {
            (uint256 balance, uint256 total) = channels.channels(idOf(i));
            owed += balance - total;
            allClaimed += total;
        }
        assertEq(usdc.balanceOf(address(channels)), owed, "held");
        assertEq(claimed, allClaimed, "claimed");
        uint256 out = usdc.balanceOf(receiver) + usdc.balanceOf(handler.configOf(0).payer);
        assertEq(owed + out, handler.paidIn(), "all of it");
    }

    function invariant_I2_no_more_is_claimed_than_was_signed_for() public view {
        for (uint256 i = 0; i < handler.COUNT(); ++i) {
            (, uint256 total) = channels.channels(idOf(i));
            assertLe(total, handler.signed(i), "claimed");
        }
    }

    function invariant_I6_claimed_never_falls_and_is_at_most_the_balance() public view {
        for (uint256 i = 0; i < handler.COUNT(); ++i) {
            (uint256 balance, uint256 total) = channels.channels(idOf(i));
            assertEq(total, handler.claimedSeen(i), "claimed");
            assertLe(total, balance, "balance");
        }
    }

    function idOf(uint256 channel) private view returns (bytes32) {
        return channels.getChannelId(handler.configOf(channel));
    }
}
