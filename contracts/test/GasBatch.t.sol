// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {GasTest} from "./support/GasTest.sol";

/// @title A batch of 1,000 calls costs no more than SETTLEMENT's table, nor than the prototype did.
contract GasBatchTest is GasTest {
    function requireWithin(uint256 agents, uint256 flags, uint256 perCall) private {
        uint256 gas = settleGas(1000, agents, 20, flags);
        uint256 table = 1000 * (2900 + 1900 * flags) + 9000 * (agents + 20);
        assertLe(gas, table, "the table's bound");
        assertLe(gas / 1000, perCall, "per call");
        assertLe(gas, 16_700_000, "a transaction's gas");
    }

    function test_gas_of_1000_calls_by_20_agents_with_events() public {
        requireWithin(20, 1, 4311);
    }

    function test_gas_of_1000_calls_by_200_agents_with_events() public {
        requireWithin(200, 1, 5690);
    }

    function test_gas_of_1000_calls_by_1000_agents_with_events() public {
        requireWithin(1000, 1, 12_091);
    }

    function test_gas_of_1000_calls_by_20_agents_without_events() public {
        requireWithin(20, 0, 2900);
    }
}
