// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Accounts} from "./Accounts.sol";
import {AgentSlot} from "./AgentSlot.sol";
import {Batch, BatchLoop} from "./Batch.sol";
import {ICallLedger} from "./ICallLedger.sol";
import {Merkle} from "./Merkle.sol";

/// @title Calls, in batches or one by one: settled once, provable ever after.
abstract contract Settlement is Accounts, ICallLedger {
    using BatchLoop for Batch;

    uint256 private constant AGENTS = 1 << 32;
    uint256 private constant MODELS = 2 << 32;

    /// @inheritdoc ICallLedger
    function settleBatch(
        uint256 first,
        uint32[] calldata agents,
        uint32[] calldata models,
        bytes calldata records
    ) external {
        Counters memory counters = _begin(first);
        uint256 count = records.length / BatchLoop.RECORD_BYTES;
        if (count == 0 || records.length % BatchLoop.RECORD_BYTES != 0) {
            revert WrongLength(records.length, BatchLoop.RECORD_BYTES);
        }
        // slither-disable-next-line uninitialized-local -- memory starts at zero, and so do sums
        Batch memory batch;
        batch.first = first;
        batch.feeBps = feeBps;
        batch.agents = _open(agents, AGENTS, counters.batchCount);
        batch.models = _open(models, MODELS, counters.batchCount);
        batch.leaves = new bytes32[](count);
        batch.run(records);
        _close(batch, counters);
    }

    /// @inheritdoc ICallLedger
    function deduct(uint256 first, uint32 agent, uint32 model, bytes calldata record) external {
        Counters memory counters = _begin(first);
        if (record.length != BatchLoop.RECORD_BYTES) {
            revert WrongLength(record.length, BatchLoop.RECORD_BYTES);
        }
        // slither-disable-next-line uninitialized-local -- memory starts at zero, and so do sums
        Batch memory batch;
        batch.first = first;
        batch.feeBps = feeBps;
        batch.agents = _only(agent, AGENTS);
        batch.models = _only(model, MODELS);
        batch.leaves = new bytes32[](1);
        batch.run(record);
        _close(batch, counters);
    }

    /// @dev Only the router settles, and only what comes next.
    function _begin(uint256 first) private view returns (Counters memory counters) {
        if (msg.sender != router) revert NotRouter(msg.sender, router);
        counters = _counters;
        if (first != counters.callCount) revert WrongFirst(first, counters.callCount);
    }

    /// @dev The memory words of a batch's list (see Batch), each id known and there once. An id met
    /// leaves a mark in transient storage that is the batch's own, so none need be wiped.
    function _open(uint32[] calldata ids, uint256 list, uint256 batchId)
        private
        returns (uint256[] memory words)
    {
        words = new uint256[](ids.length);
        uint256 limit = accountCount;
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 id = ids[i];
            if (id == 0 || id > limit) revert UnknownAccount(id, limit);
            uint256 seen;
            assembly ("memory-safe") {
                let mark := or(list, id)
                seen := eq(tload(mark), add(batchId, 1))
                tstore(mark, add(batchId, 1))
            }
            if (seen != 0) revert RepeatedAccount(id);
            if (list == AGENTS) {
                AgentSlot agent = _agents[id];
                id |= agent.spendableOf(block.timestamp) << 80 | agent.maxPriceOf() << 32;
            }
            words[i] = id;
        }
    }

    /// @dev The list of one id, and of an agent the same word as `_open`'s, which repeats it here
    /// for its gas.
    function _only(uint256 id, uint256 list) private view returns (uint256[] memory words) {
        uint256 limit = accountCount;
        if (id == 0 || id > limit) revert UnknownAccount(id, limit);
        words = new uint256[](1);
        words[0] = id;
        if (list == AGENTS) {
            AgentSlot agent = _agents[id];
            words[0] |= agent.spendableOf(block.timestamp) << 80 | agent.maxPriceOf() << 32;
        }
    }

    /// @dev Writes back what the loop changed: a slot per agent and model, the counters, the root.
    function _close(Batch memory batch, Counters memory counters) private {
        unchecked {
            for (uint256 i = 0; i < batch.agents.length; ++i) {
                uint256 word = batch.agents[i];
                AgentSlot agent = _agents[uint32(word)];
                uint256 spent = agent.spendableOf(block.timestamp) - (word >> 80);
                if (spent != 0) _agents[uint32(word)] = agent.spend(spent);
            }
            for (uint256 i = 0; i < batch.models.length; ++i) {
                uint256 word = batch.models[i];
                if (word >> 32 != 0) _models[uint32(word)].earned += uint128(word >> 32);
            }
            uint256 count = batch.leaves.length;
            bytes32 root = Merkle.root(batch.leaves);
            uint256 batchId = counters.batchCount;
            rootOf[batchId] = root;
            _counters = Counters(
                uint64(counters.callCount + count),
                uint64(batchId + 1),
                uint128(counters.fees + batch.fees)
            );
            emit BatchSettled(batchId, batch.first, count, root, batch.total, batch.fees);
        }
    }
}
