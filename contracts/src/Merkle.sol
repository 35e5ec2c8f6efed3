// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The tree over a batch's calls, in the shape that OpenZeppelin's MerkleProof verifies.
library Merkle {
    /// @notice The leaf of a settled call: hashed twice, so that no inner node can pass for one.
    /// @dev keccak256(bytes.concat(keccak256(abi.encode(callId, agent, model, head, answerHash,
    /// charged)))), in memory beyond the free pointer, which stays: abi.encode would use up 224
    /// bytes per call.
    function leaf(
        uint256 callId,
        uint256 agent,
        uint256 model,
        uint256 head,
        bytes32 answerHash,
        uint256 charged
    ) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, callId)
            mstore(add(free, 0x20), agent)
            mstore(add(free, 0x40), model)
            mstore(add(free, 0x60), head)
            mstore(add(free, 0x80), answerHash)
            mstore(add(free, 0xa0), charged)
            mstore(0x00, keccak256(free, 0xc0))
            hash := keccak256(0x00, 0x20)
        }
    }

    /// @notice The root over leaves in order, layer by layer: each pair is sorted and hashed, an
    /// odd last node moves up unchanged.
    /// @dev Works in place, a layer over the one before it: `leaves` is used up. There must be at
    /// least one.
    function root(bytes32[] memory leaves) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let start := add(leaves, 0x20)
            let count := mload(leaves)
            for {} gt(count, 1) { count := shr(1, add(count, 1)) } {
                let from := start
                let to := start
                let end := add(start, shl(6, shr(1, count))) // past the last whole pair
                for {} lt(from, end) { from := add(from, 0x40) } {
                    let left := mload(from)
                    let right := mload(add(from, 0x20))
                    let isSorted := lt(left, right)
                    mstore(shl(5, iszero(isSorted)), left)
                    mstore(shl(5, isSorted), right)
                    mstore(to, keccak256(0x00, 0x40))
                    to := add(to, 0x20)
                }
                if and(count, 1) { mstore(to, mload(from)) }
            }
            hash := mload(start)
        }
    }
}
