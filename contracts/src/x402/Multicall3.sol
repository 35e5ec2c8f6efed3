// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The one verb of Multicall3 that x402's facilitator reads channels by, for nodes that do
/// not have the original at its address.
contract Multicall3 {
    struct Call {
        address target;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    /// @notice A call failed that had to succeed.
    error CallFailed(uint256 position, bytes reason);

    /// @notice Calls each target in turn. It has no money and no rights, and keeps nothing.
    /// @param requireSuccess Whether one failure fails the whole.
    /// @param calls The targets and their calldata.
    /// @return results Whether each succeeded, and what it returned.
    function tryAggregate(bool requireSuccess, Call[] calldata calls)
        external
        returns (Result[] memory results)
    {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            // slither-disable-next-line calls-loop,low-level-calls -- it is what it is for
            (bool success, bytes memory data) = calls[i].target.call(calls[i].callData);
            if (requireSuccess && !success) revert CallFailed(i, data);
            results[i] = Result(success, data);
        }
    }
}
