// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {USDC} from "../../src/USDC.sol";
import {IPort} from "../../src/port/IPort.sol";
import {Port} from "../../src/port/Port.sol";
import {PortTest} from "./PortTest.sol";

/// @title Everything that can be done to a port, in any order, by two agents and two miners.
contract PortHandler is PortTest {
    uint256 public paidIn = 100 * DOLLAR;
    /// @dev Where miners' MACHINA is bought; zero if nowhere.
    address internal pool;
    mapping(address user => uint256) private requestedAt;

    constructor() {
        setUp();
        register(miner(1), miner(1));
    }

    function parts() external view returns (USDC, Port) {
        return (usdc, port);
    }

    function agent(uint256 which) public pure returns (address) {
        return which % 2 == 0 ? AGENT : address(0xA6E28);
    }

    function miner(uint256 which) public pure returns (address) {
        return which % 2 == 0 ? MINER : address(0x313E3);
    }

    function payees() external view returns (address[4] memory) {
        return [TREASURY, FEE_ADDRESS, miner(1), pool];
    }

    function deposit(uint256 which, uint256 amount) external {
        amount = bound(amount, 1, 20 * DOLLAR);
        fund(agent(which), amount);
        paidIn += amount;
    }

    function requestWithdraw(uint256 which, uint256 amount) external {
        uint256 balance = port.escrowBalance(agent(which));
        if (balance == 0) return;
        requestedAt[agent(which)] = block.timestamp;
        vm.prank(agent(which));
        port.requestWithdraw(bound(amount, 1, balance));
    }

    /// @dev I7: not before its time.
    function executeWithdraw(uint256 which) external {
        address user = agent(which);
        if (requestedAt[user] == 0) return;
        if (block.timestamp < requestedAt[user] + DELAY) {
            vm.prank(user);
            refuse("withdrawal is locked");
            port.executeWithdraw();
            vm.warp(requestedAt[user] + DELAY);
        }
        requestedAt[user] = 0;
        vm.prank(user);
        port.executeWithdraw();
    }

    function open(uint256 which, uint256 demand) external {
        vm.prank(AUTHORITY);
        port.setVolume(CHAT, bound(demand, 0, 20_000));
        if (port.effectiveBalance(agent(which)) < port.getJobPrice(CHAT)) return;
        vm.prank(agent(which));
        port.createJob(CHAT, data(), address(0));
    }

    /// @dev A job's end: answered, cancelled or expired.
    function end(uint256 jobId, uint256 how) external {
        if (port.jobCount() == 0) return;
        jobId = bound(jobId, 1, port.jobCount());
        if (port.getJob(jobId).state != 0) return;
        if (how % 3 == 0) {
            vm.prank(AUTHORITY);
            port.transitionToTerminal(jobId, ANSWER, miner(how >> 8), "", 0, data());
        } else if (how % 3 == 1) {
            vm.prank(port.getJob(jobId).agent);
            port.cancelJob(jobId);
        } else {
            vm.warp(port.getJob(jobId).createdAt + LIFETIME + 1);
            port.claimExpired(jobId);
        }
    }

    function settleEpoch(uint256 which, uint256[3] memory amounts) external {
        IPort.Delivery[] memory list = new IPort.Delivery[](3);
        for (uint256 i = 0; i < 3; ++i) {
            uint256 amount = bound(amounts[i], 0, 10 * DOLLAR);
            list[i] = IPort.Delivery(agent(which >> i), miner(which >> (8 + i)), amount);
        }
        uint256 epochId = port.currentEpoch();
        vm.prank(AUTHORITY);
        port.submitEpoch(epochId, "root", list, 0, 0);
    }

    function pay(uint256 which, uint256 amount) external {
        uint256 balance = port.minerBalance(miner(which));
        vm.prank(AUTHORITY);
        port.payMiner(miner(which), bound(amount, 0, balance), 0);
    }
}
