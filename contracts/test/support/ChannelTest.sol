// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC3009DepositCollector} from "../../src/x402/ERC3009DepositCollector.sol";
import {IVoucherChannels} from "../../src/x402/IVoucherChannels.sol";
import {AuthorizationTest} from "./AuthorizationTest.sol";

/// @title Channels at the addresses that x402 knows, put there as a node would put them.
abstract contract ChannelTest is AuthorizationTest {
    address internal constant CHANNELS = 0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003;
    address internal constant ERC3009_COLLECTOR = 0x4020806089470a89826cB9fB1f4059150b550004;
    uint256 internal constant PAYER = 1;
    uint256 internal constant PAYER_AUTHORIZER = 2;
    uint256 internal constant RECEIVER = 4;
    uint256 internal constant RECEIVER_AUTHORIZER = 5;
    uint40 internal constant DELAY = 900;

    IVoucherChannels internal channels;
    uint256 private _salt;

    function setUp() public virtual override {
        super.setUp();
        vm.etch(CHANNELS, vm.deployCode("VoucherChannels.sol").code);
        vm.etch(ERC3009_COLLECTOR, address(new ERC3009DepositCollector()).code);
        channels = IVoucherChannels(CHANNELS);
    }

    function newConfig(uint256 salt)
        internal
        view
        returns (IVoucherChannels.ChannelConfig memory)
    {
        return IVoucherChannels.ChannelConfig(
            vm.addr(PAYER),
            vm.addr(PAYER_AUTHORIZER),
            vm.addr(RECEIVER),
            vm.addr(RECEIVER_AUTHORIZER),
            address(usdc),
            DELAY,
            bytes32(salt)
        );
    }

    /// @dev Whoever signs here has a key from 1 to 9; contracts have none, and any will do.
    function keyOf(address signer) internal pure returns (uint256 key) {
        for (key = 1; key < 9; ++key) {
            if (vm.addr(key) == signer) break;
        }
    }

    /// @dev What the payer signs for a deposit, as the collector takes it.
    function collectorData(IVoucherChannels.ChannelConfig memory config, uint256 amount)
        internal
        returns (bytes memory)
    {
        bytes32 nonce = keccak256(abi.encode(channels.getChannelId(config), ++_salt));
        Authorization memory given = Authorization(
            config.payer, ERC3009_COLLECTOR, amount, NOW - 1, block.timestamp + 60, nonce
        );
        Signature memory signed = signReceive(keyOf(config.payer), given);
        bytes memory signature = abi.encodePacked(signed.r, signed.s, signed.v);
        return abi.encode(given.validAfter, given.validBefore, _salt, signature);
    }

    function deposit(IVoucherChannels.ChannelConfig memory config, uint128 amount) internal {
        usdc.mint(config.payer, amount);
        bytes memory data = collectorData(config, amount);
        channels.deposit(config, amount, ERC3009_COLLECTOR, data);
    }

    /// @dev A row for `claim`: a voucher for `most`, of which `claimed` is claimed.
    function row(IVoucherChannels.ChannelConfig memory config, uint128 most, uint128 claimed)
        internal
        view
        returns (IVoucherChannels.VoucherClaim memory)
    {
        address signer =
            config.payerAuthorizer == address(0) ? config.payer : config.payerAuthorizer;
        bytes32 digest = channels.getVoucherDigest(channels.getChannelId(config), most);
        return IVoucherChannels.VoucherClaim(
            IVoucherChannels.Voucher(config, most), sign(keyOf(signer), digest), claimed
        );
    }

    function rows(IVoucherChannels.VoucherClaim memory only)
        internal
        pure
        returns (IVoucherChannels.VoucherClaim[] memory all)
    {
        all = new IVoucherChannels.VoucherClaim[](1);
        all[0] = only;
    }

    function claim(IVoucherChannels.VoucherClaim memory only) internal {
        vm.prank(vm.addr(RECEIVER));
        channels.claim(rows(only));
    }

    function stateOf(IVoucherChannels.ChannelConfig memory config)
        internal
        view
        returns (uint256 balance, uint256 totalClaimed)
    {
        return channels.channels(channels.getChannelId(config));
    }

    function requireState(
        IVoucherChannels.ChannelConfig memory config,
        uint256 balance,
        uint256 totalClaimed
    ) internal view {
        (uint256 foundBalance, uint256 foundClaimed) = stateOf(config);
        assertEq(foundBalance, balance, "balance");
        assertEq(foundClaimed, totalClaimed, "total claimed");
    }
}
