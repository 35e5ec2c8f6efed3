// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CallLedger} from "../src/CallLedger.sol";
import {ILedger} from "../src/ILedger.sol";
import {LedgerTest} from "./support/LedgerTest.sol";
import {Wallet} from "./support/Wallet.sol";

contract SetMandateTest is LedgerTest {
    uint256 private constant CURVE_ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function setUp() public override {
        super.setUp();
        registerNext(2);
    }

    function mandateOf(uint256 nonce) private pure returns (ILedger.SpendMandate memory) {
        return ILedger.SpendMandate(ROUTER, 1000, 50, NOW + 100, nonce);
    }

    function refuse(
        uint32 id,
        ILedger.SpendMandate memory mandate,
        bytes memory signature,
        bytes memory reason
    ) private {
        vm.expectRevert(reason);
        ledger.setMandate(id, mandate, signature);
        assertEq(ledger.mandateNonce(id), 0, "nonce");
        assertEq(capOf(id), 0, "cap");
    }

    function refuseSignature(
        uint32 id,
        ILedger.SpendMandate memory mandate,
        bytes memory signature
    ) private {
        refuse(
            id,
            mandate,
            signature,
            abi.encodeWithSelector(ILedger.WrongSignature.selector, id, vm.addr(id))
        );
    }

    function test_a_mandate_sets_cap_price_and_deadline_and_leaves_the_balance() public {
        pay(1, 7);
        bytes memory signature = signMandate(1, mandateOf(0));
        vm.expectEmit(true, false, false, true, address(ledger));
        emit ILedger.MandateSet(1, 1000, 50, NOW + 100, 0);
        ledger.setMandate(1, mandateOf(0), signature);
        (uint256 balance, uint256 cap, uint256 maxPrice, uint256 deadline) = ledger.account(1);
        assertEq(balance, 7, "balance");
        assertEq(cap, 1000, "cap");
        assertEq(maxPrice, 50, "max price");
        assertEq(deadline, NOW + 100, "deadline");
        assertEq(ledger.mandateNonce(1), 1, "nonce");
        assertEq(ledger.mandateNonce(2), 0, "nonce of another");
    }

    function test_the_next_mandate_replaces_the_last() public {
        allow(1, 1000, 50, NOW + 100);
        allow(1, 20, 3, NOW + 5);
        (, uint256 cap, uint256 maxPrice, uint256 deadline) = ledger.account(1);
        assertEq(cap, 20, "cap");
        assertEq(maxPrice, 3, "max price");
        assertEq(deadline, NOW + 5, "deadline");
    }

    function test_a_mandate_is_good_once() public {
        bytes memory signature = signMandate(1, mandateOf(0));
        ledger.setMandate(1, mandateOf(0), signature);
        vm.expectRevert(abi.encodeWithSelector(ILedger.WrongNonce.selector, 0, 1));
        ledger.setMandate(1, mandateOf(0), signature);
    }

    function test_a_later_nonce_must_wait_its_turn() public {
        bytes memory reason = abi.encodeWithSelector(ILedger.WrongNonce.selector, 1, 0);
        refuse(1, mandateOf(1), signMandate(1, mandateOf(1)), reason);
    }

    function test_a_mandate_for_another_router_is_refused() public {
        ILedger.SpendMandate memory mandate = mandateOf(0);
        mandate.router = address(this);
        bytes memory reason =
            abi.encodeWithSelector(ILedger.NotRouter.selector, address(this), ROUTER);
        refuse(1, mandate, signMandate(1, mandate), reason);
    }

    function test_an_expired_mandate_is_refused_and_one_that_expires_now_is_not() public {
        ILedger.SpendMandate memory mandate = mandateOf(0);
        mandate.deadline = NOW - 1;
        bytes memory reason = abi.encodeWithSelector(ILedger.MandateExpired.selector, NOW - 1, NOW);
        refuse(1, mandate, signMandate(1, mandate), reason);
        allow(1, 1, 1, NOW);
        assertEq(capOf(1), 1, "cap");
    }

    function test_fields_fill_their_bits_and_no_more() public {
        (uint256 cap, uint256 most) = (type(uint80).max, type(uint48).max);
        refuseRange(ILedger.SpendMandate(ROUTER, cap + 1, 1, NOW, 0), cap + 1, cap);
        refuseRange(ILedger.SpendMandate(ROUTER, 1, most + 1, NOW, 0), most + 1, most);
        refuseRange(ILedger.SpendMandate(ROUTER, 1, 1, most + 1, 0), most + 1, most);
        pay(1, type(uint80).max);
        allow(1, cap, most, most);
        (uint256 balance, uint256 capFound, uint256 maxPrice, uint256 deadline) = ledger.account(1);
        assertEq(balance, type(uint80).max, "balance");
        assertEq(capFound, cap, "cap");
        assertEq(maxPrice, most, "max price");
        assertEq(deadline, most, "deadline");
    }

    function refuseRange(ILedger.SpendMandate memory mandate, uint256 found, uint256 limit)
        private
    {
        bytes memory reason = abi.encodeWithSelector(ILedger.OutOfRange.selector, found, limit);
        refuse(1, mandate, signMandate(1, mandate), reason);
    }

    function test_an_unknown_account_has_no_mandate() public {
        bytes memory signature = signMandate(3, mandateOf(0));
        refuse(
            3,
            mandateOf(0),
            signature,
            abi.encodeWithSelector(ILedger.UnknownAccount.selector, 3, 2)
        );
    }

    function test_another_signer_is_refused() public {
        refuseSignature(1, mandateOf(0), signMandate(2, mandateOf(0)));
    }

    function test_a_malleated_signature_is_refused() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(1, mandateDigest(mandateOf(0)));
        bytes32 highS = bytes32(CURVE_ORDER - uint256(s));
        refuseSignature(
            1, mandateOf(0), abi.encodePacked(r, highS, v == 27 ? uint8(28) : uint8(27))
        );
    }

    function test_a_signature_of_the_wrong_length_is_refused() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(1, mandateDigest(mandateOf(0)));
        refuseSignature(1, mandateOf(0), "");
        refuseSignature(1, mandateOf(0), abi.encodePacked(r, s));
        refuseSignature(1, mandateOf(0), abi.encodePacked(r, s, v, uint8(0)));
    }

    function test_a_signature_for_another_contract_is_refused() public {
        bytes memory signature = signMandate(1, mandateOf(0));
        ledger = new CallLedger(address(usdc), ROUTER, TREASURY, FEE_BPS, WITHDRAW_DELAY);
        registerNext(2);
        refuseSignature(1, mandateOf(0), signature);
    }

    function test_a_signature_for_another_chain_is_refused() public {
        bytes memory signature = signMandate(1, mandateOf(0));
        vm.chainId(8453);
        refuseSignature(1, mandateOf(0), signature);
        ledger.setMandate(1, mandateOf(0), signMandate(1, mandateOf(0)));
        assertEq(capOf(1), 1000, "cap");
    }

    function test_a_wallet_contract_signs_by_erc1271() public {
        Wallet wallet = new Wallet();
        address[] memory owners = new address[](1);
        owners[0] = address(wallet);
        uint32 id = ledger.register(owners);
        vm.expectRevert(
            abi.encodeWithSelector(ILedger.WrongSignature.selector, id, address(wallet))
        );
        ledger.setMandate(id, mandateOf(0), "");
        wallet.accept(mandateDigest(mandateOf(0)));
        ledger.setMandate(id, mandateOf(0), "");
        assertEq(capOf(id), 1000, "cap");
    }

    function testFuzz_any_mandate_in_range_is_kept_as_signed(
        uint80 cap,
        uint48 maxPrice,
        uint48 deadline
    ) public {
        deadline = uint48(bound(deadline, NOW, type(uint48).max));
        allow(1, cap, maxPrice, deadline);
        (uint256 balance, uint256 capFound, uint256 maxPriceFound, uint256 deadlineFound) =
            ledger.account(1);
        assertEq(balance, 0, "balance");
        assertEq(capFound, cap, "cap");
        assertEq(maxPriceFound, maxPrice, "max price");
        assertEq(deadlineFound, deadline, "deadline");
    }

    function testFuzz_any_changed_field_is_refused(uint256 field, uint48 change) public {
        ILedger.SpendMandate memory mandate = mandateOf(0);
        bytes memory signature = signMandate(1, mandate);
        change = uint48(bound(change, 1, type(uint40).max));
        field = bound(field, 0, 2);
        if (field == 0) mandate.cap += change;
        if (field == 1) mandate.maxPrice += change;
        if (field == 2) mandate.deadline += change;
        refuseSignature(1, mandate, signature);
    }

    function testFuzz_any_changed_byte_of_the_signature_is_refused(uint256 position, uint8 change)
        public
    {
        bytes memory signature = signMandate(1, mandateOf(0));
        position = bound(position, 0, 64);
        signature[position] ^= bytes1(uint8(bound(change, 1, 255)));
        refuseSignature(1, mandateOf(0), signature);
    }
}
