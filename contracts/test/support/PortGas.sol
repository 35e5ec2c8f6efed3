// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Uniswap} from "../../script/Uniswap.sol";
import {MACHINA} from "../../src/MACHINA.sol";
import {USDC} from "../../src/USDC.sol";
import {OnChainData} from "../../src/port/IPort.sol";
import {Port} from "../../src/port/Port.sol";
import {PortBase} from "../../src/port/PortBase.sol";
import {Test} from "./Test.sol";

/// @title The gas of each step of a job at the port as a transaction, calldata included, once its
/// accounts and its pool have been used before.
abstract contract PortGas is Test, Uniswap {
    uint256 private constant OPENED = 1_800_000_000;
    uint256 private constant POOL_DOLLARS = 100_000e6;
    uint256 private constant PRICE = 1e6;
    uint256 private constant LEAST_FLOOR = 10_000;
    address private constant BUYER = address(0xB0B);
    address private constant SELLER = address(0x5E11E2);
    address private constant PURSE = address(0x9025E);
    bytes32 private constant INTENT = keccak256("CHAT_COMPLETION");

    Port private _port;
    USDC private _usdc;

    /// @dev A port with a pool, one miner, and an agent whose first job has ended.
    function openPort() internal {
        vm.warp(OPENED);
        _usdc = new USDC("USDC", "2");
        MACHINA machina = new MACHINA(address(this), PURSE, OPENED - 100 days, 1 days);
        address[] memory self = new address[](1);
        self[0] = address(this);
        machina.mintEpoch(self, new address[](0), new uint256[](0));
        _usdc.mint(address(this), POOL_DOLLARS);
        Exchange memory made = deployUniswap();
        IERC20 token = IERC20(address(machina));
        uint256 all = machina.balanceOf(address(this));
        openPool(made, IERC20(address(_usdc)), POOL_DOLLARS, token, all, address(this));
        PortBase.Parameters memory given = PortBase.Parameters({
            usdc: address(_usdc),
            machina: address(machina),
            treasury: PURSE,
            authority: address(this),
            swapRouter: made.swapRouter,
            poolFee: POOL_FEE,
            withdrawDelay: 4 hours,
            jobLifetime: 1 days
        });
        _port = new Port(given);
        vm.prank(SELLER);
        _port.registerMiner("telex:m", bytes32(uint256(7)), SELLER, LEAST_FLOOR, names(1));
        _usdc.mint(BUYER, 100 * PRICE);
        vm.prank(BUYER);
        _usdc.approve(address(_port), type(uint256).max);
        portJobGas();
    }

    /// @dev What an agent pays in for one job, opens it by, and the authority ends it by.
    function portJobGas() internal returns (uint256 deposit, uint256 create_, uint256 terminal) {
        vm.prank(BUYER);
        _port.depositUSDC(PRICE + 1);
        deposit = vm.lastCallGas().gasTotalUsed;
        vm.prank(BUYER);
        uint256 job = _port.createJob(INTENT, number(123_456), address(0));
        create_ = vm.lastCallGas().gasTotalUsed;
        bytes32 output = keccak256(abi.encode(job));
        OnChainData memory nothing;
        _port.transitionToTerminal(job, output, SELLER, "", 0, nothing);
        terminal = vm.lastCallGas().gasTotalUsed;
    }

    /// @dev What it takes a miner to register for the first time, for one intent and for two; to
    /// replace that by another of one intent; and to give it up.
    function registryGas()
        internal
        returns (uint256 one, uint256 two, uint256 update, uint256 deregister)
    {
        (address miner, string[] memory intents) = (newcomer(), names(1));
        vm.prank(miner);
        uint256 id = _port.registerMiner("telex:m", "hash", miner, LEAST_FLOOR, intents);
        one = vm.lastCallGas().gasTotalUsed;
        vm.prank(miner);
        _port.updateMiner(id, "telex:m", "hash", miner, 2 * LEAST_FLOOR, intents);
        update = vm.lastCallGas().gasTotalUsed;
        vm.prank(miner);
        _port.deregisterMiner(id + 1);
        deregister = vm.lastCallGas().gasTotalUsed;
        intents = names(2);
        miner = newcomer();
        vm.prank(miner);
        _port.registerMiner("telex:m", "hash", miner, LEAST_FLOOR, intents);
        two = vm.lastCallGas().gasTotalUsed;
    }

    function newcomer() private view returns (address) {
        return address(uint160(0x5E11E2000 + _port.minerCount()));
    }

    function names(uint256 count) private pure returns (string[] memory intents) {
        intents = new string[](count);
        for (uint256 i = 0; i < count; ++i) {
            intents[i] = "CHAT_COMPLETION";
        }
    }

    function number(uint256 value) private pure returns (OnChainData memory data) {
        data.integers = new uint256[](1);
        data.integers[0] = value;
    }
}
