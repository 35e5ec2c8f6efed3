// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILedger} from "./ILedger.sol";

/// @title What a CallLedger does: a router settles agents' calls in batches, or one by one.
/// @dev docs/DESIGN.md has this page in prose.
interface ICallLedger is ILedger {
    /// @notice One call was settled; only for records that ask for it.
    event CallSettled(uint256 indexed callId, bytes32 head, bytes32 answerHash);

    /// @notice The records are none, or not whole.
    error WrongLength(uint256 found, uint256 multiple);
    /// @notice A record names an entry that its batch's list does not have.
    error IndexOutOfList(uint256 found, uint256 limit);
    /// @notice A list names an account twice.
    error RepeatedAccount(uint256 found);
    /// @notice A record charges more than it quotes.
    error ChargeAboveQuote(uint256 found, uint256 limit);
    /// @notice A record has flags that mean nothing.
    error UnknownFlags(uint256 found, uint256 limit);

    /// @notice Settles calls: takes each charge from its agent, gives it less the fee to its model,
    /// and keeps the root of what was settled. The router's alone. A call its agent cannot or may
    /// not pay is settled at zero charge.
    /// @param first The id of the first call: must be `callCount`.
    /// @param agents The ids of the agents that the records point into, each once.
    /// @param models The ids of the models that the records point into, each once.
    /// @param records 64 bytes per call: `head` and `answerHash` (Batch.sol has the fields of
    /// `head`).
    function settleBatch(
        uint256 first,
        uint32[] calldata agents,
        uint32[] calldata models,
        bytes calldata records
    ) external;

    /// @notice Settles one call, as a batch of one: what a prepaid account is charged by, call by
    /// call. The router's alone.
    /// @param first The id of the call: must be `callCount`.
    /// @param agent Who pays.
    /// @param model Who answered.
    /// @param record The 64 bytes of the call; its agent index and model index must be zero.
    function deduct(uint256 first, uint32 agent, uint32 model, bytes calldata record) external;
}
