// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Call} from "./Call.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title Batches to measure: mandates on, every account used before, every agent and model listed
/// has calls.
abstract contract GasTest is LedgerTest {
    uint256 internal constant AGENTS = 1000;
    uint256 internal constant MODELS = 200;
    uint256 internal constant DOLLAR = 1e6;

    uint32 internal firstAgent;
    uint32 internal firstModel;

    function setUp() public virtual override {
        super.setUp();
        firstAgent = registerNext(AGENTS);
        firstModel = registerNext(MODELS);
        for (uint32 id = firstAgent; id < firstModel; ++id) {
            pay(id, 1000 * DOLLAR);
            allow(id, 500 * DOLLAR, DOLLAR, NOW + 1 days);
        }
        settleGas(1000, AGENTS, MODELS, 0);
    }

    /// @dev The gas of one settled batch as a transaction, calldata included.
    function settleGas(uint256 calls, uint256 agents, uint256 models, uint256 flags)
        internal
        returns (uint256)
    {
        Call[] memory batch = new Call[](calls);
        for (uint256 i = 0; i < calls; ++i) {
            bytes32 answerHash = keccak256(abi.encode(i));
            uint256 quote = 2000 + uint256(answerHash) % 100_000;
            batch[i] = Call(i % agents, i % models, quote, quote * 9 / 10, flags, answerHash);
        }
        settle(range(firstAgent, agents), range(firstModel, models), batch);
        return vm.lastCallGas().gasTotalUsed;
    }
}
