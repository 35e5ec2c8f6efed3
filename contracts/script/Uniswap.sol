// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Vm} from "../test/support/Vm.sol";

/// @title What is used of Uniswap v3's factory.
interface IFactory {
    function getPool(address tokenA, address tokenB, uint24 fee) external view returns (address);
    function feeAmountTickSpacing(uint24 fee) external view returns (int24);
}

/// @title What is used of Uniswap v3's NonfungiblePositionManager.
interface IPositions {
    struct MintParams {
        address token0;
        address token1;
        uint24 fee;
        int24 tickLower;
        int24 tickUpper;
        uint256 amount0Desired;
        uint256 amount1Desired;
        uint256 amount0Min;
        uint256 amount1Min;
        address recipient;
        uint256 deadline;
    }

    function createAndInitializePoolIfNecessary(
        address token0,
        address token1,
        uint24 fee,
        uint160 sqrtPriceX96
    ) external returns (address pool);

    function mint(MintParams calldata params)
        external
        returns (uint256 tokenId, uint128 liquidity, uint256 amount0, uint256 amount1);
}

/// @title Uniswap v3 itself, from the code that its npm packages carry, and a pool in it.
abstract contract Uniswap {
    struct Exchange {
        IFactory factory;
        IPositions positions;
        address swapRouter;
        address pool;
    }

    uint24 internal constant POOL_FEE = 3000; // millionths
    int24 private constant MOST_TICK = 887_272;
    /// @dev Pools of plain tokens never call it.
    address private constant NO_WETH = address(0xE7);
    string private constant CORE = "node_modules/@uniswap/v3-core/artifacts/contracts/";
    string private constant PERIPHERY = "node_modules/@uniswap/v3-periphery/artifacts/contracts/";
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function deployUniswap() internal returns (Exchange memory made) {
        made.factory = IFactory(create(CORE, "UniswapV3Factory", ""));
        bytes memory arguments = abi.encode(made.factory, NO_WETH);
        made.swapRouter = create(PERIPHERY, "SwapRouter", arguments);
        arguments = abi.encode(made.factory, NO_WETH, address(0));
        made.positions = IPositions(create(PERIPHERY, "NonfungiblePositionManager", arguments));
    }

    /// @dev Opens a pool at the price that the amounts say, with one full-range position of
    /// `owner`'s.
    /// The sender has both amounts and gives both.
    function openPool(
        Exchange memory exchange,
        IERC20 tokenA,
        uint256 amountA,
        IERC20 tokenB,
        uint256 amountB,
        address owner
    ) internal {
        tokenA.approve(address(exchange.positions), amountA);
        tokenB.approve(address(exchange.positions), amountB);
        if (address(tokenB) < address(tokenA)) {
            (tokenA, amountA, tokenB, amountB) = (tokenB, amountB, tokenA, amountA);
        }
        uint160 price = uint160(Math.sqrt(Math.mulDiv(amountB, 1 << 192, amountA)));
        exchange.pool = exchange.positions
            .createAndInitializePoolIfNecessary(address(tokenA), address(tokenB), POOL_FEE, price);
        int24 spacing = exchange.factory.feeAmountTickSpacing(POOL_FEE);
        int24 tick = MOST_TICK / spacing * spacing;
        exchange.positions
            .mint(
                IPositions.MintParams({
                    token0: address(tokenA),
                    token1: address(tokenB),
                    fee: POOL_FEE,
                    tickLower: -tick,
                    tickUpper: tick,
                    amount0Desired: amountA,
                    amount1Desired: amountB,
                    amount0Min: 0,
                    amount1Min: 0,
                    recipient: owner,
                    deadline: block.timestamp + 1 hours
                })
            );
    }

    function create(string memory folder, string memory name, bytes memory arguments)
        private
        returns (address made)
    {
        string memory json = vm.readFile(string.concat(folder, name, ".sol/", name, ".json"));
        bytes memory code = bytes.concat(vm.parseJsonBytes(json, ".bytecode"), arguments);
        assembly ("memory-safe") {
            made := create(0, add(code, 0x20), mload(code))
        }
        require(made != address(0), name);
    }
}
