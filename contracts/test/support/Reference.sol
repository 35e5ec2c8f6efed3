// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CallLedger} from "../../src/CallLedger.sol";
import {Call, Calls} from "./Call.sol";

/// @dev What a batch must do, by list position.
struct Outcome {
    uint256[] balances;
    uint256[] caps;
    uint256[] earned;
    uint256[] charged;
    bytes32[] leaves;
    uint256 debits;
    uint256 credits;
    uint256 fees;
}

/// @title The ledger's rules a second time, slow and plain, to hold the fast ones against.
library Reference {
    /// @dev Reads the state before a batch and works out the state after it.
    function settle(
        CallLedger ledger,
        uint32[] memory agents,
        uint32[] memory models,
        Call[] memory calls
    ) internal view returns (Outcome memory outcome) {
        outcome.balances = new uint256[](agents.length);
        outcome.caps = new uint256[](agents.length);
        outcome.earned = new uint256[](models.length);
        outcome.charged = new uint256[](calls.length);
        outcome.leaves = new bytes32[](calls.length);
        for (uint256 i = 0; i < agents.length; ++i) {
            (outcome.balances[i], outcome.caps[i],,) = ledger.account(agents[i]);
        }
        for (uint256 i = 0; i < models.length; ++i) {
            (outcome.earned[i],) = ledger.earnings(models[i]);
        }
        for (uint256 i = 0; i < calls.length; ++i) {
            pay(ledger, agents, outcome, calls[i], i);
            outcome.leaves[i] =
                leaf(ledger.callCount() + i, agents, models, calls[i], outcome.charged[i]);
        }
    }

    function pay(
        CallLedger ledger,
        uint32[] memory agents,
        Outcome memory outcome,
        Call memory call,
        uint256 position
    ) private view {
        (,, uint256 maxPrice, uint256 deadline) = ledger.account(agents[call.agent]);
        bool mayPay = block.timestamp <= deadline && call.quote <= maxPrice;
        bool canPay =
            call.charge <= outcome.caps[call.agent] && call.charge <= outcome.balances[call.agent];
        if (!mayPay || !canPay) return;
        uint256 fee = call.charge * ledger.feeBps() / 10_000;
        outcome.charged[position] = call.charge;
        outcome.balances[call.agent] -= call.charge;
        outcome.caps[call.agent] -= call.charge;
        outcome.earned[call.model] += call.charge - fee;
        outcome.debits += call.charge;
        outcome.credits += call.charge - fee;
        outcome.fees += fee;
    }

    function leaf(
        uint256 callId,
        uint32[] memory agents,
        uint32[] memory models,
        Call memory call,
        uint256 charged
    ) internal pure returns (bytes32) {
        bytes memory fields = abi.encode(
            callId,
            agents[call.agent],
            models[call.model],
            Calls.head(call),
            call.answerHash,
            charged
        );
        return keccak256(bytes.concat(keccak256(fields)));
    }

    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        while (leaves.length > 1) {
            leaves = layerAbove(leaves);
        }
        return leaves[0];
    }

    /// @dev The hashes beside the path from a leaf to the root: none where an odd last node moves
    /// up.
    function proof(bytes32[] memory leaves, uint256 position)
        internal
        pure
        returns (bytes32[] memory hashes)
    {
        while (leaves.length > 1) {
            uint256 beside = position ^ 1;
            if (beside < leaves.length) hashes = append(hashes, leaves[beside]);
            leaves = layerAbove(leaves);
            position /= 2;
        }
    }

    function layerAbove(bytes32[] memory layer) internal pure returns (bytes32[] memory above) {
        above = new bytes32[]((layer.length + 1) / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            bool isAlone = 2 * i + 1 == layer.length;
            above[i] = isAlone ? layer[2 * i] : pair(layer[2 * i], layer[2 * i + 1]);
        }
    }

    function pair(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return
            left < right
                ? keccak256(bytes.concat(left, right))
                : keccak256(bytes.concat(right, left));
    }

    function append(bytes32[] memory hashes, bytes32 last)
        private
        pure
        returns (bytes32[] memory longer)
    {
        longer = new bytes32[](hashes.length + 1);
        for (uint256 i = 0; i < hashes.length; ++i) {
            longer[i] = hashes[i];
        }
        longer[hashes.length] = last;
    }
}
