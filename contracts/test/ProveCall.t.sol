// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BatchTest} from "./support/BatchTest.sol";
import {Call} from "./support/Call.sol";
import {Outcome, Reference} from "./support/Reference.sol";

contract ProveCallTest is BatchTest {
    /// @dev What proveCall takes, in one piece.
    struct Claimed {
        uint256 batchId;
        uint256 callId;
        uint32 agent;
        uint32 model;
        bytes32 head;
        bytes32 answerHash;
        uint256 charged;
        bytes32[] proof;
    }

    uint32[] private agents;
    uint32[] private models;

    function isProven(Claimed memory claimed) private view returns (bool) {
        return ledger.proveCall(
            claimed.batchId,
            claimed.callId,
            claimed.agent,
            claimed.model,
            claimed.head,
            claimed.answerHash,
            claimed.charged,
            claimed.proof
        );
    }

    /// @dev Settles a random batch of `count` calls after one of three; returns every call as it
    /// can be proven.
    function settled(uint256 seed, uint256 count) private returns (Claimed[] memory claims) {
        agents = drawAgents(seed, 4);
        models = range(registerNext(3), 3);
        settle(agents, models, drawCalls(seed, 4, 3, 3));
        Call[] memory calls = drawCalls(seed, 4, 3, count);
        Outcome memory outcome = settleAsExpected(agents, models, calls);
        claims = new Claimed[](count);
        for (uint256 i = 0; i < count; ++i) {
            claims[i] = Claimed({
                batchId: 1,
                callId: 3 + i,
                agent: agents[calls[i].agent],
                model: models[calls[i].model],
                head: headOf(calls[i]),
                answerHash: calls[i].answerHash,
                charged: outcome.charged[i],
                proof: Reference.proof(outcome.leaves, i)
            });
        }
    }

    function test_every_call_of_batches_of_every_small_size_is_proven() public {
        for (uint256 count = 1; count <= 17; ++count) {
            super.setUp();
            Claimed[] memory claims = settled(count, count);
            for (uint256 i = 0; i < count; ++i) {
                assertTrue(isProven(claims[i]), "proven");
            }
        }
    }

    function test_a_batch_of_one_is_its_own_proof() public {
        Claimed[] memory claims = settled(1, 1);
        assertEq(claims[0].proof.length, 0, "steps");
        assertTrue(isProven(claims[0]), "proven");
    }

    function test_nothing_is_proven_of_a_batch_that_is_not_there() public {
        Claimed[] memory claims = settled(1, 2);
        claims[0].batchId = 2;
        assertFalse(isProven(claims[0]), "proven");
        assertEq(ledger.rootOf(2), 0, "root");
    }

    function testFuzz_every_call_is_proven(uint256 seed) public {
        Claimed[] memory claims = settled(seed, 1 + draw(seed, 33));
        for (uint256 i = 0; i < claims.length; ++i) {
            assertTrue(isProven(claims[i]), "proven");
        }
    }

    function testFuzz_a_call_with_any_bit_changed_is_not_proven(uint256 seed) public {
        Claimed[] memory claims = settled(seed, 2 + draw(seed, 20));
        Claimed memory claimed = claims[draw(seed, claims.length)];
        uint256 field = draw(seed, 8);
        uint256 bit = 1 << draw(seed, field == 2 || field == 3 ? 32 : 256);
        if (field == 0) claimed.batchId ^= bit;
        if (field == 1) claimed.callId ^= bit;
        if (field == 2) claimed.agent ^= uint32(bit);
        if (field == 3) claimed.model ^= uint32(bit);
        if (field == 4) claimed.head ^= bytes32(bit);
        if (field == 5) claimed.answerHash ^= bytes32(bit);
        if (field == 6) claimed.charged ^= bit;
        if (field == 7) claimed.proof[draw(seed, claimed.proof.length)] ^= bytes32(bit);
        assertFalse(isProven(claimed), "proven");
    }

    function testFuzz_a_proof_with_a_step_left_out_or_added_proves_nothing(uint256 seed) public {
        Claimed[] memory claims = settled(seed, 2 + draw(seed, 20));
        Claimed memory claimed = claims[draw(seed, claims.length)];
        bytes32[] memory steps = claimed.proof;
        bytes32[] memory fewer = new bytes32[](steps.length - 1);
        for (uint256 i = 0; i < fewer.length; ++i) {
            fewer[i] = steps[i + 1];
        }
        claimed.proof = fewer;
        assertFalse(isProven(claimed), "without the first step");
        bytes32[] memory more = new bytes32[](steps.length + 1);
        for (uint256 i = 0; i < steps.length; ++i) {
            more[i] = steps[i];
        }
        more[steps.length] = ledger.rootOf(1);
        claimed.proof = more;
        assertFalse(isProven(claimed), "with the root as a step");
    }

    /// @dev An inner node hashes 64 bytes, once; a leaf 192, twice. Here the two words of an inner
    /// node are offered as the last words of a call, and the sorted pair as record and answer.
    function testFuzz_an_inner_node_is_not_a_call(uint256 seed) public {
        Claimed[] memory claims = settled(seed, 2);
        bytes32 left = Reference.leaf(3, agents, models, callOf(claims[0]), claims[0].charged);
        bytes32 right = Reference.leaf(4, agents, models, callOf(claims[1]), claims[1].charged);
        assertEq(Reference.pair(left, right), ledger.rootOf(1), "the root is that inner node");
        Claimed memory claimed = claims[0];
        claimed.proof = new bytes32[](0);
        (claimed.head, claimed.answerHash) = left < right ? (left, right) : (right, left);
        assertFalse(isProven(claimed), "as record");
        (claimed.answerHash, claimed.charged) = (claimed.head, uint256(claimed.answerHash));
        assertFalse(isProven(claimed), "as last words");
    }

    function callOf(Claimed memory claimed) private pure returns (Call memory) {
        uint256 head = uint256(claimed.head);
        return Call(
            uint16(head),
            uint16(head >> 16),
            uint48(head >> 32),
            uint48(head >> 80),
            uint24(head >> 232),
            claimed.answerHash
        );
    }
}
