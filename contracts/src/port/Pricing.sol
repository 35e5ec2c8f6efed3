// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPort} from "./IPort.sol";
import {PortBase} from "./PortBase.sol";

/// @title What a job costs: one USDC times the demand multiplier of its intent.
abstract contract Pricing is PortBase {
    /// @inheritdoc IPort
    uint256 public constant getJobBasePrice = 1_000_000;

    /// @notice An intent's requests in the last 24 hours, as the authority counted them.
    mapping(bytes32 intentId => uint256) public volumeOf;

    /// @inheritdoc IPort
    function setVolume(bytes32 intentId, uint256 requests) external onlyAuthority {
        volumeOf[intentId] = requests;
        emit VolumeSet(intentId, requests);
    }

    /// @inheritdoc IPort
    function getJobPrice(bytes32 intentId) public view returns (uint256) {
        return getJobBasePrice * getMultiplierTenths(intentId) / 10;
    }

    /// @inheritdoc IPort
    function getMultiplierTenths(bytes32 intentId) public view returns (uint256) {
        uint256 requests = volumeOf[intentId];
        if (requests < 1000) return 10;
        if (requests < 10_000) return 15;
        if (requests < 100_000) return 25;
        if (requests < 1_000_000) return 50;
        return 100;
    }
}
