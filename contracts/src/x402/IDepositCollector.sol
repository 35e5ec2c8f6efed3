// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Fetches a channel's deposit from its payer by what the payer signed.
interface IDepositCollector {
    /// @notice Moves tokens from the payer to the channels' contract, which alone may call.
    /// @param payer Who pays.
    /// @param token In what.
    /// @param amount How much.
    /// @param channelId What the payer's signature must be bound to.
    /// @param collectorData The signature, and what else the collector needs.
    function collect(
        address payer,
        address token,
        uint256 amount,
        bytes32 channelId,
        bytes calldata collectorData
    ) external;
}
