// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICallLedger} from "./ICallLedger.sol";
import {Merkle} from "./Merkle.sol";

/// @dev A batch on its way through the loop, in memory. An agent's word, from the top: what it can
/// still pay, 176 bits; maxPrice, 48; id, 32. A model's word: what it earned in this batch, 224
/// bits; id, 32.
struct Batch {
    uint256 first;
    uint256 feeBps;
    uint256[] agents;
    uint256[] models;
    bytes32[] leaves;
    uint256 total;
    uint256 fees;
}

/// @title The loop over a batch's records: all that is done once per call, and so is worth its gas.
/// @dev A record is two words, `head` and `answerHash`. The fields of `head`, from the least
/// significant bit: agent index 16 bits, model index 16, quote 48, charge 48, score ppm 24, intent
/// 16, finished us 64, flags 24. Unchecked throughout. What bounds it: an agent pays at most what
/// it has (compared before each subtraction), a charge is below 2^48 and a batch has fewer than
/// 2^64 of them, so no sum here or in storage reaches 2^112.
library BatchLoop {
    uint256 internal constant RECORD_BYTES = 64;
    uint256 private constant MASK_16 = type(uint16).max;
    uint256 private constant MASK_32 = type(uint32).max;
    uint256 private constant MASK_48 = type(uint48).max;
    uint256 private constant FLAG_EMIT = 1;

    /// @notice Settles every record in memory: who is left with what, what is earned, and the
    /// leaves.
    function run(Batch memory batch, bytes calldata records) internal {
        unchecked {
            uint256 callId = batch.first;
            uint256 head;
            bytes32 answerHash;
            for (uint256 offset = 0; offset < records.length; offset += RECORD_BYTES) {
                assembly ("memory-safe") {
                    let record := add(records.offset, offset)
                    head := calldataload(record)
                    answerHash := calldataload(add(record, 0x20))
                }
                (uint256 agent, uint256 model, uint256 charged) = _pay(batch, head);
                bytes32 leaf = Merkle.leaf(callId, agent, model, head, answerHash, charged);
                bytes32[] memory leaves = batch.leaves;
                assembly ("memory-safe") {
                    mstore(add(add(leaves, 0x20), shr(1, offset)), leaf) // a leaf is half as long
                    // as its record
                }
                uint256 flags = head >> 232;
                if (flags != 0) {
                    if (flags != FLAG_EMIT) revert ICallLedger.UnknownFlags(flags, FLAG_EMIT);
                    emit ICallLedger.CallSettled(callId, bytes32(head), answerHash);
                }
                ++callId;
            }
        }
    }

    /// @dev Moves one call's charge from its agent to its model and the fees, or nothing if the
    /// agent cannot pay.
    function _pay(Batch memory batch, uint256 head)
        private
        pure
        returns (uint256 agent, uint256 model, uint256 charged)
    {
        unchecked {
            uint256 agentAt = _entry(batch.agents, head & MASK_16);
            uint256 modelAt = _entry(batch.models, (head >> 16) & MASK_16);
            assembly ("memory-safe") {
                agent := mload(agentAt)
                model := mload(modelAt)
            }
            uint256 quote = (head >> 32) & MASK_48;
            charged = (head >> 80) & MASK_48;
            if (charged > quote) revert ICallLedger.ChargeAboveQuote(charged, quote);
            if (quote > (agent >> 32) & MASK_48 || charged > agent >> 80) charged = 0;
            if (charged != 0) {
                uint256 fee = charged * batch.feeBps / 10_000;
                batch.total += charged;
                batch.fees += fee;
                assembly ("memory-safe") {
                    mstore(agentAt, sub(agent, shl(80, charged)))
                    mstore(modelAt, add(model, shl(32, sub(charged, fee))))
                }
            }
            agent &= MASK_32;
            model &= MASK_32;
        }
    }

    /// @dev The place of an entry in a list that a record points into.
    function _entry(uint256[] memory list, uint256 index) private pure returns (uint256 pointer) {
        if (index >= list.length) revert ICallLedger.IndexOutOfList(index, list.length);
        assembly ("memory-safe") {
            pointer := add(add(list, 0x20), shl(5, index))
        }
    }
}
