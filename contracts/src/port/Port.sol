// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Jobs} from "./Jobs.sol";
import {PortBase} from "./PortBase.sol";

/// @title The Telegraph protocol's one address: escrow, jobs, miners, prices, epochs.
/// @dev No owner, no proxy. The settlement authority can end jobs, deduct deliveries from escrow
/// and count demand; it cannot keep anybody's money: an unanswered job expires, an escrow can be
/// withdrawn.
contract Port is Jobs {
    /// @param given The port's parameters.
    constructor(Parameters memory given) PortBase(given) {}
}
