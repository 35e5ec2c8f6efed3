// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Deploy} from "../script/Deploy.s.sol";
import {DeployAll} from "../script/DeployAll.s.sol";
import {CallLedger} from "../src/CallLedger.sol";
import {USDC} from "../src/USDC.sol";
import {Splitter} from "../src/Splitter.sol";
import {Test} from "./support/Test.sol";

contract DeployAllTest is Test {
    string private constant OUT = "cache/deployment.json";
    address private constant ROUTER = address(0x40073);
    address private constant TREASURY = address(0x73EA5);

    /// @dev One test for both scripts, for the environment is the process's.
    function test_the_scripts_deploy_as_the_environment_says_and_write_it_down() public {
        requireDefaults();
        DeployAll script = new DeployAll();
        DeployAll.Contracts memory made = script.run();
        assertEq(made.usdc.minter(), address(this), "minter");
        assertEq(made.callLedger.token(), address(made.usdc), "token");
        assertEq(made.callLedger.router(), address(this), "router when none is named");
        assertEq(made.callLedger.treasury(), address(this), "treasury when none is named");
        assertEq(made.callLedger.feeBps(), 200, "fee when none is named");
        assertEq(made.callLedger.owner(), address(this), "owner");
        vm.setEnv("TELEX_ROUTER", vm.toString(ROUTER));
        vm.setEnv("TELEX_TREASURY", vm.toString(TREASURY));
        assertEq(made.port.settlementAuthority(), address(this), "authority when none is named");
        assertEq(made.port.swapRouter(), address(0), "no pool when none is asked for");
        vm.warp(1_800_000_000);
        assertEq(made.epochRoot.withdrawDelay(), 4 hours, "delay when none is named");
        vm.setEnv("TELEX_WITHDRAW_DELAY", "60");
        vm.setEnv("TELEX_POOL_EPOCHS", "3");
        vm.setEnv("TELEX_FEE_BPS", "35");
        vm.setEnv("TELEX_OUT", OUT);
        made = script.run();
        requireSame(made, Splitter(address(made.callLedger)));
        requireSame(made, Splitter(address(made.callHub)));
        requireSame(made, Splitter(address(made.jobEscrow)));
        requireSame(made, Splitter(address(made.epochRoot)));
        requirePool(made);
        assertEq(made.epochRoot.withdrawDelay(), 60, "delay");
        assertEq(made.callLedger.withdrawDelay(), 60, "ledger's delay");
        assertEq(made.port.withdrawDelay(), 60, "port's delay");
        compare(vm.readFile(OUT), made);
        requireSettings();
    }

    function requireDefaults() private {
        (USDC usdc, CallLedger ledger) = new Deploy().run();
        assertEq(usdc.minter(), address(this), "minter");
        assertEq(ledger.token(), address(usdc), "token");
        assertEq(ledger.router(), address(this), "router when none is named");
        assertEq(ledger.treasury(), address(this), "treasury when none is named");
        assertEq(ledger.feeBps(), 200, "fee when none is named");
        assertEq(ledger.withdrawDelay(), 4 hours, "delay when none is named");
    }

    function requireSettings() private {
        (USDC usdc, CallLedger ledger) = new Deploy().run();
        assertEq(ledger.feeBps(), 35, "fee");
        assertEq(ledger.withdrawDelay(), 60, "delay");
        string memory written = vm.readFile(OUT);
        requireAddress(written, "usdc", address(usdc));
        requireAddress(written, "call_ledger", address(ledger));
        requireAddress(written, "router", ROUTER);
        requireAddress(written, "treasury", TREASURY);
        assertEq(vm.parseJsonUint(written, ".fee_bps"), 35, "fee");
        assertEq(vm.parseJsonUint(written, ".chain_id"), block.chainid, "chain");
        assertEq(vm.parseJsonUint(written, ".deploy_block"), block.number + 1, "block");
    }

    function requirePool(DeployAll.Contracts memory made) private view {
        assertEq(made.machina.epochCount(), 3, "epochs");
        assertEq(made.machina.balanceOf(TREASURY), 3 * 1440e18, "treasury's share");
        uint256 pooled = made.machina.balanceOf(made.exchange.pool);
        vm.assertApproxEqRel(pooled, 3 * 5760e18, 1e9, "machina in the pool");
        uint256 usdc = made.usdc.balanceOf(made.exchange.pool);
        vm.assertApproxEqRel(usdc, 3 * 5760e6, 1e12, "usdc in the pool");
        assertEq(made.port.swapRouter(), made.exchange.swapRouter, "swap router");
        assertEq(made.port.poolFee(), 3000, "pool fee");
        assertEq(made.port.getTreasury(), TREASURY, "treasury");
        assertEq(made.port.usdcToken(), address(made.usdc), "usdc");
        assertEq(made.port.machinaToken(), address(made.machina), "machina");
    }

    /// @dev What every rail's contract is deployed with; the views are named alike.
    function requireSame(DeployAll.Contracts memory made, Splitter rail) private view {
        assertEq(rail.token(), address(made.usdc), "token");
        assertEq(rail.router(), ROUTER, "router");
        assertEq(rail.treasury(), TREASURY, "treasury");
        assertEq(rail.feeBps(), 35, "fee");
    }

    function compare(string memory written, DeployAll.Contracts memory made) private view {
        requireAddress(written, "usdc", address(made.usdc));
        requireAddress(written, "call_ledger", address(made.callLedger));
        requireAddress(written, "call_hub", address(made.callHub));
        requireAddress(written, "job_escrow", address(made.jobEscrow));
        requireAddress(written, "epoch_root", address(made.epochRoot));
        requireAddress(written, "machina", address(made.machina));
        requireAddress(written, "port", address(made.port));
        requireAddress(written, "settlement_authority", address(this));
        requireAddress(written, "swap_router", made.exchange.swapRouter);
        requireAddress(written, "uniswap_factory", address(made.exchange.factory));
        requireAddress(written, "uniswap_pool", made.exchange.pool);
        requireAddress(written, "uniswap_positions", address(made.exchange.positions));
        requireAddress(written, "router", ROUTER);
        requireAddress(written, "treasury", TREASURY);
        assertEq(vm.parseJsonUint(written, ".fee_bps"), 35, "fee");
        assertEq(vm.parseJsonUint(written, ".chain_id"), block.chainid, "chain");
        assertEq(vm.parseJsonUint(written, ".deploy_block"), block.number + 1, "block");
    }

    function requireAddress(string memory written, string memory name, address needed)
        private
        pure
    {
        assertEq(vm.parseJsonAddress(written, string.concat(".", name)), needed, name);
    }
}
