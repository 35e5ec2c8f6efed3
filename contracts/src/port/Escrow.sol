// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IPort} from "./IPort.sol";
import {PortBase} from "./PortBase.sol";

/// @title Users' USDC, paid in ahead.
/// @dev What a withdrawal has claimed stays in the escrow until it is executed: epochs deduct from
/// all of it, for calls delivered before the request; new jobs leave it alone.
abstract contract Escrow is PortBase {
    using SafeERC20 for IERC20;

    struct Withdrawal {
        uint256 amount;
        uint256 unlockTime;
    }

    /// @inheritdoc IPort
    mapping(address user => uint256) public escrowBalance;
    mapping(address user => Withdrawal) private _withdrawals;

    /// @inheritdoc IPort
    function depositUSDC(uint256 amount) external nonReentrant {
        require(amount != 0, "amount is zero");
        uint256 needed = IERC20(usdcToken).balanceOf(address(this)) + amount;
        escrowBalance[msg.sender] += amount;
        emit Deposited(msg.sender, amount);
        IERC20(usdcToken).safeTransferFrom(msg.sender, address(this), amount);
        // slither-disable-next-line incorrect-equality -- nothing else can come in between
        require(IERC20(usdcToken).balanceOf(address(this)) == needed, "wrong transfer");
    }

    /// @inheritdoc IPort
    function requestWithdraw(uint256 amount) external {
        require(amount != 0, "amount is zero");
        require(amount <= escrowBalance[msg.sender], "insufficient escrow balance");
        uint256 unlockTime = block.timestamp + withdrawDelay;
        _withdrawals[msg.sender] = Withdrawal(amount, unlockTime);
        emit WithdrawRequested(msg.sender, amount, unlockTime);
    }

    /// @inheritdoc IPort
    function executeWithdraw() external nonReentrant {
        Withdrawal memory requested = _withdrawals[msg.sender];
        require(requested.amount != 0, "no withdrawal requested");
        require(block.timestamp >= requested.unlockTime, "withdrawal is locked");
        uint256 balance = escrowBalance[msg.sender];
        uint256 amount = requested.amount < balance ? requested.amount : balance;
        delete _withdrawals[msg.sender];
        escrowBalance[msg.sender] = balance - amount;
        emit Withdrawn(msg.sender, amount);
        IERC20(usdcToken).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IPort
    function effectiveBalance(address user) public view returns (uint256) {
        uint256 balance = escrowBalance[user];
        uint256 claimed = _withdrawals[user].amount;
        return balance > claimed ? balance - claimed : 0;
    }
}
