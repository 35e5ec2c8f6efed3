// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDepositCollector} from "./IDepositCollector.sol";

/// @title What both collectors have: they serve the channels at the scheme's fixed address alone.
/// @dev The address is a constant, not an argument of a constructor: the code must work wherever a
/// node puts it.
abstract contract DepositCollector is IDepositCollector {
    /// @notice Where x402's `batch-settlement` scheme has its channels, on every chain.
    address public constant CHANNELS = 0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003;

    /// @notice The sender is not the channels' contract.
    error NotChannels(address found, address needed);

    modifier onlyChannels() {
        if (msg.sender != CHANNELS) revert NotChannels(msg.sender, CHANNELS);
        _;
    }
}
