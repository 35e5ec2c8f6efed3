// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Handler} from "./support/Handler.sol";
import {InvariantTest} from "./support/InvariantTest.sol";
import {LedgerTest} from "./support/LedgerTest.sol";

/// @title What holds after any sequence of deposits, mandates, batches and claims (SETTLEMENT's
/// invariants I1 to I7).
contract InvariantsTest is LedgerTest, InvariantTest {
    Handler private handler;

    function setUp() public override {
        handler = new Handler();
        (usdc, ledger) = handler.parts();
        bytes4[] memory selectors = new bytes4[](12);
        selectors[0] = Handler.register.selector;
        selectors[1] = Handler.deposit.selector;
        selectors[2] = Handler.depositWithAuthorization.selector;
        selectors[3] = Handler.setMandate.selector;
        selectors[4] = Handler.settleBatch.selector;
        selectors[5] = Handler.claim.selector;
        selectors[6] = Handler.claimFees.selector;
        selectors[7] = Handler.wait.selector;
        selectors[8] = Handler.deduct.selector;
        selectors[9] = Handler.requestWithdraw.selector;
        selectors[10] = Handler.executeWithdraw.selector;
        selectors[11] = Handler.pause.selector;
        drive(address(handler), selectors);
    }

    function invariant_I1_the_tokens_held_are_what_is_owed_to_agents_models_and_treasury()
        public
        view
    {
        uint256 owed = ledger.fees() - ledger.feesClaimed();
        for (uint32 id = 1; id <= ledger.accountCount(); ++id) {
            (uint256 earned, uint256 claimed) = ledger.earnings(id);
            owed += balanceOf(id) + earned - claimed;
        }
        assertEq(usdc.balanceOf(address(ledger)), owed, "held");
        assertEq(owed, handler.deposited() - handler.paidOut(), "deposited less paid out");
    }

    /// @dev That nothing leaves before its time and everything is payable until then, the handler
    /// holds at each step.
    function invariant_I7_what_is_under_withdrawal_is_still_in_the_balance() public view {
        for (uint32 id = 1; id <= ledger.accountCount(); ++id) {
            (uint256 requested,) = ledger.withdrawal(id);
            uint256 left = balanceOf(id) < requested ? 0 : balanceOf(id) - requested;
            assertEq(ledger.effectiveBalance(id), left, "effective balance");
        }
    }

    function invariant_I2_no_agent_spends_more_than_its_cap() public view {
        for (uint32 id = 1; id <= ledger.accountCount(); ++id) {
            assertLe(handler.spentOfCap(id), handler.capSigned(id), "spent");
            assertEq(capOf(id), handler.capSigned(id) - handler.spentOfCap(id), "left");
        }
    }

    function invariant_I3_ids_are_contiguous() public view {
        assertEq(ledger.callCount(), handler.calls(), "calls");
        assertEq(ledger.batchCount(), handler.batches(), "batches");
        for (uint32 id = 1; id <= ledger.accountCount(); ++id) {
            assertEq(ledger.idOf(ledger.ownerOf(id)), id, "id");
        }
    }

    function invariant_I5_a_root_once_kept_stays() public view {
        for (uint256 batchId = 0; batchId < ledger.batchCount(); ++batchId) {
            assertEq(ledger.rootOf(batchId), handler.roots(batchId), "root");
        }
        assertEq(ledger.rootOf(ledger.batchCount()), 0, "root of the next");
    }

    function invariant_I6_claimed_is_at_most_earned_and_never_falls() public view {
        for (uint32 id = 1; id <= ledger.accountCount(); ++id) {
            (uint256 earned, uint256 claimed) = ledger.earnings(id);
            assertLe(claimed, earned, "claimed");
            assertEq(claimed, handler.claimedSeen(id), "claimed seen");
        }
        assertLe(ledger.feesClaimed(), ledger.fees(), "fees claimed");
    }
}
