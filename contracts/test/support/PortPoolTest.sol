// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IPositions, Uniswap} from "../../script/Uniswap.sol";
import {Port} from "../../src/port/Port.sol";
import {PortBase} from "../../src/port/PortBase.sol";
import {PortTest} from "./PortTest.sol";

/// @title Ports that buy in pools, deep and shallow.
abstract contract PortPoolTest is PortTest, Uniswap {
    /// @dev A price of one MACHINA a dollar, in ticks: log(1e12) / log(1.0001).
    int24 private constant ONE_DOLLAR = 276_300;
    int24 private constant SIX_PERCENT = 600;

    function portOn(address swapRouter) internal returns (Port) {
        PortBase.Parameters memory given = parameters();
        (given.swapRouter, given.poolFee) = (swapRouter, POOL_FEE);
        return new Port(given);
    }

    /// @dev A pool at a dollar per MACHINA that has no more than `depth` of either, and nothing
    /// beyond 6 % of its price. There must be MACHINA to mint; it was an epoch's.
    function shallowPool(uint256 depth) internal returns (Exchange memory made) {
        made = deployUniswap();
        address[] memory self = new address[](1);
        self[0] = address(this);
        machina.mintEpoch(self, new address[](0), new uint256[](0));
        usdc.mint(address(this), depth);
        (IERC20 dollar, IERC20 token) = (IERC20(address(usdc)), IERC20(address(machina)));
        dollar.approve(address(made.positions), type(uint256).max);
        token.approve(address(made.positions), type(uint256).max);
        bool first = address(dollar) < address(token);
        IPositions.MintParams memory all;
        (all.token0, all.token1) =
            first ? (address(dollar), address(token)) : (address(token), address(dollar));
        (all.amount0Desired, all.amount1Desired) =
            first ? (depth, depth * 1e12) : (depth * 1e12, depth);
        int24 middle = first ? ONE_DOLLAR : -ONE_DOLLAR;
        (all.tickLower, all.tickUpper) = (middle - SIX_PERCENT, middle + SIX_PERCENT);
        (all.fee, all.recipient, all.deadline) = (POOL_FEE, address(this), block.timestamp);
        uint160 price =
            uint160(Math.sqrt(Math.mulDiv(all.amount1Desired, 1 << 192, all.amount0Desired)));
        made.pool = made.positions
            .createAndInitializePoolIfNecessary(all.token0, all.token1, POOL_FEE, price);
        made.positions.mint(all);
    }
}
