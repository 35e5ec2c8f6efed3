// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Call} from "./support/Call.sol";
import {RailsTest} from "./support/RailsTest.sol";

/// @title Invariant I12: the same calls through every rail end in the same balances of everybody.
/// @dev Each rail settles the calls and pays everybody out, agents too; then wallets are compared.
contract RailsBalancesTest is RailsTest {
    function test_every_rail_ends_in_equal_balances_for_equal_calls() public {
        compareRails(uint256(keccak256("calls")));
    }

    function testFuzz_every_rail_ends_in_equal_balances_for_equal_calls(uint256 seed) public {
        compareRails(seed);
    }

    function compareRails(uint256 seed) private {
        Call[] memory calls = drawRailCalls(seed);
        uint256[] memory needed = expected(calls);
        compare("transfer", payByTransfer(calls), needed);
        compare("x402-exact", payByAuthorization(calls), needed);
        compare("escrow-job", payByJobs(calls), needed);
        compare("prepaid", payByDeductions(calls), needed);
        compare("batch", payByBatch(calls), needed);
        compare("channel", payByChannels(calls), needed);
        compare("epoch-root", payByEpoch(calls), needed);
    }
}
