// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IPermit2} from "../../src/x402/Permit2DepositCollector.sol";

/// @title Stands in for Permit2: moves what it is asked to, checks nothing, remembers the question.
contract Permit2Double is IPermit2 {
    uint256 public nonce;
    uint256 public deadline;
    address public spender;
    bytes32 public witness;
    string public witnessType;
    string public signature;

    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness_,
        string calldata witnessTypeString,
        bytes calldata signature_
    ) external {
        (nonce, deadline, spender) = (permit.nonce, permit.deadline, msg.sender);
        (witness, witnessType, signature) = (witness_, witnessTypeString, string(signature_));
        require(transferDetails.requestedAmount <= permit.permitted.amount, "too much");
        bool isMoved = IERC20(permit.permitted.token)
            .transferFrom(owner, transferDetails.to, transferDetails.requestedAmount);
        require(isMoved, "not moved");
    }
}
