// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IVoucherChannels} from "./IVoucherChannels.sol";

/// @title What is signed for channels, hashed as EIP-712 wants it.
/// @dev Nothing here is kept from a constructor, unlike in OpenZeppelin's EIP712: the code must
/// work wherever it is put.
abstract contract VoucherHashes is IVoucherChannels {
    /// @notice The EIP-712 type of a channel's configuration.
    bytes32 public constant CHANNEL_CONFIG_TYPEHASH = keccak256(
        "ChannelConfig(address payer,address payerAuthorizer,address receiver,"
        "address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
    );
    /// @notice The EIP-712 type of a voucher.
    bytes32 public constant VOUCHER_TYPEHASH =
        keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)");
    /// @notice The EIP-712 type of a refund.
    bytes32 public constant REFUND_TYPEHASH =
        keccak256("Refund(bytes32 channelId,uint256 nonce,uint128 amount)");
    /// @notice The EIP-712 type of a claim.
    bytes32 public constant CLAIM_ENTRY_TYPEHASH =
        keccak256("ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)");
    /// @notice The EIP-712 type of claims signed together.
    bytes32 public constant CLAIM_BATCH_TYPEHASH = keccak256(
        "ClaimBatch(ClaimEntry[] claims)"
        "ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"
    );

    bytes32 private constant NAME_HASH = keccak256("x402 Batch Settlement");
    bytes32 private constant VERSION_HASH = keccak256("1");
    bytes1 private constant FIELDS = 0x0f; // name, version, chain, contract

    /// @inheritdoc IVoucherChannels
    function getChannelId(ChannelConfig calldata config) external view returns (bytes32) {
        return _channelId(_domain(), config);
    }

    /// @inheritdoc IVoucherChannels
    function getVoucherDigest(bytes32 channelId, uint128 maxClaimableAmount)
        external
        view
        returns (bytes32)
    {
        return _voucherDigest(_domain(), channelId, maxClaimableAmount);
    }

    /// @inheritdoc IVoucherChannels
    function getRefundDigest(bytes32 channelId, uint256 nonce, uint128 amount)
        external
        view
        returns (bytes32)
    {
        return _refundDigest(_domain(), channelId, nonce, amount);
    }

    /// @inheritdoc IVoucherChannels
    function getClaimBatchDigest(VoucherClaim[] calldata voucherClaims)
        external
        view
        returns (bytes32)
    {
        return _claimBatchDigest(_domain(), voucherClaims);
    }

    function _domain() internal view returns (bytes32) {
        return MessageHashUtils.toDomainSeparator(
            FIELDS, NAME_HASH, VERSION_HASH, block.chainid, address(this), 0
        );
    }

    /// @dev toTypedDataHash(domain, keccak256(abi.encode(CHANNEL_CONFIG_TYPEHASH, config))), once
    /// per claim, in memory beyond the free pointer.
    function _channelId(bytes32 domain, ChannelConfig calldata config)
        internal
        pure
        returns (bytes32 channelId)
    {
        bytes32 typehash = CHANNEL_CONFIG_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            calldatacopy(add(free, 0x20), config, 0xe0)
            mstore(add(free, 0x22), keccak256(free, 0x100))
            mstore(add(free, 0x02), domain)
            mstore8(free, 0x19)
            mstore8(add(free, 0x01), 0x01)
            channelId := keccak256(free, 0x42)
        }
    }

    /// @dev toTypedDataHash(domain, keccak256(abi.encode(VOUCHER_TYPEHASH, channelId,
    /// maxClaimableAmount))), once per claim, in memory beyond the free pointer.
    function _voucherDigest(bytes32 domain, bytes32 channelId, uint128 maxClaimableAmount)
        internal
        pure
        returns (bytes32 digest)
    {
        bytes32 typehash = VOUCHER_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            mstore(add(free, 0x20), channelId)
            mstore(add(free, 0x40), maxClaimableAmount)
            mstore(add(free, 0x22), keccak256(free, 0x60))
            mstore(add(free, 0x02), domain)
            mstore8(free, 0x19)
            mstore8(add(free, 0x01), 0x01)
            digest := keccak256(free, 0x42)
        }
    }

    function _refundDigest(bytes32 domain, bytes32 channelId, uint256 nonce, uint128 amount)
        internal
        pure
        returns (bytes32)
    {
        return MessageHashUtils.toTypedDataHash(
            domain, keccak256(abi.encode(REFUND_TYPEHASH, channelId, nonce, amount))
        );
    }

    function _claimBatchDigest(bytes32 domain, VoucherClaim[] calldata voucherClaims)
        internal
        pure
        returns (bytes32)
    {
        bytes32[] memory entries = new bytes32[](voucherClaims.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            VoucherClaim calldata row = voucherClaims[i];
            entries[i] = keccak256(
                abi.encode(
                    CLAIM_ENTRY_TYPEHASH,
                    _channelId(domain, row.voucher.channel),
                    row.voucher.maxClaimableAmount,
                    row.totalClaimed
                )
            );
        }
        bytes32 list = keccak256(abi.encodePacked(entries));
        return MessageHashUtils.toTypedDataHash(
            domain, keccak256(abi.encode(CLAIM_BATCH_TYPEHASH, list))
        );
    }
}
