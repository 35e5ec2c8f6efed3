// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CallHub} from "../src/CallHub.sol";
import {USDC} from "../src/USDC.sol";
import {HubHandler} from "./support/HubHandler.sol";
import {InvariantTest} from "./support/InvariantTest.sol";

/// @title What holds after any sequence of payments, splits and claims.
contract HubInvariantsTest is InvariantTest {
    HubHandler private handler;
    USDC private usdc;
    CallHub private hub;

    function setUp() public {
        handler = new HubHandler();
        (usdc, hub) = handler.parts();
        bytes4[] memory selectors = new bytes4[](4);
        selectors[0] = HubHandler.pay.selector;
        selectors[1] = HubHandler.split.selector;
        selectors[2] = HubHandler.claim.selector;
        selectors[3] = HubHandler.claimFees.selector;
        drive(address(handler), selectors);
    }

    function invariant_I1_the_tokens_held_are_what_is_unsplit_and_what_is_unclaimed() public view {
        uint256 owed = hub.fees() - hub.feesClaimed();
        uint256 earned = hub.fees();
        for (uint256 i = 0; i < handler.MODELS(); ++i) {
            (uint256 part, uint256 claimed) = hub.earnings(handler.model(i));
            owed += part - claimed;
            earned += part;
        }
        assertEq(usdc.balanceOf(address(hub)), hub.unsplit() + owed, "held");
        assertEq(hub.unsplit(), handler.paidIn() - handler.charged(), "unsplit");
        assertEq(earned, handler.charged(), "I4: charges are earnings and fees");
    }

    function invariant_I3_calls_are_split_once() public view {
        assertEq(hub.callCount(), handler.calls(), "calls");
    }

    function invariant_I6_claimed_is_at_most_earned_and_never_falls() public view {
        for (uint256 i = 0; i < handler.MODELS(); ++i) {
            (uint256 earned, uint256 claimed) = hub.earnings(handler.model(i));
            assertLe(claimed, earned, "claimed");
            assertEq(claimed, handler.claimedSeen(i), "claimed seen");
        }
    }
}
