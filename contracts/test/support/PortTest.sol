// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MACHINA} from "../../src/MACHINA.sol";
import {USDC} from "../../src/USDC.sol";
import {IPort, OnChainData} from "../../src/port/IPort.sol";
import {Port} from "../../src/port/Port.sol";
import {PortBase} from "../../src/port/PortBase.sol";
import {Test} from "./Test.sol";

/// @title A port with a dollar, an agent, a registered miner, and short words for what tests do.
abstract contract PortTest is Test {
    uint256 internal constant NOW = 1_800_000_000;
    uint256 internal constant DOLLAR = 1e6;
    uint256 internal constant DELAY = 4 hours;
    uint256 internal constant LIFETIME = 1 days;
    address internal constant TREASURY = address(0x73EA5);
    address internal constant AUTHORITY = address(0xA07);
    address internal constant AGENT = address(0xA6E27);
    address internal constant MINER = address(0x313E2);
    address internal constant FEE_ADDRESS = address(0xFEE);
    bytes32 internal constant CHAT = keccak256("CHAT_COMPLETION");
    bytes32 internal constant ANSWER = keccak256("answer");

    USDC internal usdc;
    MACHINA internal machina;
    Port internal port;

    function setUp() public virtual {
        vm.warp(NOW);
        usdc = new USDC("USDC", "2");
        machina = new MACHINA(address(this), TREASURY, NOW - 100 days, 1 days);
        port = new Port(parameters());
        register(MINER, FEE_ADDRESS);
        fund(AGENT, 100 * DOLLAR);
    }

    function parameters() internal view returns (PortBase.Parameters memory) {
        return PortBase.Parameters({
            usdc: address(usdc),
            machina: address(machina),
            treasury: TREASURY,
            authority: AUTHORITY,
            swapRouter: address(0),
            poolFee: 0,
            withdrawDelay: DELAY,
            jobLifetime: LIFETIME
        });
    }

    function fund(address user, uint256 amount) internal {
        usdc.mint(user, amount);
        vm.prank(user);
        usdc.approve(address(port), amount);
        vm.prank(user);
        port.depositUSDC(amount);
    }

    function chat() internal pure returns (string[] memory intents) {
        intents = new string[](1);
        intents[0] = "CHAT_COMPLETION";
    }

    function register(address miner, address feeAddress) internal returns (uint256) {
        vm.prank(miner);
        return port.registerMiner("ipfs://miner", bytes32(uint256(7)), feeAddress, 10_000, chat());
    }

    function data() internal pure returns (OnChainData memory given) {
        given.strings = new string[](1);
        given.strings[0] = "What is it worth?";
        given.integers = new uint256[](1);
        given.integers[0] = 42;
    }

    function createJob() internal returns (uint256) {
        return createJob(address(0));
    }

    function createJob(address callback) internal returns (uint256) {
        vm.prank(AGENT);
        return port.createJob(CHAT, data(), callback);
    }

    function answer(uint256 jobId) internal {
        vm.prank(AUTHORITY);
        port.transitionToTerminal(jobId, ANSWER, MINER, "", 0, data());
    }

    function refuse(string memory reason) internal {
        vm.expectRevert(bytes(reason));
    }
}
