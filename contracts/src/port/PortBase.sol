// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IPort} from "./IPort.sol";

/// @title What all parts of the port share: its parameters, and who may settle.
abstract contract PortBase is IPort, ReentrancyGuardTransient {
    /// @notice A port's parameters.
    /// @param usdc The dollar.
    /// @param machina The token that miners are paid in.
    /// @param treasury Where fees go.
    /// @param authority Who settles.
    /// @param swapRouter Uniswap v3's SwapRouter; zero if there is no pool, and miners are paid in
    /// USDC.
    /// @param poolFee The fee of the pool, in millionths.
    /// @param withdrawDelay How long a withdrawal is locked, in seconds.
    /// @param jobLifetime How long a job can wait for its answer, in seconds.
    struct Parameters {
        address usdc;
        address machina;
        address treasury;
        address authority;
        address swapRouter;
        uint24 poolFee;
        uint256 withdrawDelay;
        uint256 jobLifetime;
    }

    uint256 internal constant FEE_BPS = 200;

    /// @inheritdoc IPort
    address public immutable usdcToken;
    /// @inheritdoc IPort
    address public immutable machinaToken;
    /// @inheritdoc IPort
    address public immutable getTreasury;
    /// @notice The only account that may settle.
    address public immutable settlementAuthority;
    /// @notice Uniswap v3's SwapRouter; zero if miners are paid in USDC.
    address public immutable swapRouter;
    /// @notice The fee of the pool, in millionths.
    uint24 public immutable poolFee;
    /// @notice How long a withdrawal is locked, in seconds.
    uint256 public immutable withdrawDelay;
    /// @notice How long a job can wait for its answer, in seconds.
    uint256 public immutable jobLifetime;

    modifier onlyAuthority() {
        require(msg.sender == settlementAuthority, "only settlement authority");
        _;
    }

    constructor(Parameters memory given) {
        require(given.usdc != address(0) && given.machina != address(0), "zero token");
        require(given.treasury != address(0) && given.authority != address(0), "zero address");
        usdcToken = given.usdc;
        machinaToken = given.machina;
        getTreasury = given.treasury;
        settlementAuthority = given.authority;
        swapRouter = given.swapRouter;
        poolFee = given.poolFee;
        withdrawDelay = given.withdrawDelay;
        jobLifetime = given.jobLifetime;
    }

    /// @dev The fee in a charge, rounded down.
    function _feeOf(uint256 charge) internal pure returns (uint256) {
        return charge * FEE_BPS / 10_000;
    }
}
