// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {DepositCollector} from "./DepositCollector.sol";
import {IDepositCollector} from "./IDepositCollector.sol";

/// @title The one verb of Uniswap's Permit2 that is used here.
interface IPermit2 {
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce;
        uint256 deadline;
    }

    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    /// @notice Moves tokens by a signature over the transfer and a witness.
    /// @param permit What may be moved, and until when.
    /// @param transferDetails Where to, and how much.
    /// @param owner Who signed.
    /// @param witness The hash of the caller's own struct.
    /// @param witnessTypeString Its EIP-712 type, and those it refers to.
    /// @param signature The owner's.
    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external;
}

/// @title Fetches deposits of any ERC-20 by Permit2, the channel's id as the signed witness.
/// @dev Permit2 must be at its address, and the payer must have approved it: before, or by an
/// ERC-2612 permit that comes along. If that permit fails, somebody may have used it already: the
/// transfer then shows whether the approval is there.
contract Permit2DepositCollector is DepositCollector {
    /// @notice Where Permit2 is, on every chain.
    address public constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    string private constant WITNESS_TYPE = "DepositWitness witness)"
        "DepositWitness(bytes32 channelId)" "TokenPermissions(address token,uint256 amount)";
    bytes32 private constant WITNESS_TYPEHASH = keccak256("DepositWitness(bytes32 channelId)");

    /// @notice The ERC-2612 permit that came along did not work.
    event PermitFailed(address indexed token, address indexed owner, bytes reason);

    /// @notice The ERC-2612 permit that came along is for another amount.
    error WrongPermit(uint256 found, uint256 needed);

    /// @inheritdoc IDepositCollector
    /// @dev `collectorData` is abi.encode(uint256 nonce, uint256 deadline, bytes signature, bytes
    /// permit); `permit` is empty or abi.encode(uint256 value, uint256 deadline, uint8 v, bytes32
    /// r, bytes32 s).
    function collect(
        address payer,
        address token,
        uint256 amount,
        bytes32 channelId,
        bytes calldata collectorData
    ) external onlyChannels {
        (uint256 nonce, uint256 deadline, bytes memory signature, bytes memory permit) =
            abi.decode(collectorData, (uint256, uint256, bytes, bytes));
        if (permit.length != 0) _permit(payer, token, amount, permit);
        IPermit2(PERMIT2)
            .permitWitnessTransferFrom(
                IPermit2.PermitTransferFrom(
                    IPermit2.TokenPermissions(token, amount), nonce, deadline
                ),
                IPermit2.SignatureTransferDetails(CHANNELS, amount),
                payer,
                keccak256(abi.encode(WITNESS_TYPEHASH, channelId)),
                WITNESS_TYPE,
                signature
            );
    }

    function _permit(address payer, address token, uint256 amount, bytes memory permit) private {
        (uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) =
            abi.decode(permit, (uint256, uint256, uint8, bytes32, bytes32));
        if (value != amount) revert WrongPermit(value, amount);
        try IERC20Permit(token).permit(payer, PERMIT2, value, deadline, v, r, s) {}
        catch (bytes memory reason) {
            // slither-disable-next-line reentrancy-events -- it says what the call said
            emit PermitFailed(token, payer, reason);
        }
    }
}
