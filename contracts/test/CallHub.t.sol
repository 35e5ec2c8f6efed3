// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {CallHub} from "../src/CallHub.sol";
import {Splitter} from "../src/Splitter.sol";
import {AuthorizationTest} from "./support/AuthorizationTest.sol";
import {FalseToken, ReentrantToken} from "./support/Tokens.sol";

contract CallHubTest is AuthorizationTest {
    address private constant MODEL = address(0x30DE1);
    address private constant OTHER = address(0x30DE2);

    CallHub private hub;

    function setUp() public override {
        super.setUp();
        hub = new CallHub(address(usdc), ROUTER, TREASURY, FEE_BPS);
    }

    function split(uint256 first, address[] memory models, uint256[] memory charges) private {
        vm.prank(ROUTER);
        hub.split(first, models, charges);
    }

    function splitOne(address model, uint256 charge) private {
        (address[] memory models, uint256[] memory charges) = (new address[](1), new uint256[](1));
        (models[0], charges[0]) = (model, charge);
        split(hub.callCount(), models, charges);
    }

    function two(uint256 a, uint256 b)
        private
        pure
        returns (address[] memory models, uint256[] memory charges)
    {
        (models, charges) = (new address[](2), new uint256[](2));
        (models[0], models[1]) = (MODEL, OTHER);
        (charges[0], charges[1]) = (a, b);
    }

    function earned(address model) private view returns (uint256 amount) {
        (amount,) = hub.earnings(model);
    }

    function test_a_transfer_is_split_between_model_and_treasury_call_by_call() public {
        usdc.mint(address(this), 1000);
        assertTrue(usdc.transfer(address(hub), 149), "transferred");
        assertEq(hub.unsplit(), 149, "unsplit");
        (address[] memory models, uint256[] memory charges) = two(99, 50);
        vm.expectEmit(true, true, false, true, address(hub));
        emit CallHub.CallPaid(0, MODEL, 99, 1);
        vm.expectEmit(true, true, false, true, address(hub));
        emit CallHub.CallPaid(1, OTHER, 50, 1);
        split(0, models, charges);
        assertEq(earned(MODEL), 98, "earned");
        assertEq(earned(OTHER), 49, "earned by the other");
        assertEq(hub.fees(), 2, "fees");
        assertEq(hub.unsplit(), 0, "unsplit");
        assertEq(hub.callCount(), 2, "calls");
    }

    function test_an_x402_authorisation_pays_the_hub_as_a_transfer_does() public {
        usdc.mint(vm.addr(1), 1000);
        Authorization memory given =
            Authorization(vm.addr(1), address(hub), 500, NOW - 1, NOW + 1, keccak256("call"));
        Signature memory signed = signTransfer(1, given);
        transfer(given, signed);
        splitOne(MODEL, 500);
        assertEq(earned(MODEL), 490, "earned");
        assertEq(hub.fees(), 10, "fees");
    }

    function test_earnings_and_fees_are_claimed_by_anyone_for_their_owners() public {
        usdc.mint(address(hub), 1000);
        splitOne(MODEL, 1000);
        vm.expectEmit(true, false, false, true, address(hub));
        emit Splitter.Claimed(MODEL, 980);
        assertEq(hub.claim(MODEL), 980, "paid");
        vm.expectEmit(false, false, false, true, address(hub));
        emit Splitter.FeesClaimed(20);
        assertEq(hub.claimFees(), 20, "fees paid");
        assertEq(usdc.balanceOf(MODEL), 980, "received");
        assertEq(usdc.balanceOf(TREASURY), 20, "treasury");
        assertEq(hub.claim(MODEL), 0, "again");
        assertEq(hub.claimFees(), 0, "again");
        (, uint256 claimed) = hub.earnings(MODEL);
        assertEq(claimed, 980, "claimed");
        assertEq(hub.feesClaimed(), 20, "fees claimed");
        assertEq(hub.unsplit(), 0, "unsplit");
    }

    function test_no_more_is_split_than_has_come_in() public {
        usdc.mint(address(hub), 100);
        splitOne(MODEL, 60);
        hub.claim(MODEL);
        (address[] memory models, uint256[] memory charges) = two(30, 11);
        vm.prank(ROUTER);
        vm.expectRevert(abi.encodeWithSelector(CallHub.NotReceived.selector, 41, 40));
        hub.split(1, models, charges);
        charges[1] = 10;
        split(1, models, charges);
        assertEq(hub.unsplit(), 0, "unsplit");
    }

    function test_calls_sent_twice_are_split_once() public {
        usdc.mint(address(hub), 100);
        splitOne(MODEL, 10);
        (address[] memory models, uint256[] memory charges) = two(10, 10);
        vm.prank(ROUTER);
        vm.expectRevert(abi.encodeWithSelector(CallHub.WrongFirst.selector, 0, 1));
        hub.split(0, models, charges);
    }

    function test_no_call_is_left_out() public {
        usdc.mint(address(hub), 100);
        (address[] memory models, uint256[] memory charges) = two(10, 10);
        vm.prank(ROUTER);
        vm.expectRevert(abi.encodeWithSelector(CallHub.WrongFirst.selector, 1, 0));
        hub.split(1, models, charges);
    }

    function test_all_that_was_ever_split_fits_its_slot() public {
        uint256 most = type(uint96).max;
        usdc.mint(address(hub), most);
        splitOne(MODEL, most);
        hub.claim(MODEL);
        usdc.mint(address(hub), 1);
        (address[] memory models, uint256[] memory charges) = two(1, 0);
        vm.prank(ROUTER);
        vm.expectRevert(abi.encodeWithSelector(Splitter.OutOfRange.selector, most + 1, most));
        hub.split(1, models, charges);
    }

    function test_only_the_router_splits() public {
        (address[] memory models, uint256[] memory charges) = two(0, 0);
        vm.expectRevert(abi.encodeWithSelector(Splitter.NotRouter.selector, address(this), ROUTER));
        hub.split(0, models, charges);
    }

    function test_lists_that_do_not_match_revert() public {
        (address[] memory models,) = two(0, 0);
        vm.prank(ROUTER);
        vm.expectRevert(abi.encodeWithSelector(CallHub.WrongLength.selector, 1, 2));
        hub.split(0, models, new uint256[](1));
    }

    function test_nobody_and_too_much_revert() public {
        (address[] memory models, uint256[] memory charges) = two(0, uint256(type(uint96).max) + 1);
        vm.prank(ROUTER);
        vm.expectRevert(
            abi.encodeWithSelector(
                Splitter.OutOfRange.selector, uint256(type(uint96).max) + 1, type(uint96).max
            )
        );
        hub.split(0, models, charges);
        models[0] = address(0);
        vm.prank(ROUTER);
        vm.expectRevert(Splitter.NoAddress.selector);
        hub.split(0, models, charges);
    }

    function test_parameters_that_cannot_be_revert() public {
        vm.expectRevert(Splitter.NoAddress.selector);
        new CallHub(address(0), ROUTER, TREASURY, FEE_BPS);
        vm.expectRevert(Splitter.NoAddress.selector);
        new CallHub(address(usdc), address(0), TREASURY, FEE_BPS);
        vm.expectRevert(Splitter.NoAddress.selector);
        new CallHub(address(usdc), ROUTER, address(0), FEE_BPS);
        vm.expectRevert(abi.encodeWithSelector(Splitter.FeeTooHigh.selector, 10_001, 10_000));
        new CallHub(address(usdc), ROUTER, TREASURY, 10_001);
        hub = new CallHub(address(usdc), ROUTER, TREASURY, 10_000);
        assertEq(hub.feeBps(), 10_000, "fee");
        assertEq(hub.token(), address(usdc), "token");
        assertEq(hub.router(), ROUTER, "router");
        assertEq(hub.treasury(), TREASURY, "treasury");
    }

    function test_a_token_that_says_false_pays_nobody() public {
        FalseToken token = new FalseToken();
        hub = new CallHub(address(token), ROUTER, TREASURY, FEE_BPS);
        bytes memory reason =
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token));
        vm.expectRevert(reason);
        hub.claim(MODEL);
        vm.expectRevert(reason);
        hub.claimFees();
    }

    function test_a_token_that_calls_back_gets_in_nowhere() public {
        ReentrantToken token = new ReentrantToken();
        hub = new CallHub(address(token), ROUTER, TREASURY, FEE_BPS);
        token.mint(address(hub), 100);
        splitOne(MODEL, 100);
        token.attack(address(hub), abi.encodeCall(Splitter.claim, (MODEL)));
        bytes4 reason = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        vm.expectRevert(reason);
        hub.claim(MODEL);
        vm.expectRevert(reason);
        hub.claimFees();
        token.attack(address(0), "");
        assertEq(hub.claim(MODEL), 98, "paid");
    }

    function testFuzz_the_fee_is_rounded_down_per_call_and_nothing_is_lost(uint96[8] memory seeds)
        public
    {
        uint256 fees = 0;
        uint256 total = 0;
        for (uint256 i = 0; i < seeds.length; ++i) {
            uint256 charge = bound(seeds[i], 0, 1e12);
            usdc.mint(address(hub), charge);
            splitOne(MODEL, charge);
            fees += charge * FEE_BPS / 10_000;
            total += charge;
        }
        assertEq(hub.fees(), fees, "fees");
        assertEq(earned(MODEL), total - fees, "earned");
        assertEq(usdc.balanceOf(address(hub)), total, "held");
    }
}
