// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EpochRoot} from "../src/EpochRoot.sol";
import {USDC} from "../src/USDC.sol";
import {EpochHandler} from "./support/EpochHandler.sol";
import {InvariantTest} from "./support/InvariantTest.sol";

/// @title What holds after any sequence of deposits, mandates, epochs, claims and withdrawals.
contract EpochInvariantsTest is InvariantTest {
    EpochHandler private handler;
    USDC private usdc;
    EpochRoot private epochs;

    function setUp() public {
        handler = new EpochHandler();
        (usdc, epochs) = handler.parts();
        bytes4[] memory selectors = new bytes4[](6);
        selectors[0] = EpochHandler.deposit.selector;
        selectors[1] = EpochHandler.setMandate.selector;
        selectors[2] = EpochHandler.settleEpoch.selector;
        selectors[3] = EpochHandler.claim.selector;
        selectors[4] = EpochHandler.claimFees.selector;
        selectors[5] = EpochHandler.withdraw.selector;
        drive(address(handler), selectors);
    }

    function invariant_I1_the_tokens_held_are_what_is_owed_to_agents_models_and_treasury()
        public
        view
    {
        uint256 owed = epochs.fees() - epochs.feesClaimed();
        for (uint32 id = 1; id <= handler.ACCOUNTS(); ++id) {
            (uint256 balance,,,) = epochs.account(id);
            (uint256 earned, uint256 claimed) = epochs.earnings(id);
            owed += balance + earned - claimed;
        }
        assertEq(usdc.balanceOf(address(epochs)), owed, "held");
        assertEq(owed, handler.deposited() - handler.paidOut(), "deposited less paid out");
    }

    function invariant_I2_no_agent_spends_more_than_its_cap() public view {
        for (uint32 id = 1; id <= handler.ACCOUNTS(); ++id) {
            (, uint256 cap,,) = epochs.account(id);
            assertEq(cap, handler.capLeft(id), "left");
        }
    }

    function invariant_I4_debits_are_credits_and_fees() public view {
        uint256 earned = epochs.fees();
        for (uint32 id = 1; id <= handler.ACCOUNTS(); ++id) {
            (uint256 part,) = epochs.earnings(id);
            earned += part;
        }
        assertEq(earned, handler.debited(), "earned");
        assertEq(epochs.fees(), handler.debited() - handler.credited(), "fees");
    }

    function invariant_I3_I5_calls_are_contiguous_and_a_root_once_kept_stays() public view {
        assertEq(epochs.callCount(), handler.calls(), "calls");
        assertEq(epochs.batchCount(), handler.rootCount(), "epochs");
        for (uint256 batchId = 0; batchId < handler.rootCount(); ++batchId) {
            assertEq(epochs.rootOf(batchId), handler.roots(batchId), "root");
        }
    }
}
