// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {USDC} from "../src/USDC.sol";
import {AuthorizationTest} from "./support/AuthorizationTest.sol";

contract USDCTest is AuthorizationTest {
    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );
    address private constant PAYEE = address(0xBEEF);

    function setUp() public override {
        super.setUp();
        usdc.mint(vm.addr(1), 100);
    }

    function authorization(address to) private pure returns (Authorization memory) {
        return sixty(vm.addr(1), to);
    }

    function permit(uint256 key, uint256 value, uint256 deadline)
        private
        view
        returns (Signature memory signed)
    {
        bytes32 message = keccak256(
            abi.encode(
                PERMIT_TYPEHASH, vm.addr(1), PAYEE, value, usdc.nonces(vm.addr(1)), deadline
            )
        );
        (signed.v, signed.r, signed.s) =
            vm.sign(key, digest(domainSeparator("USDC", "2", address(usdc)), message));
    }

    function test_it_is_a_dollar_of_six_decimals() public view {
        assertEq(usdc.symbol(), "USDC", "symbol");
        assertEq(usdc.name(), "USD Coin", "name");
        assertEq(usdc.decimals(), 6, "decimals");
        assertEq(usdc.totalSupply(), 100, "supply");
    }

    function test_the_domain_is_the_one_its_deployer_names() public {
        (, string memory name, string memory version, uint256 chainId, address verifier,,) =
            usdc.eip712Domain();
        assertEq(name, "USDC", "name");
        assertEq(version, "2", "version");
        assertEq(chainId, block.chainid, "chain");
        assertEq(verifier, address(usdc), "verifier");
        assertEq(usdc.DOMAIN_SEPARATOR(), domainSeparator("USDC", "2", address(usdc)), "separator");
        USDC other = new USDC("Coin", "9");
        assertEq(
            other.DOMAIN_SEPARATOR(),
            domainSeparator("Coin", "9", address(other)),
            "separator of another"
        );
    }

    function test_only_the_deployer_mints() public {
        assertEq(usdc.minter(), address(this), "minter");
        vm.expectRevert(abi.encodeWithSelector(USDC.NotMinter.selector, PAYEE, address(this)));
        vm.prank(PAYEE);
        usdc.mint(PAYEE, 1);
    }

    /// @dev The selectors that x402 clients and facilitators call; Circle's USDC has the same.
    function test_the_selectors_are_circles() public view {
        bytes4 transferSelector = usdc.transferWithAuthorization.selector;
        bytes4 receiveSelector = usdc.receiveWithAuthorization.selector;
        assertEq(
            bytes32(transferSelector), bytes32(bytes4(0xe3ee160e)), "transferWithAuthorization"
        );
        assertEq(bytes32(receiveSelector), bytes32(bytes4(0xef55bec6)), "receiveWithAuthorization");
        assertEq(
            bytes32(usdc.authorizationState.selector),
            bytes32(bytes4(0xe94a0102)),
            "authorizationState"
        );
        assertEq(bytes32(usdc.permit.selector), bytes32(bytes4(0xd505accf)), "permit");
    }

    function test_anyone_submits_a_signed_transfer_once() public {
        Authorization memory given = authorization(PAYEE);
        Signature memory signed = signTransfer(1, given);
        transfer(given, signed);
        assertEq(usdc.balanceOf(PAYEE), 60, "received");
        assertTrue(usdc.authorizationState(vm.addr(1), given.nonce), "used");
        vm.expectRevert(
            abi.encodeWithSelector(
                ERC3009.ERC3009UsedAuthorization.selector, vm.addr(1), given.nonce
            )
        );
        transfer(given, signed);
    }

    function test_a_signed_receipt_is_its_payees_to_submit() public {
        Authorization memory given = authorization(PAYEE);
        Signature memory signed = signReceive(1, given);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, PAYEE));
        receipt(given, signed);
        vm.prank(PAYEE);
        receipt(given, signed);
        assertEq(usdc.balanceOf(PAYEE), 60, "received");
    }

    function test_a_signature_for_one_verb_is_no_good_for_the_other() public {
        Authorization memory given = authorization(PAYEE);
        Signature memory signed = signReceive(1, given);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        transfer(given, signed);
    }

    function test_a_signature_under_another_domain_is_refused() public {
        Authorization memory given = authorization(PAYEE);
        refuse(given, domainSeparator("USDC", "1", address(usdc)));
        refuse(given, domainSeparator("USD Coin", "2", address(usdc)));
        refuse(given, domainSeparator("USDC", "2", address(ledger)));
        bytes32 thisChain = domainSeparator("USDC", "2", address(usdc));
        vm.chainId(1);
        refuse(given, thisChain);
    }

    function refuse(Authorization memory given, bytes32 domain) private {
        Signature memory signed = signAuthorization(1, given, "Transfer", domain);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        transfer(given, signed);
    }

    function test_a_malleated_signature_is_refused() public {
        Authorization memory given = authorization(PAYEE);
        Signature memory signed = malleated(signTransfer(1, given));
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, signed.s));
        transfer(given, signed);
    }

    function test_a_permit_approves_once() public {
        Signature memory signed = permit(1, 40, NOW);
        usdc.permit(vm.addr(1), PAYEE, 40, NOW, signed.v, signed.r, signed.s);
        assertEq(usdc.allowance(vm.addr(1), PAYEE), 40, "allowance");
        assertEq(usdc.nonces(vm.addr(1)), 1, "nonce");
        vm.expectRevert();
        usdc.permit(vm.addr(1), PAYEE, 40, NOW, signed.v, signed.r, signed.s);
    }

    function test_an_expired_permit_is_refused() public {
        Signature memory signed = permit(1, 40, NOW - 1);
        vm.expectRevert(abi.encodeWithSelector(USDC.PermitExpired.selector, NOW - 1, NOW));
        usdc.permit(vm.addr(1), PAYEE, 40, NOW - 1, signed.v, signed.r, signed.s);
    }

    function test_a_permit_by_another_signer_is_refused() public {
        Signature memory signed = permit(2, 40, NOW);
        vm.expectRevert(abi.encodeWithSelector(USDC.PermitSigner.selector, vm.addr(2), vm.addr(1)));
        usdc.permit(vm.addr(1), PAYEE, 40, NOW, signed.v, signed.r, signed.s);
    }

    function testFuzz_transfers_keep_the_supply(uint256 value) public {
        Authorization memory given = authorization(PAYEE);
        given.value = bound(value, 0, 100);
        transfer(given, signTransfer(1, given));
        assertEq(usdc.balanceOf(PAYEE), given.value, "received");
        assertEq(usdc.balanceOf(PAYEE) + usdc.balanceOf(vm.addr(1)), usdc.totalSupply(), "supply");
    }
}
