// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVoucherChannels} from "../src/x402/IVoucherChannels.sol";
import {ChannelTest} from "./support/ChannelTest.sol";
import {Wallet} from "./support/Wallet.sol";

contract ChannelClaimsTest is ChannelTest {
    IVoucherChannels.ChannelConfig private config;

    function setUp() public override {
        super.setUp();
        config = newConfig(1);
        deposit(config, 1000);
    }

    function refuse(IVoucherChannels.VoucherClaim memory only, bytes4 reason) private {
        vm.prank(vm.addr(RECEIVER));
        vm.expectRevert(reason);
        channels.claim(rows(only));
    }

    function test_a_claim_gives_the_receiver_what_the_voucher_allows() public {
        bytes32 channelId = channels.getChannelId(config);
        vm.expectEmit(true, true, false, true, CHANNELS);
        emit IVoucherChannels.Claimed(channelId, vm.addr(RECEIVER), 300, 300);
        claim(row(config, 400, 300));
        requireState(config, 1000, 300);
        (uint256 claimed, uint256 settled) = channels.receivers(vm.addr(RECEIVER), address(usdc));
        assertEq(claimed, 300, "claimed");
        assertEq(settled, 0, "settled");
    }

    function test_a_voucher_claimed_twice_pays_once() public {
        claim(row(config, 400, 400));
        claim(row(config, 400, 400));
        claim(row(config, 400, 100));
        claim(row(config, 500, 400));
        requireState(config, 1000, 400);
    }

    /// @dev I14: vouchers are cumulative, so the order and number of those in flight do not matter.
    function testFuzz_concurrent_vouchers_never_charge_twice(uint128[6] memory amounts) public {
        uint128 highest = 0;
        for (uint256 i = 0; i < amounts.length; ++i) {
            uint128 amount = uint128(bound(amounts[i], 0, 1000));
            if (amount > highest) highest = amount;
            claim(row(config, amount, amount));
            requireState(config, 1000, highest);
        }
        channels.settle(vm.addr(RECEIVER), address(usdc));
        assertEq(usdc.balanceOf(vm.addr(RECEIVER)), highest, "received");
    }

    function test_a_claim_above_voucher_or_balance_reverts() public {
        refuse(row(config, 400, 401), IVoucherChannels.ClaimExceedsCeiling.selector);
        refuse(row(config, 1001, 1001), IVoucherChannels.ClaimExceedsBalance.selector);
        claim(row(config, 1000, 1000));
    }

    function test_only_the_receiver_side_claims() public {
        IVoucherChannels.VoucherClaim[] memory all = rows(row(config, 400, 300));
        vm.expectRevert(IVoucherChannels.NotAuthorizedToClaim.selector);
        channels.claim(all);
        vm.prank(vm.addr(RECEIVER_AUTHORIZER));
        channels.claim(all);
        requireState(config, 1000, 300);
    }

    function test_no_claims_revert() public {
        IVoucherChannels.VoucherClaim[] memory none = new IVoucherChannels.VoucherClaim[](0);
        vm.expectRevert(IVoucherChannels.EmptyBatch.selector);
        channels.claim(none);
        vm.expectRevert(IVoucherChannels.EmptyBatch.selector);
        channels.claimWithSignature(none, "");
    }

    function test_a_voucher_signed_by_another_or_for_another_amount_is_refused() public {
        IVoucherChannels.VoucherClaim memory only = row(config, 400, 300);
        only.voucher.maxClaimableAmount = 401;
        refuse(only, IVoucherChannels.InvalidSignature.selector);
        bytes32 digest = channels.getVoucherDigest(channels.getChannelId(config), 400);
        only = row(config, 400, 300);
        only.signature = sign(PAYER, digest);
        refuse(only, IVoucherChannels.InvalidSignature.selector);
    }

    /// @dev I8.
    function test_a_voucher_for_another_chain_is_refused() public {
        IVoucherChannels.VoucherClaim memory only = row(config, 400, 300);
        vm.chainId(1);
        deposit(config, 1000);
        refuse(only, IVoucherChannels.InvalidSignature.selector);
    }

    /// @dev I8: the other signature that the curve has for the same message.
    function test_a_malleated_voucher_pays_nothing() public {
        IVoucherChannels.VoucherClaim memory only = row(config, 400, 300);
        bytes32 digest = channels.getVoucherDigest(channels.getChannelId(config), 400);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYER_AUTHORIZER, digest);
        only.signature = abi.encodePacked(
            r, bytes32(CURVE_ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27)
        );
        vm.prank(vm.addr(RECEIVER));
        vm.expectRevert();
        channels.claim(rows(only));
        requireState(config, 1000, 0);
    }

    function test_without_an_authorizer_the_payer_signs_itself() public {
        config.payerAuthorizer = address(0);
        deposit(config, 1000);
        claim(row(config, 400, 300));
        IVoucherChannels.VoucherClaim memory only = row(config, 500, 500);
        only.signature[0] ^= 0x01;
        refuse(only, IVoucherChannels.InvalidSignature.selector);
        requireState(config, 1000, 300);
    }

    /// @dev The collector of the next test: brings the tokens itself.
    function collect(address, address, uint256 amount, bytes32, bytes calldata) external {
        usdc.mint(CHANNELS, amount);
    }

    function test_a_payer_that_is_a_contract_signs_by_erc1271() public {
        Wallet wallet = new Wallet();
        (config.payer, config.payerAuthorizer) = (address(wallet), address(0));
        channels.deposit(config, 1000, address(this), "");
        wallet.accept(channels.getVoucherDigest(channels.getChannelId(config), 400));
        refuse(row(config, 401, 300), IVoucherChannels.InvalidSignature.selector);
        claim(row(config, 400, 300));
        requireState(config, 1000, 300);
    }

    function signedClaims(IVoucherChannels.VoucherClaim[] memory all, uint256 key)
        private
        view
        returns (bytes memory)
    {
        return sign(key, channels.getClaimBatchDigest(all));
    }

    function test_anyone_submits_claims_that_the_authorizer_signed() public {
        IVoucherChannels.ChannelConfig memory other = newConfig(2);
        deposit(other, 500);
        IVoucherChannels.VoucherClaim[] memory all = new IVoucherChannels.VoucherClaim[](2);
        (all[0], all[1]) = (row(config, 400, 300), row(other, 500, 200));
        channels.claimWithSignature(all, signedClaims(all, RECEIVER_AUTHORIZER));
        requireState(config, 1000, 300);
        requireState(other, 500, 200);
        (uint256 claimed,) = channels.receivers(vm.addr(RECEIVER), address(usdc));
        assertEq(claimed, 500, "claimed");
    }

    function test_claims_signed_by_another_or_changed_after_are_refused() public {
        IVoucherChannels.VoucherClaim[] memory all = rows(row(config, 400, 300));
        bytes memory signature = signedClaims(all, RECEIVER);
        vm.expectRevert(IVoucherChannels.InvalidSignature.selector);
        channels.claimWithSignature(all, signature);
        signature = signedClaims(all, RECEIVER_AUTHORIZER);
        all[0].totalClaimed = 301;
        vm.expectRevert(IVoucherChannels.InvalidSignature.selector);
        channels.claimWithSignature(all, signature);
    }

    function test_claims_under_two_authorizers_are_refused() public {
        IVoucherChannels.ChannelConfig memory other = newConfig(2);
        other.receiverAuthorizer = vm.addr(9);
        deposit(other, 500);
        IVoucherChannels.VoucherClaim[] memory all = new IVoucherChannels.VoucherClaim[](2);
        (all[0], all[1]) = (row(config, 400, 300), row(other, 500, 200));
        bytes memory signature = signedClaims(all, RECEIVER_AUTHORIZER);
        vm.expectRevert(IVoucherChannels.NotReceiverAuthorizer.selector);
        channels.claimWithSignature(all, signature);
    }

    function test_settle_pays_a_receiver_all_it_claimed_once() public {
        claim(row(config, 400, 300));
        vm.expectEmit(true, true, true, true, CHANNELS);
        emit IVoucherChannels.Settled(vm.addr(RECEIVER), address(usdc), address(this), 300);
        channels.settle(vm.addr(RECEIVER), address(usdc));
        channels.settle(vm.addr(RECEIVER), address(usdc));
        assertEq(usdc.balanceOf(vm.addr(RECEIVER)), 300, "received");
        claim(row(config, 500, 500));
        channels.settle(vm.addr(RECEIVER), address(usdc));
        assertEq(usdc.balanceOf(vm.addr(RECEIVER)), 500, "received in all");
        (, uint256 settled) = channels.receivers(vm.addr(RECEIVER), address(usdc));
        assertEq(settled, 500, "settled");
        requireState(config, 1000, 500);
    }
}
