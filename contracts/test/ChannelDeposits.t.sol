// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {DepositCollector} from "../src/x402/DepositCollector.sol";
import {ERC3009DepositCollector} from "../src/x402/ERC3009DepositCollector.sol";
import {IVoucherChannels} from "../src/x402/IVoucherChannels.sol";
import {Multicall3} from "../src/x402/Multicall3.sol";
import {Permit2DepositCollector} from "../src/x402/Permit2DepositCollector.sol";
import {ChannelTest} from "./support/ChannelTest.sol";
import {Permit2Double} from "./support/Permit2Double.sol";
import {FeeToken, ReentrantToken, SpoiltToken} from "./support/Tokens.sol";

interface ITypehashes {
    function CHANNEL_CONFIG_TYPEHASH() external view returns (bytes32);
}

contract ChannelDepositsTest is ChannelTest {
    address private constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;
    address private constant PERMIT2_COLLECTOR = 0x4020425FAf3B746C082C2f942b4E5159887B0005;

    IVoucherChannels.ChannelConfig private config;

    function setUp() public override {
        super.setUp();
        vm.etch(PERMIT2_COLLECTOR, address(new Permit2DepositCollector()).code);
        vm.etch(PERMIT2, address(new Permit2Double()).code);
        config = newConfig(1);
    }

    /// @dev From the Python package `x402` 2.25.0, for chain 31337.
    function test_hashes_are_those_of_the_x402_package() public {
        vm.chainId(31_337);
        config.token = address(0xAA);
        config.salt = hex"1111111111111111111111111111111111111111111111111111111111111111";
        bytes32 channelId = 0xcab448ecfc0ab4a2d51e070fb9b50f7643933b2bff263b90ead7ef8b0f3cc7cb;
        assertEq(channels.getChannelId(config), channelId, "channel");
        assertEq(
            channels.getVoucherDigest(channelId, 1234),
            0x478197af715943ca7273d30080a2fadc17bada1f5c293c2df445ee6a28801288,
            "voucher"
        );
        assertEq(
            channels.getRefundDigest(channelId, 7, 99),
            0x8e785fa8fcb9ab8cc4c301fd796f06b2238e28da740acc7a06258634fda835ab,
            "refund"
        );
        IVoucherChannels.VoucherClaim memory only =
            IVoucherChannels.VoucherClaim(IVoucherChannels.Voucher(config, 1234), "", 1000);
        assertEq(
            channels.getClaimBatchDigest(rows(only)),
            0x71eebb323b0f27b9df1d6200d6ba3dfe228b6f85ca1cd84e43595ade09df44f1,
            "claims"
        );
        assertEq(
            ITypehashes(CHANNELS).CHANNEL_CONFIG_TYPEHASH(),
            0x1c9a06ceab9b0ebbd3301dc56c9111bb6d9af421356dc9ccb3b7084c755db308,
            "type of a channel"
        );
        assertEq(
            keccak256(abi.encode(channelId, uint256(bytes32(type(uint256).max / 15 * 2)))),
            0x7b65202ec254a657da868da91b84065086aa70029a938d5939d563ca1a2082c6,
            "nonce of a deposit"
        );
    }

    /// @dev What a node puts at the fixed addresses is the artifact's code, as it is.
    function test_the_code_does_not_depend_on_where_it_was_constructed() public view {
        requireArtifact(CHANNELS, "VoucherChannels");
        requireArtifact(ERC3009_COLLECTOR, "ERC3009DepositCollector");
        requireArtifact(PERMIT2_COLLECTOR, "Permit2DepositCollector");
    }

    function requireArtifact(address place, string memory name) private view {
        bytes memory code = vm.getDeployedCode(string.concat(name, ".sol:", name));
        assertEq(place.codehash, keccak256(code), name);
    }

    function test_a_deposit_opens_a_channel_and_the_next_adds_to_it() public {
        bytes32 channelId = channels.getChannelId(config);
        usdc.mint(config.payer, 1000);
        bytes memory data = collectorData(config, 600);
        vm.expectEmit(true, false, false, true, CHANNELS);
        emit IVoucherChannels.ChannelCreated(channelId, config);
        vm.expectEmit(true, true, false, true, CHANNELS);
        emit IVoucherChannels.Deposited(channelId, address(this), 600, 600);
        channels.deposit(config, 600, ERC3009_COLLECTOR, data);
        data = collectorData(config, 400);
        vm.expectEmit(true, true, false, true, CHANNELS);
        emit IVoucherChannels.Deposited(channelId, address(this), 400, 1000);
        channels.deposit(config, 400, ERC3009_COLLECTOR, data);
        requireState(config, 1000, 0);
        assertEq(usdc.balanceOf(CHANNELS), 1000, "held");
    }

    function refuse(bytes4 reason) private {
        vm.expectRevert(reason);
        channels.deposit(config, 1, ERC3009_COLLECTOR, "");
        config = newConfig(1);
    }

    function test_channels_that_cannot_be_are_refused() public {
        bytes4 invalid = IVoucherChannels.InvalidChannel.selector;
        config.payer = address(0);
        refuse(invalid);
        config.receiver = address(0);
        refuse(invalid);
        config.receiverAuthorizer = address(0);
        refuse(invalid);
        config.token = address(0);
        refuse(invalid);
        config.withdrawDelay = 15 minutes - 1;
        refuse(IVoucherChannels.WithdrawDelayOutOfRange.selector);
        config.withdrawDelay = 30 days + 1;
        refuse(IVoucherChannels.WithdrawDelayOutOfRange.selector);
        config.withdrawDelay = 30 days;
        deposit(config, 1);
    }

    function test_deposits_that_cannot_be_are_refused() public {
        vm.expectRevert(IVoucherChannels.ZeroDeposit.selector);
        channels.deposit(config, 0, ERC3009_COLLECTOR, "");
        vm.expectRevert(IVoucherChannels.InvalidCollector.selector);
        channels.deposit(config, 1, address(0), "");
        deposit(config, type(uint128).max);
        vm.expectRevert(IVoucherChannels.DepositOverflow.selector);
        channels.deposit(config, 1, ERC3009_COLLECTOR, "");
    }

    function collect(address, address, uint256, bytes32, bytes calldata) external {}

    function test_a_collector_that_brings_nothing_is_refused() public {
        vm.expectRevert(IVoucherChannels.DepositCollectionFailed.selector);
        channels.deposit(config, 1, address(this), "");
    }

    function test_a_token_that_keeps_a_part_is_refused() public {
        FeeToken token = new FeeToken();
        config.token = address(token);
        token.mint(config.payer, 100);
        bytes memory data =
            abi.encode(0, 0, 0, abi.encodePacked(bytes32(0), bytes32(0), uint8(27)));
        vm.expectRevert();
        channels.deposit(config, 100, ERC3009_COLLECTOR, data);
    }

    function test_a_token_that_calls_back_gets_in_nowhere() public {
        ReentrantToken token = new ReentrantToken();
        config.token = address(token);
        token.mint(config.payer, 100);
        bytes memory data =
            abi.encode(0, 0, 0, abi.encodePacked(bytes32(0), bytes32(0), uint8(27)));
        token.attack(CHANNELS, abi.encodeCall(channels.settle, (config.receiver, address(token))));
        bytes4 reason = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        vm.expectRevert(reason);
        channels.deposit(config, 100, ERC3009_COLLECTOR, data);
        token.attack(address(0), "");
        channels.deposit(config, 100, ERC3009_COLLECTOR, data);
        claim(row(config, 50, 50));
        token.attack(CHANNELS, abi.encodeCall(channels.settle, (config.receiver, address(token))));
        vm.expectRevert(reason);
        channels.settle(config.receiver, address(token));
        vm.prank(config.receiver);
        vm.expectRevert(reason);
        channels.refund(config, 1);
    }

    function test_an_authorisation_for_one_channel_pays_no_other() public {
        usdc.mint(config.payer, 1000);
        bytes memory data = collectorData(config, 600);
        config.receiver = vm.addr(9);
        vm.expectRevert();
        channels.deposit(config, 600, ERC3009_COLLECTOR, data);
    }

    function test_only_the_channels_may_call_a_collector() public {
        bytes memory reason =
            abi.encodeWithSelector(DepositCollector.NotChannels.selector, address(this), CHANNELS);
        vm.expectRevert(reason);
        ERC3009DepositCollector(ERC3009_COLLECTOR).collect(config.payer, address(usdc), 1, 0, "");
        vm.expectRevert(reason);
        Permit2DepositCollector(PERMIT2_COLLECTOR).collect(config.payer, address(usdc), 1, 0, "");
    }

    function permit2Data(uint256 nonce, bytes memory along) private pure returns (bytes memory) {
        return abi.encode(nonce, NOW + 60, bytes("signature"), along);
    }

    function test_permit2_brings_the_tokens_of_a_payer_that_approved_it() public {
        usdc.mint(config.payer, 1000);
        vm.prank(config.payer);
        usdc.approve(PERMIT2, 1000);
        channels.deposit(config, 600, PERMIT2_COLLECTOR, permit2Data(7, ""));
        requireState(config, 600, 0);
        Permit2Double permit2 = Permit2Double(PERMIT2);
        assertEq(permit2.nonce(), 7, "nonce");
        assertEq(permit2.deadline(), NOW + 60, "deadline");
        assertEq(permit2.spender(), PERMIT2_COLLECTOR, "spender");
        assertEq(permit2.signature(), "signature", "signature");
        bytes32 typehash = keccak256("DepositWitness(bytes32 channelId)");
        assertEq(
            permit2.witness(),
            keccak256(abi.encode(typehash, channels.getChannelId(config))),
            "witness"
        );
        assertEq(
            permit2.witnessType(),
            "DepositWitness witness)DepositWitness(bytes32 channelId)"
            "TokenPermissions(address token,uint256 amount)",
            "type of the witness"
        );
    }

    function permit(uint256 value) private view returns (bytes memory) {
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        bytes32 message =
            keccak256(abi.encode(typehash, config.payer, PERMIT2, value, 0, NOW + 60));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(PAYER, digest(domainSeparator("USDC", "2", address(usdc)), message));
        return abi.encode(value, NOW + 60, v, r, s);
    }

    function test_permit2_can_be_approved_by_a_permit_that_comes_along() public {
        usdc.mint(config.payer, 1000);
        channels.deposit(config, 600, PERMIT2_COLLECTOR, permit2Data(1, permit(600)));
        requireState(config, 600, 0);
    }

    function test_a_permit_that_somebody_used_before_does_no_harm() public {
        usdc.mint(config.payer, 1000);
        vm.prank(config.payer);
        usdc.approve(PERMIT2, 600);
        bytes memory bad = abi.encode(600, NOW - 1, 27, bytes32(0), bytes32(0));
        vm.expectEmit(true, true, false, false, PERMIT2_COLLECTOR);
        emit Permit2DepositCollector.PermitFailed(address(usdc), config.payer, "");
        channels.deposit(config, 600, PERMIT2_COLLECTOR, permit2Data(1, bad));
        requireState(config, 600, 0);
    }

    function test_a_permit_for_another_amount_is_refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(Permit2DepositCollector.WrongPermit.selector, 599, 600)
        );
        channels.deposit(config, 600, PERMIT2_COLLECTOR, permit2Data(1, permit(599)));
    }

    function test_many_reads_come_in_one_call() public {
        deposit(config, 600);
        Multicall3 reader = new Multicall3();
        Multicall3.Call[] memory calls = new Multicall3.Call[](2);
        bytes32 channelId = channels.getChannelId(config);
        calls[0] = Multicall3.Call(CHANNELS, abi.encodeCall(channels.channels, (channelId)));
        calls[1] =
            Multicall3.Call(CHANNELS, abi.encodeCall(channels.claim, (rows(row(config, 1, 1)))));
        Multicall3.Result[] memory results = reader.tryAggregate(false, calls);
        (uint256 balance,) = abi.decode(results[0].returnData, (uint256, uint256));
        assertEq(balance, 600, "balance");
        assertTrue(results[0].success, "the first");
        assertFalse(results[1].success, "the second");
        vm.expectRevert(
            abi.encodeWithSelector(
                Multicall3.CallFailed.selector,
                1,
                abi.encodeWithSelector(IVoucherChannels.NotAuthorizedToClaim.selector)
            )
        );
        reader.tryAggregate(true, calls);
    }
}
