// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Accounts} from "./Accounts.sol";
import {Funding} from "./Funding.sol";
import {ICallLedger} from "./ICallLedger.sol";
import {Settlement} from "./Settlement.sol";

/// @title Where agents' calls are paid: money in (Funding), settled batches (Settlement), money out
/// (here).
/// @dev No owner, no proxy: the router can only spend within mandates, and nobody can change the
/// parameters. Bodies go: check, set, emit, move.
contract CallLedger is Funding, Settlement {
    using SafeERC20 for IERC20;

    /// @param token_ An ERC-20 with ERC-3009.
    /// @param router_ Who may settle.
    /// @param treasury_ Where the fees go.
    /// @param feeBps_ The fee in ten-thousandths of each charge.
    constructor(address token_, address router_, address treasury_, uint16 feeBps_)
        Accounts(token_, router_, treasury_, feeBps_)
        EIP712("Telex CallLedger", "1")
    {}

    /// @inheritdoc ICallLedger
    function claim(uint32 id) external nonReentrant returns (uint256 amount) {
        Model storage model = _models[id];
        address owner = _owners[id].owner;
        if (owner == address(0)) revert UnknownAccount(id, accountCount);
        amount = model.earned - model.claimed;
        model.claimed = model.earned;
        emit Claimed(id, amount);
        IERC20(token).safeTransfer(owner, amount);
    }

    /// @inheritdoc ICallLedger
    function claimFees() external nonReentrant returns (uint256 amount) {
        amount = _counters.fees - feesClaimed;
        feesClaimed += amount;
        emit FeesClaimed(amount);
        IERC20(token).safeTransfer(treasury, amount);
    }
}
