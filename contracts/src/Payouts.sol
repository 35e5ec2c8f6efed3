// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Accounts} from "./Accounts.sol";
import {AgentSlot} from "./AgentSlot.sol";
import {ILedger} from "./ILedger.sol";

/// @title Money out: an agent's balance after a delay, a model's earnings and the fees at once.
/// @dev A withdrawal under way leaves the balance where it is, chargeable, until it is executed:
/// see `requestWithdraw`.
abstract contract Payouts is Accounts, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev One slot.
    struct Withdrawal {
        uint128 amount;
        uint128 unlocksAt;
    }

    /// @inheritdoc ILedger
    uint256 public immutable withdrawDelay;

    mapping(uint256 id => Withdrawal) private _withdrawals;

    /// @param withdrawDelay_ How long a withdrawal is locked, in seconds: the time the router has
    /// to settle what it admitted before it. At most 2^48.
    constructor(uint256 withdrawDelay_) {
        _requireFits(withdrawDelay_, type(uint48).max);
        withdrawDelay = withdrawDelay_;
    }

    /// @inheritdoc ILedger
    function requestWithdraw(uint32 id, uint256 amount) external {
        address owner = _owners[id].owner;
        if (owner == address(0)) revert UnknownAccount(id, accountCount);
        if (msg.sender != owner) revert NotOwner(msg.sender, owner);
        _requireFits(amount, _agents[id].balanceOf());
        uint256 unlocksAt = amount == 0 ? 0 : block.timestamp + withdrawDelay;
        _withdrawals[id] = Withdrawal(uint128(amount), uint128(unlocksAt));
        emit WithdrawRequested(id, amount, unlocksAt);
    }

    /// @inheritdoc ILedger
    function executeWithdraw(uint32 id) external nonReentrant returns (uint256 amount) {
        Withdrawal memory requested = _withdrawals[id];
        if (requested.amount == 0) revert NothingRequested(id);
        if (block.timestamp < requested.unlocksAt) {
            revert WithdrawalLocked(block.timestamp, requested.unlocksAt);
        }
        AgentSlot agent = _agents[id];
        amount = _lesser(requested.amount, agent.balanceOf());
        delete _withdrawals[id];
        _agents[id] = agent.debit(amount);
        emit Withdrawn(id, amount);
        IERC20(token).safeTransfer(_owners[id].owner, amount);
    }

    /// @inheritdoc ILedger
    function claim(uint32 id) external nonReentrant returns (uint256 amount) {
        Model storage model = _models[id];
        address owner = _owners[id].owner;
        if (owner == address(0)) revert UnknownAccount(id, accountCount);
        amount = model.earned - model.claimed;
        model.claimed = model.earned;
        emit Claimed(id, amount);
        IERC20(token).safeTransfer(owner, amount);
    }

    /// @inheritdoc ILedger
    function claimFees() external nonReentrant returns (uint256 amount) {
        amount = _counters.fees - feesClaimed;
        feesClaimed += amount;
        emit FeesClaimed(amount);
        IERC20(token).safeTransfer(treasury, amount);
    }

    /// @inheritdoc ILedger
    function withdrawal(uint32 id) external view returns (uint256 amount, uint256 unlocksAt) {
        Withdrawal memory requested = _withdrawals[id];
        return (requested.amount, requested.unlocksAt);
    }

    /// @inheritdoc ILedger
    function effectiveBalance(uint32 id) external view returns (uint256) {
        uint256 balance = _agents[id].balanceOf();
        return balance - _lesser(_withdrawals[id].amount, balance);
    }

    function _lesser(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
