// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILedger} from "../src/ILedger.sol";
import {AuthorizationTest} from "./support/AuthorizationTest.sol";
import {Calls} from "./support/Call.sol";

/// @title One line of gas per verb: each account used before, so that no slot is written for the
/// first time.
contract GasVerbsTest is AuthorizationTest {
    uint32 private agent;
    uint32 private model;
    address[] private owners;
    ILedger.SpendMandate private mandate;
    bytes private signature;
    bytes private record;
    uint32 private other;
    Authorization private given;
    Signature private signed;

    function setUp() public override {
        super.setUp();
        agent = newAgent(1000, 1000, 1000);
        model = newModel();
        settleOne(agent, model, 500, 500);
        ledger.claim(model);
        ledger.claimFees();
        settleOne(agent, model, 100, 100);
        record = Calls.encode(one(newCall(0, 0, 100, 100)));
        other = newAgent(1000, 1000, 1000);
        vm.prank(vm.addr(other));
        ledger.requestWithdraw(other, 500);
        vm.warp(NOW + 4 hours);
        usdc.mint(vm.addr(other), 1);
        owners.push(address(0xF00D));
        mandate = ILedger.SpendMandate(ROUTER, 2000, 500, NOW + 2 days, ledger.mandateNonce(agent));
        signature = signMandate(agent, mandate);
        usdc.mint(vm.addr(agent), 1000);
        given = Authorization(
            vm.addr(agent), address(ledger), 60, NOW - 1, NOW + 1 days, keccak256("once")
        );
        signed = signReceive(agent, given);
        usdc.mint(address(this), 1000);
        usdc.approve(address(ledger), 1000);
    }

    function test_gas_of_register() public {
        ledger.register(owners);
    }

    function test_gas_of_deposit() public {
        ledger.deposit(agent, 60);
    }

    function test_gas_of_depositWithAuthorization() public {
        ledger.depositWithAuthorization(
            agent,
            given.value,
            given.validAfter,
            given.validBefore,
            given.nonce,
            signed.v,
            signed.r,
            signed.s
        );
    }

    function test_gas_of_setMandate() public {
        ledger.setMandate(agent, mandate, signature);
    }

    function test_gas_of_settleBatch_of_one() public {
        settleOne(agent, model, 100, 100);
    }

    function test_gas_of_deduct() public {
        vm.prank(ROUTER);
        ledger.deduct(2, agent, model, record);
    }

    function test_gas_of_requestWithdraw() public {
        vm.prank(vm.addr(agent));
        ledger.requestWithdraw(agent, 100);
    }

    function test_gas_of_executeWithdraw() public {
        ledger.executeWithdraw(other);
    }

    function test_gas_of_claim() public {
        ledger.claim(model);
    }

    function test_gas_of_claimFees() public {
        ledger.claimFees();
    }
}
