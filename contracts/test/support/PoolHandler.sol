// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PortHandler} from "./PortHandler.sol";
import {PortPoolTest} from "./PortPoolTest.sol";
import {PortTest} from "./PortTest.sol";

/// @title The same port with a pool that can take some of what its miners are paid, but not all.
contract PoolHandler is PortHandler, PortPoolTest {
    uint256 private constant DEPTH = 25 * DOLLAR;

    function setUp() public override(PortTest) {
        super.setUp();
        Exchange memory made = shallowPool(DEPTH);
        pool = made.pool;
        paidIn += usdc.balanceOf(pool);
        port = portOn(made.swapRouter);
        register(MINER, FEE_ADDRESS);
        fund(AGENT, 100 * DOLLAR);
    }
}
