// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Accounts} from "./Accounts.sol";
import {AgentSlot} from "./AgentSlot.sol";
import {Funding} from "./Funding.sol";
import {Payouts} from "./Payouts.sol";

/// @title A ledger that is told once per epoch what everybody paid and earned in all, and one root
/// over the calls.
/// @dev Accounts, mandates, deposits and withdrawals are CallLedger's, and so are a call's leaf and
/// `proveCall`; an epoch is a batch. What is not checked here is what happened inside the epoch:
/// the calls stay with the router, who is trusted to say their sums. The chain holds it to each
/// agent's balance, cap and deadline, to debits = credits + fees, and to a fee rounded down by less
/// than one unit per call.
contract EpochRoot is Funding, Payouts {
    /// @notice All that was bought in an epoch.
    /// @param first The id of its first call: must be `callCount`.
    /// @param count How many calls it has.
    /// @param root The root over their leaves (see `proveCall`).
    /// @param agents Who pays.
    /// @param debits What each pays in all.
    /// @param models Who answered.
    /// @param credits What each earned in all, the fees off.
    struct Epoch {
        uint256 first;
        uint256 count;
        bytes32 root;
        uint32[] agents;
        uint256[] debits;
        uint32[] models;
        uint256[] credits;
    }

    /// @notice There is not one amount for each account.
    error WrongLength(uint256 found, uint256 needed);
    /// @notice An epoch without calls.
    error NoCalls();
    /// @notice An agent is debited more than its balance, cap and deadline let the router spend.
    error Overdraft(uint32 id, uint256 found, uint256 limit);
    /// @notice Credits and the fee do not make up the debits: the fee may be `limit`, or less by
    /// rounding.
    error WrongFees(uint256 found, uint256 limit);

    /// @param token_ An ERC-20 with ERC-3009.
    /// @param router_ Who may settle.
    /// @param treasury_ Where the fees go.
    /// @param feeBps_ The fee in ten-thousandths of each charge.
    /// @param withdrawDelay_ How long a withdrawal is locked, in seconds.
    constructor(
        address token_,
        address router_,
        address treasury_,
        uint16 feeBps_,
        uint256 withdrawDelay_
    )
        Accounts(token_, router_, treasury_, feeBps_)
        EIP712("Telex EpochRoot", "1")
        Payouts(withdrawDelay_)
    {}

    /// @notice Settles an epoch: takes each debit from its agent, gives each credit to its model,
    /// the rest to the fees, and keeps the root. The router's alone; one agent that cannot pay its
    /// debit reverts the whole, and the router leaves its calls out and sends again.
    /// @param epoch What was bought in it.
    function settleEpoch(Epoch calldata epoch) external {
        if (msg.sender != router) revert NotRouter(msg.sender, router);
        Counters memory counters = _counters;
        if (epoch.first != counters.callCount) revert WrongFirst(epoch.first, counters.callCount);
        if (epoch.count == 0) revert NoCalls();
        _requireFits(epoch.count, type(uint64).max - epoch.first);
        uint256 total = _debit(epoch.agents, epoch.debits);
        uint256 fee = _fee(total, _credit(epoch.models, epoch.credits), epoch.count);
        uint256 batchId = counters.batchCount;
        rootOf[batchId] = epoch.root;
        _counters = Counters(
            uint64(epoch.first + epoch.count), uint64(batchId + 1), uint128(counters.fees + fee)
        );
        emit BatchSettled(batchId, epoch.first, epoch.count, epoch.root, total, fee);
    }

    function _debit(uint32[] calldata ids, uint256[] calldata amounts)
        private
        returns (uint256 total)
    {
        if (amounts.length != ids.length) revert WrongLength(amounts.length, ids.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            AgentSlot agent = _agents[ids[i]];
            uint256 limit = agent.spendableOf(block.timestamp);
            if (amounts[i] > limit) revert Overdraft(ids[i], amounts[i], limit);
            _agents[ids[i]] = agent.spend(amounts[i]);
            total += amounts[i];
        }
    }

    function _credit(uint32[] calldata ids, uint256[] calldata amounts)
        private
        returns (uint256 total)
    {
        if (amounts.length != ids.length) revert WrongLength(amounts.length, ids.length);
        uint256 limit = accountCount;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (ids[i] == 0 || ids[i] > limit) revert UnknownAccount(ids[i], limit);
            _requireFits(amounts[i], type(uint112).max);
            _models[ids[i]].earned += uint128(amounts[i]);
            total += amounts[i];
        }
    }

    /// @dev What debits leave over credits. The sum of fees that are rounded down call by call is
    /// at most the fee of the sum, and less by under one unit per call.
    function _fee(uint256 debits, uint256 credits, uint256 count) private view returns (uint256) {
        uint256 limit = debits * feeBps / 10_000;
        if (credits > debits) revert WrongFees(0, limit);
        uint256 fee = debits - credits;
        if (fee > limit || fee + count <= limit) revert WrongFees(fee, limit);
        return fee;
    }
}
