// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev One call as the router sees it; the fields of `head` that the ledger only passes on come
/// from the answer hash.
struct Call {
    uint256 agent; // index into the batch's list
    uint256 model; // index into the batch's list
    uint256 quote;
    uint256 charge;
    uint256 flags;
    bytes32 answerHash;
}

/// @title Calls as records, by the layout in docs/DESIGN.md.
library Calls {
    function head(Call memory call) internal pure returns (bytes32) {
        uint256 seed = uint256(call.answerHash);
        uint256 score = seed % 1_000_001;
        uint256 intent = seed % 11;
        uint256 finished = seed % 86_400_000_000;
        return bytes32(
            call.agent | call.model << 16 | call.quote << 32 | call.charge << 80 | score << 128
                | intent << 152 | finished << 168 | call.flags << 232
        );
    }

    function encode(Call[] memory calls) internal pure returns (bytes memory records) {
        records = new bytes(calls.length * 64);
        for (uint256 i = 0; i < calls.length; ++i) {
            bytes32 first = head(calls[i]);
            bytes32 second = calls[i].answerHash;
            assembly ("memory-safe") {
                let record := add(add(records, 0x20), shl(6, i))
                mstore(record, first)
                mstore(add(record, 0x20), second)
            }
        }
    }
}
