// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev An agent's side of an account in one storage slot, read and written whole; from the least
/// significant bit: balance 80 bits, what is left of the cap 80, maxPrice 48, deadline in unix
/// seconds 48.
type AgentSlot is uint256;

using {
    balanceOf,
    capOf,
    maxPriceOf,
    deadlineOf,
    spendableOf,
    credit,
    spend,
    debit,
    allow
} for AgentSlot global;

function balanceOf(AgentSlot slot) pure returns (uint256) {
    return uint80(AgentSlot.unwrap(slot));
}

function capOf(AgentSlot slot) pure returns (uint256) {
    return uint80(AgentSlot.unwrap(slot) >> 80);
}

function maxPriceOf(AgentSlot slot) pure returns (uint256) {
    return uint48(AgentSlot.unwrap(slot) >> 160);
}

function deadlineOf(AgentSlot slot) pure returns (uint256) {
    return AgentSlot.unwrap(slot) >> 208;
}

/// @dev What the router may spend at `second`: the lesser of balance and cap, and nothing after the
/// deadline.
function spendableOf(AgentSlot slot, uint256 second) pure returns (uint256) {
    if (second > slot.deadlineOf()) return 0;
    (uint256 balance, uint256 cap) = (slot.balanceOf(), slot.capOf());
    return balance < cap ? balance : cap;
}

/// @dev Adds to the balance; the caller has checked that it fits.
function credit(AgentSlot slot, uint256 amount) pure returns (AgentSlot) {
    return AgentSlot.wrap(AgentSlot.unwrap(slot) + amount);
}

/// @dev Takes from balance and cap; the caller has checked that both have it, so neither borrows
/// from the next.
function spend(AgentSlot slot, uint256 amount) pure returns (AgentSlot) {
    unchecked {
        return AgentSlot.wrap(AgentSlot.unwrap(slot) - (amount | amount << 80));
    }
}

/// @dev Takes from the balance alone; the caller has checked that it has it.
function debit(AgentSlot slot, uint256 amount) pure returns (AgentSlot) {
    unchecked {
        return AgentSlot.wrap(AgentSlot.unwrap(slot) - amount);
    }
}

/// @dev Replaces the mandate; the caller has checked that its fields fit.
function allow(AgentSlot slot, uint256 cap, uint256 maxPrice, uint256 deadline)
    pure
    returns (AgentSlot)
{
    return AgentSlot.wrap(slot.balanceOf() | cap << 80 | maxPrice << 160 | deadline << 208);
}
