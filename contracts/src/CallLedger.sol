// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Accounts} from "./Accounts.sol";
import {Funding} from "./Funding.sol";
import {Payouts} from "./Payouts.sol";
import {Settlement} from "./Settlement.sol";

/// @title Where agents' calls are paid: money in (Funding), settled calls (Settlement), money out
/// (Payouts).
/// @dev No proxy: the router can only spend within mandates, the owner can only stop deposits, and
/// nobody can change the parameters. Bodies go: check, set, emit, move.
contract CallLedger is Funding, Settlement, Payouts {
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
        EIP712("Telex CallLedger", "1")
        Payouts(withdrawDelay_)
    {}
}
