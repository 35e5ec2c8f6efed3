// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EpochRoot} from "../src/EpochRoot.sol";
import {ILedger} from "../src/ILedger.sol";
import {EpochTest} from "./support/EpochTest.sol";

contract EpochRootTest is EpochTest {
    function test_an_epoch_moves_debits_to_credits_and_fees_and_keeps_its_root() public {
        EpochRoot.Epoch memory epoch = newEpoch(3, 1000, 981);
        vm.expectEmit(true, false, false, true, address(roots));
        emit ILedger.BatchSettled(0, 0, 3, epoch.root, 1000, 19);
        settle(epoch);
        (uint256 balance, uint256 cap,,) = roots.account(AGENT);
        (uint256 earned,) = roots.earnings(MODEL);
        assertEq(balance, 9000, "balance");
        assertEq(cap, 4000, "cap");
        assertEq(earned, 981, "earned");
        assertEq(roots.fees(), 19, "fees");
        assertEq(roots.callCount(), 3, "calls");
        assertEq(roots.batchCount(), 1, "epochs");
        assertEq(roots.rootOf(0), epoch.root, "root");
        assertEq(roots.claim(MODEL), 981, "claimed");
        assertEq(roots.claimFees(), 19, "fees claimed");
    }

    function test_the_delay_of_withdrawals_is_what_it_was_deployed_with() public {
        assertEq(roots.withdrawDelay(), 4 hours, "delay");
        roots = new EpochRoot(address(usdc), ROUTER, TREASURY, FEE_BPS, 7);
        assertEq(roots.withdrawDelay(), 7, "another delay");
        uint256 most = type(uint48).max;
        vm.expectRevert(abi.encodeWithSelector(ILedger.OutOfRange.selector, most + 1, most));
        new EpochRoot(address(usdc), ROUTER, TREASURY, FEE_BPS, most + 1);
    }

    function test_only_the_router_settles() public {
        vm.expectRevert(abi.encodeWithSelector(ILedger.NotRouter.selector, address(this), ROUTER));
        roots.settleEpoch(newEpoch(3, 1000, 981));
    }

    function refuse(EpochRoot.Epoch memory epoch, bytes memory reason) private {
        vm.prank(ROUTER);
        vm.expectRevert(reason);
        roots.settleEpoch(epoch);
    }

    function test_an_epoch_sent_twice_settles_once() public {
        EpochRoot.Epoch memory epoch = newEpoch(3, 1000, 980);
        settle(epoch);
        refuse(epoch, abi.encodeWithSelector(ILedger.WrongFirst.selector, 0, 3));
    }

    function test_an_epoch_without_calls_or_with_too_many_reverts() public {
        refuse(newEpoch(0, 0, 0), abi.encodeWithSelector(EpochRoot.NoCalls.selector));
        uint256 most = type(uint64).max;
        refuse(
            newEpoch(most + 1, 0, 0),
            abi.encodeWithSelector(ILedger.OutOfRange.selector, most + 1, most)
        );
    }

    function test_no_agent_is_debited_more_than_its_mandate_and_balance() public {
        refuse(
            newEpoch(1, 5001, 4901),
            abi.encodeWithSelector(EpochRoot.Overdraft.selector, AGENT, 5001, 5000)
        );
        vm.warp(NOW + 1 days + 1);
        refuse(
            newEpoch(1, 1, 1), abi.encodeWithSelector(EpochRoot.Overdraft.selector, AGENT, 1, 0)
        );
    }

    function test_fees_are_rounded_down_by_less_than_one_unit_per_call() public {
        uint256[4] memory credits = [uint256(979), 983, 984, 1001];
        for (uint256 i = 0; i < credits.length; ++i) {
            uint256 fee = credits[i] > 1000 ? 0 : 1000 - credits[i];
            refuse(
                newEpoch(3, 1000, credits[i]),
                abi.encodeWithSelector(EpochRoot.WrongFees.selector, fee, 20)
            );
        }
        settle(newEpoch(3, 1000, 980));
        EpochRoot.Epoch memory epoch = newEpoch(3, 1000, 982);
        epoch.first = 3;
        settle(epoch);
        assertEq(roots.fees(), 38, "fees");
    }

    function test_lists_that_do_not_match_revert() public {
        EpochRoot.Epoch memory epoch = newEpoch(1, 0, 0);
        epoch.debits = new uint256[](2);
        refuse(epoch, abi.encodeWithSelector(EpochRoot.WrongLength.selector, 2, 1));
        epoch = newEpoch(1, 0, 0);
        epoch.credits = new uint256[](0);
        refuse(epoch, abi.encodeWithSelector(EpochRoot.WrongLength.selector, 0, 1));
    }

    function test_credits_go_to_known_accounts_and_fit() public {
        EpochRoot.Epoch memory epoch = newEpoch(1, 0, 0);
        epoch.models[0] = 9;
        refuse(epoch, abi.encodeWithSelector(ILedger.UnknownAccount.selector, 9, 2));
        epoch.models[0] = 0;
        refuse(epoch, abi.encodeWithSelector(ILedger.UnknownAccount.selector, 0, 2));
        uint256 most = type(uint112).max;
        refuse(
            newEpoch(1, 0, most + 1),
            abi.encodeWithSelector(ILedger.OutOfRange.selector, most + 1, most)
        );
    }

    function test_the_same_account_twice_is_debited_twice_and_no_more_than_it_has() public {
        EpochRoot.Epoch memory epoch = newEpoch(1, 3000, 5880);
        epoch.agents = new uint32[](2);
        epoch.debits = new uint256[](2);
        (epoch.agents[0], epoch.agents[1]) = (AGENT, AGENT);
        (epoch.debits[0], epoch.debits[1]) = (3000, 3000);
        refuse(epoch, abi.encodeWithSelector(EpochRoot.Overdraft.selector, AGENT, 3000, 2000));
    }

    function testFuzz_debits_are_credits_and_fees_whatever_the_calls(uint48[8] memory charges)
        public
    {
        uint256 fees = 0;
        uint256 total = 0;
        for (uint256 i = 0; i < charges.length; ++i) {
            uint256 charge = bound(charges[i], 0, 600);
            fees += charge * FEE_BPS / 10_000;
            total += charge;
        }
        settle(newEpoch(charges.length, total, total - fees));
        (uint256 balance,,,) = roots.account(AGENT);
        (uint256 earned,) = roots.earnings(MODEL);
        assertEq(balance + earned + roots.fees(), 10_000, "all of it");
        assertEq(roots.fees(), fees, "fees");
    }
}
