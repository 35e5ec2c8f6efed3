// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {CallHub} from "../src/CallHub.sol";
import {ILedger} from "../src/ILedger.sol";
import {JobEscrow} from "../src/JobEscrow.sol";
import {Merkle} from "../src/Merkle.sol";
import {IVoucherChannels} from "../src/x402/IVoucherChannels.sol";
import {Call} from "./support/Call.sol";
import {ChannelTest} from "./support/ChannelTest.sol";
import {ReentrantToken} from "./support/Tokens.sol";

/// @title What has gone wrong with payments elsewhere, tried here: docs/security.md has the list.
contract AttacksTest is ChannelTest {
    uint256 private constant GRANTS = 248; // from one payment, on record elsewhere

    uint32 private agent;
    uint32 private model;
    JobEscrow private escrow;

    function setUp() public override {
        super.setUp();
        agent = newAgent(1000, 1000, 100);
        model = newModel();
        escrow = new JobEscrow(address(usdc), ROUTER, TREASURY, FEE_BPS);
    }

    function authorization(address to) private returns (Authorization memory) {
        usdc.mint(vm.addr(PAYER), 1000);
        return Authorization(vm.addr(PAYER), to, 600, NOW - 1, NOW + 60, bytes32(uint256(7)));
    }

    function refuseUsed(Authorization memory given) private {
        bytes4 reason = ERC3009.ERC3009UsedAuthorization.selector;
        vm.expectRevert(abi.encodeWithSelector(reason, given.from, given.nonce));
    }

    function openJob() private returns (uint256) {
        usdc.mint(address(this), 600);
        usdc.approve(address(escrow), 600);
        return escrow.open(vm.addr(RECEIVER), 600, NOW + 1 hours, "");
    }

    /// @dev The payer hears nothing, and cannot know whether it has paid. It sends the same again:
    /// what was signed once moves once, whichever copy arrives.
    function test_a_timeout_taken_for_failure_does_not_pay_twice() public {
        Authorization memory given = authorization(vm.addr(RECEIVER));
        Signature memory signed = signTransfer(PAYER, given);
        transfer(given, signed);
        refuseUsed(given);
        transfer(given, signed);
        assertEq(usdc.balanceOf(vm.addr(RECEIVER)), 600, "received once");
        assertEq(usdc.balanceOf(vm.addr(PAYER)), 400, "paid once");
    }

    /// @dev Nor can it pay and get nothing: what is late is refunded, and then no longer paid.
    function test_a_timeout_taken_for_failure_refunds_or_pays_and_never_both() public {
        uint256 jobId = openJob();
        vm.warp(NOW + 1 hours + 1);
        escrow.expire(jobId);
        assertEq(usdc.balanceOf(address(this)), 600, "refunded");
        vm.expectRevert(
            abi.encodeWithSelector(
                JobEscrow.WrongState.selector, JobEscrow.State.Expired, JobEscrow.State.Open
            )
        );
        vm.prank(vm.addr(RECEIVER));
        escrow.deliver(jobId, "late");
        assertEq(usdc.balanceOf(address(escrow)), 0, "nothing is left to pay");
    }

    function test_the_same_payload_is_granted_once() public {
        CallHub hub = new CallHub(address(usdc), ROUTER, TREASURY, FEE_BPS);
        Authorization memory given = authorization(address(hub));
        Signature memory signed = signTransfer(PAYER, given);
        transfer(given, signed);
        for (uint256 i = 1; i < GRANTS; ++i) {
            refuseUsed(given);
            transfer(given, signed);
        }
        // the hub grants what has come in, and no call more, whoever asks how often
        (address[] memory models, uint256[] memory charges) = (new address[](2), new uint256[](2));
        (models[0], models[1]) = (vm.addr(RECEIVER), vm.addr(RECEIVER));
        (charges[0], charges[1]) = (600, 600);
        vm.prank(ROUTER);
        vm.expectRevert(abi.encodeWithSelector(CallHub.NotReceived.selector, 1200, 600));
        hub.split(0, models, charges);
    }

    function test_a_withdrawal_does_not_beat_an_unclaimed_voucher() public {
        IVoucherChannels.ChannelConfig memory config = newConfig(1);
        deposit(config, 1000);
        IVoucherChannels.VoucherClaim memory voucher = row(config, 700, 700);
        vm.prank(vm.addr(PAYER));
        channels.initiateWithdraw(config, 1000);
        vm.warp(NOW + DELAY);
        claim(voucher); // the receiver has all of the delay, to its last second
        vm.prank(vm.addr(PAYER));
        channels.finalizeWithdraw(config);
        assertEq(usdc.balanceOf(vm.addr(PAYER)), 300, "the payer has the rest");
        channels.settle(vm.addr(RECEIVER), address(usdc));
        assertEq(usdc.balanceOf(vm.addr(RECEIVER)), 700, "the receiver has its own");
    }

    function test_a_withdrawal_does_not_beat_a_batch_on_its_way() public {
        vm.prank(vm.addr(agent));
        ledger.requestWithdraw(agent, 1000);
        settleOne(agent, model, 100, 100);
        vm.warp(NOW + WITHDRAW_DELAY);
        assertEq(ledger.executeWithdraw(agent), 900, "what was not spent");
        assertEq(earnedOf(model), 98, "earned");
    }

    function test_a_claim_after_the_settlement_pays_nothing_again() public {
        IVoucherChannels.ChannelConfig memory config = newConfig(1);
        deposit(config, 1000);
        claim(row(config, 700, 700));
        channels.settle(vm.addr(RECEIVER), address(usdc));
        claim(row(config, 700, 700));
        channels.settle(vm.addr(RECEIVER), address(usdc));
        assertEq(usdc.balanceOf(vm.addr(RECEIVER)), 700, "once");
        requireState(config, 1000, 700);
    }

    /// @dev Whoever sees a deposit's signature on its way can submit it, to the same account, and
    /// do nothing else with it.
    function test_a_front_run_authorisation_lands_where_it_was_signed_for() public {
        usdc.mint(vm.addr(agent), 500);
        Authorization memory given = Authorization(
            vm.addr(agent), address(ledger), 500, NOW - 1, NOW + 60, bytes32(uint256(9))
        );
        Signature memory signed = signReceive(agent, given);
        vm.startPrank(address(0xBAD));
        vm.expectRevert(); // only its payee may use it at the token
        receipt(given, signed);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector); // it is no transfer
        transfer(given, signed);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector); // it is not model's
        deposit(model, given, signed);
        deposit(agent, given, signed);
        vm.stopPrank();
        assertEq(balanceOf(agent), 1500, "the agent's, whoever submits it");
    }

    /// @dev A receipt that names no amount proves no payment: ours all do.
    function test_every_receipt_names_its_amount() public {
        vm.expectEmit(true, false, false, false, address(ledger));
        emit ILedger.BatchSettled(0, 0, 1, 0, 100, 2);
        settleOne(agent, model, 100, 100);
        uint256 jobId = openJob();
        vm.prank(vm.addr(RECEIVER));
        escrow.deliver(jobId, "answer");
        vm.expectEmit(true, false, false, true, address(escrow));
        emit JobEscrow.Released(jobId, 500, 10, 100);
        vm.prank(ROUTER);
        escrow.release(jobId, 500);
        vm.expectEmit(true, false, false, true, address(ledger));
        emit ILedger.Claimed(model, 98);
        ledger.claim(model);
    }

    /// @dev Neither router nor model nor agent is needed: a stranger ends the job.
    function test_an_escrow_is_never_stuck() public {
        uint256 open_ = openJob();
        uint256 delivered = openJob();
        vm.prank(vm.addr(RECEIVER));
        escrow.deliver(delivered, "answer");
        vm.warp(NOW + 1 hours + 1);
        vm.startPrank(address(0x57));
        escrow.expire(open_);
        escrow.expire(delivered);
        vm.stopPrank();
        assertEq(usdc.balanceOf(address(this)), 1200, "all of it");
        assertEq(usdc.balanceOf(address(escrow)), 0, "nothing stuck");
    }

    function test_one_insolvent_agent_does_not_block_a_batch() public {
        uint32 poor = newAgent(10, 1000, 100);
        Call[] memory calls = new Call[](3);
        calls[0] = newCall(0, 0, 100, 100);
        calls[1] = newCall(1, 0, 100, 100);
        calls[2] = newCall(0, 0, 50, 50);
        settle(list(agent, poor), list(model), calls);
        assertEq(balanceOf(agent), 850, "who can, pays");
        assertEq(balanceOf(poor), 10, "who cannot, does not");
        assertEq(earnedOf(model), 147, "earned");
    }

    /// @dev The router did not hear that its batch landed. `callCount` tells; and if it does not
    /// ask, the same batch reverts.
    function test_a_lost_receipt_settles_nothing_twice() public {
        bytes memory records = abi.encodePacked(headOf(newCall(0, 0, 90, 90)), bytes32("answer"));
        vm.startPrank(ROUTER);
        ledger.settleBatch(0, list(agent), list(model), records);
        assertEq(ledger.callCount(), 1, "this is how it finds out");
        vm.expectRevert(abi.encodeWithSelector(ILedger.WrongFirst.selector, 0, 1));
        ledger.settleBatch(0, list(agent), list(model), records);
        vm.stopPrank();
        assertEq(balanceOf(agent), 910, "paid once");
    }

    /// @dev Coordinated reviewers without money: their calls stand in the tree, at zero. No proof
    /// says that they paid, so that a score that asks for a charge counts none of them.
    function test_a_call_that_nobody_paid_for_proves_no_payment() public {
        uint32 shill = newAgent(0, 1000, 100);
        Call memory review = newCall(0, 0, 100, 100);
        settle(list(shill), list(model), one(review));
        bytes32[] memory none = new bytes32[](0);
        bytes32 head = headOf(review);
        assertTrue(
            ledger.proveCall(0, 0, shill, model, head, review.answerHash, 0, none),
            "it took place, unpaid"
        );
        assertFalse(
            ledger.proveCall(0, 0, shill, model, head, review.answerHash, 100, none),
            "it was not paid"
        );
        assertEq(
            ledger.rootOf(0),
            Merkle.leaf(0, shill, model, uint256(head), review.answerHash, 0),
            "the root says so"
        );
    }

    /// @dev The router invents calls, as many and as dear as it likes, in favour of a model of its
    /// own. It gets no more than each mandate allows, per call, in all and in time; nothing of
    /// those who gave it none; and nothing any more once the agent has said so.
    function testFuzz_a_router_that_invents_calls_is_bounded_by_mandates(
        uint256 cap,
        uint48 price,
        uint256 tries
    ) public {
        cap = bound(cap, 0, 900);
        uint256 maxPrice = bound(price, 0, 300);
        uint32 victim = newAgent(1000, cap, maxPrice);
        uint32 stranger = registerNext(1);
        pay(stranger, 1000);
        tries = bound(tries, 1, 40);
        for (uint256 i = 0; i < tries; ++i) {
            uint256 invented = uint256(keccak256(abi.encode(cap, i))) % 400;
            settleOne(victim, model, invented, invented);
            settleOne(stranger, model, invented, invented);
            uint256 step = 1000 - balanceOf(victim);
            assertTrue(step <= cap, "never more than the cap");
        }
        assertEq(balanceOf(stranger), 1000, "who gave no mandate, pays nothing");
        uint256 taken = 1000 - balanceOf(victim);
        settleOne(victim, model, maxPrice + 1, maxPrice + 1);
        assertEq(1000 - balanceOf(victim), taken, "never more than the maximum price");
        allow(victim, 0, maxPrice, NOW + 1 days);
        settleOne(victim, model, maxPrice, maxPrice);
        assertEq(1000 - balanceOf(victim), taken, "a cap of zero ends it");
        allow(victim, 1000, 1000, NOW);
        vm.warp(NOW + 1);
        settleOne(victim, model, 1, 1);
        assertEq(1000 - balanceOf(victim), taken, "and so does time");
    }

    /// @dev Each contract has its own tests with tokens that lie, keep a part or call back; this
    /// one calls back into a payout to be paid twice.
    function test_a_hostile_token_is_paid_out_once() public {
        ReentrantToken token = new ReentrantToken();
        CallHub hub = new CallHub(address(token), ROUTER, TREASURY, FEE_BPS);
        token.mint(address(hub), 1000);
        (address[] memory models, uint256[] memory charges) = (new address[](1), new uint256[](1));
        (models[0], charges[0]) = (vm.addr(RECEIVER), 500);
        vm.prank(ROUTER);
        hub.split(0, models, charges);
        token.attack(address(hub), abi.encodeCall(hub.claim, (vm.addr(RECEIVER))));
        vm.expectRevert();
        hub.claim(vm.addr(RECEIVER));
        token.attack(address(0), "");
        assertEq(hub.claim(vm.addr(RECEIVER)), 490, "its own, once");
        assertEq(token.balanceOf(address(hub)), 510, "the others'");
    }
}
