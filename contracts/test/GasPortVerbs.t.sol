// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPort} from "../src/port/IPort.sol";
import {PortTest} from "./support/PortTest.sol";

/// @title One line of gas per verb of the port, without a pool, and of MACHINA.
contract PortGasVerbsTest is PortTest {
    address[] private validators;
    address[] private nobody;
    uint256[] private nothing;

    function setUp() public override {
        super.setUp();
        createJob();
        createJob();
        answer(1);
        usdc.mint(AGENT, 10 * DOLLAR);
        vm.prank(AGENT);
        usdc.approve(address(port), 10 * DOLLAR);
        submit(1);
        for (uint256 i = 0; i < 64; ++i) {
            validators.push(vm.addr(i + 1));
        }
        machina.mintEpoch(validators, nobody, nothing);
    }

    function submit(uint256 epochId) private {
        IPort.Delivery[] memory list = new IPort.Delivery[](1);
        list[0] = IPort.Delivery(AGENT, MINER, 1000);
        vm.prank(AUTHORITY);
        port.submitEpoch(epochId, "root", list, 0, 0);
    }

    function test_gas_of_Port_depositUSDC() public {
        vm.prank(AGENT);
        port.depositUSDC(DOLLAR);
    }

    function test_gas_of_Port_createJob() public {
        createJob();
    }

    function test_gas_of_Port_cancelJob() public {
        vm.prank(AGENT);
        port.cancelJob(2);
    }

    function test_gas_of_Port_transitionToTerminal() public {
        answer(2);
    }

    function test_gas_of_Port_registerMiner() public {
        register(AGENT, AGENT);
    }

    function test_gas_of_Port_submitEpoch_of_one_delivery() public {
        submit(2);
    }

    function test_gas_of_Port_payMiner() public {
        vm.prank(AUTHORITY);
        port.payMiner(MINER, 500, 0);
    }

    function test_gas_of_MACHINA_mintEpoch_for_64_validators() public {
        machina.mintEpoch(validators, nobody, nothing);
    }
}
