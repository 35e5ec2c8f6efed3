// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Deploy} from "../script/Deploy.s.sol";
import {CallLedger} from "../src/CallLedger.sol";
import {USDC} from "../src/USDC.sol";
import {Test} from "./support/Test.sol";

contract DeployTest is Test {
    string private constant OUT = "cache/deployment.json";
    address private constant ROUTER = address(0x40073);
    address private constant TREASURY = address(0x73EA5);

    /// @dev One test, for the environment is the process's.
    function test_the_script_deploys_as_the_environment_says_and_writes_it_down() public {
        Deploy script = new Deploy();
        (USDC usdc, CallLedger ledger) = script.run();
        assertEq(usdc.minter(), address(this), "minter");
        assertEq(ledger.token(), address(usdc), "token");
        assertEq(ledger.router(), address(this), "router when none is named");
        assertEq(ledger.treasury(), address(this), "treasury when none is named");
        assertEq(ledger.feeBps(), 200, "fee when none is named");
        vm.setEnv("TELEX_ROUTER", vm.toString(ROUTER));
        vm.setEnv("TELEX_TREASURY", vm.toString(TREASURY));
        vm.setEnv("TELEX_FEE_BPS", "35");
        vm.setEnv("TELEX_OUT", OUT);
        (usdc, ledger) = script.run();
        assertEq(ledger.router(), ROUTER, "router");
        assertEq(ledger.treasury(), TREASURY, "treasury");
        assertEq(ledger.feeBps(), 35, "fee");
        compare(vm.readFile(OUT), usdc, ledger);
    }

    function compare(string memory written, USDC usdc, CallLedger ledger) private view {
        assertEq(vm.parseJsonAddress(written, ".usdc"), address(usdc), "usdc");
        assertEq(vm.parseJsonAddress(written, ".call_ledger"), address(ledger), "ledger");
        assertEq(vm.parseJsonAddress(written, ".router"), ROUTER, "router");
        assertEq(vm.parseJsonAddress(written, ".treasury"), TREASURY, "treasury");
        assertEq(vm.parseJsonUint(written, ".fee_bps"), 35, "fee");
        assertEq(vm.parseJsonUint(written, ".chain_id"), block.chainid, "chain");
        assertEq(vm.parseJsonUint(written, ".deploy_block"), block.number + 1, "block");
    }
}
