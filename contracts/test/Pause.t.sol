// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {LedgerTest} from "./support/LedgerTest.sol";

contract PauseTest is LedgerTest {
    uint32 private agent;

    function setUp() public override {
        super.setUp();
        agent = newAgent(1000, 1000, 1000);
    }

    function test_while_paused_nobody_deposits() public {
        ledger.pause();
        assertTrue(ledger.paused(), "paused");
        vm.expectRevert(Pausable.EnforcedPause.selector);
        ledger.deposit(agent, 1);
        vm.expectRevert(Pausable.EnforcedPause.selector);
        ledger.depositWithAuthorization(agent, 1, 0, 0, 0, 0, 0, 0);
        ledger.unpause();
        pay(agent, 1);
        assertEq(balanceOf(agent), 1001, "balance");
    }

    function test_a_pause_stops_nothing_else() public {
        uint32 model = newModel();
        ledger.pause();
        settleOne(agent, model, 100, 100);
        assertEq(ledger.claim(model), 98, "claimed");
        assertEq(ledger.claimFees(), 2, "fees");
        allow(agent, 50, 50, NOW + 1 days);
        vm.prank(vm.addr(agent));
        ledger.requestWithdraw(agent, 900);
        vm.warp(NOW + 4 hours);
        assertEq(ledger.executeWithdraw(agent), 900, "withdrawn");
        assertEq(registerNext(1), 3, "registered");
    }

    function test_only_the_owner_pauses() public {
        assertEq(ledger.owner(), address(this), "owner");
        bytes memory reason =
            abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ROUTER);
        vm.prank(ROUTER);
        vm.expectRevert(reason);
        ledger.pause();
        ledger.pause();
        vm.prank(ROUTER);
        vm.expectRevert(reason);
        ledger.unpause();
    }
}
