// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {ILedger} from "../src/ILedger.sol";
import {AuthorizationTest} from "./support/AuthorizationTest.sol";

contract DepositWithAuthorizationTest is AuthorizationTest {
    uint256 private constant AGENT = 1;

    function setUp() public override {
        super.setUp();
        registerNext(2);
        usdc.mint(vm.addr(AGENT), 100);
    }

    function authorization() private view returns (Authorization memory) {
        return sixty(vm.addr(AGENT), address(ledger));
    }

    function test_anyone_submits_what_the_owner_signed() public {
        Authorization memory given = authorization();
        vm.expectEmit(true, false, false, true, address(ledger));
        emit ILedger.Deposited(1, 60);
        deposit(1, given, signReceive(AGENT, given));
        assertEq(balanceOf(1), 60, "balance");
        assertEq(usdc.balanceOf(vm.addr(AGENT)), 40, "left");
        assertEq(usdc.balanceOf(address(ledger)), 60, "held");
    }

    function test_an_authorization_is_good_once() public {
        Authorization memory given = authorization();
        Signature memory signed = signReceive(AGENT, given);
        deposit(1, given, signed);
        usdc.mint(vm.addr(AGENT), 100);
        vm.expectRevert(
            abi.encodeWithSelector(
                ERC3009.ERC3009UsedAuthorization.selector, vm.addr(AGENT), given.nonce
            )
        );
        deposit(1, given, signed);
        assertEq(balanceOf(1), 60, "balance");
    }

    function test_nobody_else_can_use_the_signature_at_the_token() public {
        Authorization memory given = authorization();
        Signature memory signed = signReceive(AGENT, given);
        vm.expectRevert();
        receipt(given, signed);
    }

    function test_another_account_cannot_take_the_deposit() public {
        Authorization memory given = authorization();
        Signature memory signed = signReceive(AGENT, given);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        deposit(2, given, signed);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnknownAccount.selector, 3, 2));
        deposit(3, given, signed);
    }

    function test_a_malleated_signature_is_refused() public {
        Authorization memory given = authorization();
        Signature memory signed = malleated(signReceive(AGENT, given));
        vm.expectRevert();
        deposit(1, given, signed);
        assertEq(balanceOf(1), 0, "balance");
    }

    function test_an_authorization_outside_its_time_is_refused() public {
        Authorization memory early = authorization();
        early.validAfter = NOW;
        Authorization memory late = authorization();
        late.validBefore = NOW;
        Signature memory earlySigned = signReceive(AGENT, early);
        Signature memory lateSigned = signReceive(AGENT, late);
        vm.expectRevert();
        deposit(1, early, earlySigned);
        vm.expectRevert();
        deposit(1, late, lateSigned);
    }

    function testFuzz_any_changed_field_is_refused(uint256 field, uint256 change) public {
        Authorization memory given = authorization();
        Signature memory signed = signReceive(AGENT, given);
        change = bound(change, 1, 30);
        field = bound(field, 0, 4);
        if (field == 0) given.value -= change;
        if (field == 1) given.validAfter -= change;
        if (field == 2) given.validBefore += change;
        if (field == 3) given.nonce = bytes32(uint256(given.nonce) ^ change);
        if (field == 4) signed.r = bytes32(uint256(signed.r) ^ change);
        vm.expectRevert();
        deposit(1, given, signed);
        assertEq(balanceOf(1), 0, "balance");
    }
}
