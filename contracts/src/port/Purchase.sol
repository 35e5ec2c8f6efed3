// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ISwapRouter} from "@uniswap/v3-periphery/contracts/interfaces/ISwapRouter.sol";
import {PortBase} from "./PortBase.sol";

/// @title How a miner is paid: USDC buys MACHINA for it, in one Uniswap v3 pool.
abstract contract Purchase is PortBase {
    using SafeERC20 for IERC20;

    /// @dev Swaps, and reverts if the pool gives less than `least`. What the pool does not take, for
    /// want of liquidity, is paid in USDC: all of it, if there is no pool. Returns the USDC swapped
    /// and the MACHINA bought.
    function _buy(address to, uint256 amount, uint256 least)
        internal
        returns (uint256 swapped, uint256 machina)
    {
        if (swapRouter == address(0)) {
            IERC20(usdcToken).safeTransfer(to, amount);
            return (0, 0);
        }
        IERC20(usdcToken).forceApprove(swapRouter, amount);
        machina = ISwapRouter(swapRouter).exactInputSingle(_order(to, amount, least));
        swapped = amount - _payRest(to);
    }

    /// @dev The same at any price, and all in USDC if the pool cannot swap: a job must end.
    function _buyOrPay(address to, uint256 amount)
        internal
        returns (uint256 swapped, uint256 machina)
    {
        if (swapRouter == address(0)) return _buy(to, amount, 0);
        IERC20(usdcToken).forceApprove(swapRouter, amount);
        try ISwapRouter(swapRouter).exactInputSingle(_order(to, amount, 0)) returns (
            uint256 bought
        ) {
            machina = bought;
        } catch {}
        swapped = amount - _payRest(to);
    }

    /// @dev Pays in USDC what the pool left of its allowance, and ends that.
    function _payRest(address to) private returns (uint256 rest) {
        rest = IERC20(usdcToken).allowance(address(this), swapRouter);
        if (rest == 0) return 0;
        IERC20(usdcToken).forceApprove(swapRouter, 0);
        IERC20(usdcToken).safeTransfer(to, rest);
    }

    function _order(address to, uint256 amount, uint256 least)
        private
        view
        returns (ISwapRouter.ExactInputSingleParams memory)
    {
        return ISwapRouter.ExactInputSingleParams({
            tokenIn: usdcToken,
            tokenOut: machinaToken,
            fee: poolFee,
            recipient: to,
            deadline: block.timestamp,
            amountIn: amount,
            amountOutMinimum: least,
            sqrtPriceLimitX96: 0
        });
    }
}
