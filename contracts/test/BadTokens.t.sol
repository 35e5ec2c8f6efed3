// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {CallLedger} from "../src/CallLedger.sol";
import {ILedger} from "../src/ILedger.sol";
import {LedgerTest} from "./support/LedgerTest.sol";
import {FalseToken, FeeToken, ReentrantToken, SpoiltToken} from "./support/Tokens.sol";

contract BadTokensTest is LedgerTest {
    uint32 private agent;
    uint32 private model;

    function use(SpoiltToken token) private {
        ledger = new CallLedger(address(token), ROUTER, TREASURY, FEE_BPS, WITHDRAW_DELAY);
        agent = registerNext(2);
        model = agent + 1;
        token.mint(address(this), 1000);
        token.mint(vm.addr(agent), 1000);
        token.approve(address(ledger), type(uint256).max);
    }

    function refuseDeposits(uint256 found, uint256 needed) private {
        bytes memory reason = abi.encodeWithSelector(ILedger.WrongTransfer.selector, found, needed);
        vm.expectRevert(reason);
        ledger.deposit(agent, needed);
        vm.expectRevert(reason);
        ledger.depositWithAuthorization(agent, needed, 0, 0, 0, 0, 0, 0);
        assertEq(balanceOf(agent), 0, "balance");
    }

    function test_a_token_that_keeps_a_part_is_refused() public {
        use(new FeeToken());
        refuseDeposits(99, 100);
    }

    function test_a_token_that_silently_moves_nothing_is_refused() public {
        FalseToken token = new FalseToken();
        use(token);
        token.beSilent();
        refuseDeposits(0, 100);
    }

    function test_a_token_that_says_false_is_refused() public {
        FalseToken token = new FalseToken();
        use(token);
        bytes memory reason =
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token));
        vm.expectRevert(reason);
        ledger.deposit(agent, 100);
        vm.expectRevert(reason);
        ledger.claim(model);
        vm.expectRevert(reason);
        ledger.claimFees();
    }

    function test_a_token_that_calls_back_gets_in_nowhere() public {
        ReentrantToken token = new ReentrantToken();
        use(token);
        ledger.deposit(agent, 500);
        allow(agent, 500, 500, NOW);
        settleOne(agent, model, 100, 100);
        bytes[5] memory attacks = [
            abi.encodeCall(ILedger.claim, (model)),
            abi.encodeCall(ILedger.claimFees, ()),
            abi.encodeCall(ILedger.deposit, (agent, 1)),
            abi.encodeCall(ILedger.depositWithAuthorization, (agent, 1, 0, 0, 0, 0, 0, 0)),
            abi.encodeCall(ILedger.executeWithdraw, (agent))
        ];
        for (uint256 i = 0; i < attacks.length; ++i) {
            token.attack(address(ledger), attacks[i]);
            refuseEveryVerb();
        }
        token.attack(address(0), "");
        assertEq(ledger.claim(model), 98, "paid");
        assertEq(balanceOf(agent), 400, "balance");
    }

    function refuseEveryVerb() private {
        vm.prank(vm.addr(agent));
        ledger.requestWithdraw(agent, 1);
        vm.warp(block.timestamp + 4 hours);
        bytes4 reason = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        vm.expectRevert(reason);
        ledger.claim(model);
        vm.expectRevert(reason);
        ledger.claimFees();
        vm.expectRevert(reason);
        ledger.deposit(agent, 1);
        vm.expectRevert(reason);
        ledger.depositWithAuthorization(agent, 1, 0, 0, 0, 0, 0, 0);
        vm.expectRevert(reason);
        ledger.executeWithdraw(agent);
    }
}
