// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CallHub} from "../src/CallHub.sol";
import {JobEscrow} from "../src/JobEscrow.sol";
import {IVoucherChannels} from "../src/x402/IVoucherChannels.sol";
import {ChannelTest} from "./support/ChannelTest.sol";

/// @title One line of gas per verb of the hub, the escrow and the channels: each account used
/// before, so that no slot but a job's is written for the first time.
contract RailGasVerbsTest is ChannelTest {
    address private constant MODEL = address(0x30DE1);

    CallHub private hub;
    JobEscrow private escrow;
    IVoucherChannels.ChannelConfig private config;
    IVoucherChannels.VoucherClaim[] private all;
    bytes private data;
    bytes private claimSignature;
    bytes private refundSignature;
    address[] private models;
    uint256[] private charges;

    function setUp() public override {
        super.setUp();
        hub = new CallHub(address(usdc), ROUTER, TREASURY, FEE_BPS);
        usdc.mint(address(hub), 4000);
        models.push(MODEL);
        charges.push(1000);
        splitOne();
        hub.claim(MODEL);
        hub.claimFees();
        vm.prank(ROUTER);
        hub.split(1, models, charges);
        setUpJobs();
        setUpChannel();
    }

    function setUpJobs() private {
        escrow = new JobEscrow(address(usdc), ROUTER, TREASURY, FEE_BPS);
        usdc.mint(address(this), 10_000);
        usdc.approve(address(escrow), type(uint256).max);
        for (uint256 i = 0; i < 4; ++i) {
            escrow.open(MODEL, 1000, NOW + i, "intent");
        }
        vm.prank(MODEL);
        escrow.deliver(0, "answer");
        vm.prank(ROUTER);
        escrow.release(0, 900);
        vm.prank(MODEL);
        escrow.deliver(1, "answer");
    }

    function setUpChannel() private {
        config = newConfig(1);
        deposit(config, 1000);
        claim(row(config, 100, 100));
        channels.settle(config.receiver, address(usdc));
        claim(row(config, 200, 200));
        vm.prank(config.payer);
        channels.initiateWithdraw(config, 50);
        vm.warp(NOW + DELAY);
        all.push(row(config, 300, 300));
        claimSignature = sign(RECEIVER_AUTHORIZER, channels.getClaimBatchDigest(rows(all[0])));
        bytes32 digest = channels.getRefundDigest(channels.getChannelId(config), 0, 40);
        refundSignature = sign(RECEIVER_AUTHORIZER, digest);
        usdc.mint(config.payer, 100);
        data = collectorData(config, 50);
    }

    function splitOne() private {
        vm.prank(ROUTER);
        hub.split(0, models, charges);
    }

    function test_gas_of_CallHub_split_of_one() public {
        vm.prank(ROUTER);
        hub.split(2, models, charges);
    }

    function test_gas_of_CallHub_claim() public {
        hub.claim(MODEL);
    }

    function test_gas_of_CallHub_claimFees() public {
        hub.claimFees();
    }

    function test_gas_of_JobEscrow_open() public {
        escrow.open(MODEL, 1000, NOW + 1 days, "intent");
    }

    function test_gas_of_JobEscrow_deliver() public {
        vm.warp(NOW);
        vm.prank(MODEL);
        escrow.deliver(3, "answer");
    }

    function test_gas_of_JobEscrow_release() public {
        vm.prank(ROUTER);
        escrow.release(1, 900);
    }

    function test_gas_of_JobEscrow_refund() public {
        vm.prank(ROUTER);
        escrow.refund(1);
    }

    function test_gas_of_JobEscrow_expire() public {
        escrow.expire(2);
    }

    function test_gas_of_VoucherChannels_deposit() public {
        channels.deposit(config, 50, ERC3009_COLLECTOR, data);
    }

    function test_gas_of_VoucherChannels_claim_of_one() public {
        vm.prank(config.receiver);
        channels.claim(all);
    }

    function test_gas_of_VoucherChannels_claimWithSignature_of_one() public {
        channels.claimWithSignature(all, claimSignature);
    }

    function test_gas_of_VoucherChannels_settle() public {
        channels.settle(config.receiver, address(usdc));
    }

    function test_gas_of_VoucherChannels_finalizeWithdraw() public {
        vm.prank(config.payer);
        channels.finalizeWithdraw(config);
    }

    function test_gas_of_VoucherChannels_refund() public {
        vm.prank(config.receiver);
        channels.refund(config, 40);
    }

    function test_gas_of_VoucherChannels_refundWithSignature() public {
        channels.refundWithSignature(config, 40, 0, refundSignature);
    }
}
