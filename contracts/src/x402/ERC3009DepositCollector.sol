// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {DepositCollector} from "./DepositCollector.sol";
import {IDepositCollector} from "./IDepositCollector.sol";

/// @title Fetches deposits by ERC-3009's `ReceiveWithAuthorization`, signed to this contract.
/// @dev The authorisation's nonce is keccak256(abi.encode(channelId, salt)), so that nobody can use
/// the signature for another channel.
contract ERC3009DepositCollector is DepositCollector {
    using SafeERC20 for IERC20;

    /// @inheritdoc IDepositCollector
    /// @dev `collectorData` is abi.encode(uint256 validAfter, uint256 validBefore, uint256 salt,
    /// bytes signature).
    function collect(
        address payer,
        address token,
        uint256 amount,
        bytes32 channelId,
        bytes calldata collectorData
    ) external onlyChannels {
        (uint256 validAfter, uint256 validBefore, uint256 salt, bytes memory signature) =
            abi.decode(collectorData, (uint256, uint256, uint256, bytes));
        bytes32 nonce = keccak256(abi.encode(channelId, salt));
        (uint8 v, bytes32 r, bytes32 s) = ECDSA.parse(signature);
        IERC3009(token)
            .receiveWithAuthorization(
                payer, address(this), amount, validAfter, validBefore, nonce, v, r, s
            );
        IERC20(token).safeTransfer(CHANNELS, amount);
    }
}
