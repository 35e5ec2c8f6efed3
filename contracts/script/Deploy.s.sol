// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {CallLedger} from "../src/CallLedger.sol";
import {USDC} from "../src/USDC.sol";
import {Vm} from "../test/support/Vm.sol";

/// @title Deploys the dollar and the ledger.
/// @dev Parameters from the environment: TELEX_ROUTER and TELEX_TREASURY (else the broadcaster),
/// TELEX_FEE_BPS (else 200), TELEX_WITHDRAW_DELAY (in seconds, else four hours), TELEX_OUT (a path
/// for the deployment as JSON; else none is written).
/// Against an Anvil: forge script script/Deploy.s.sol --rpc-url http://127.0.0.1:8545 --broadcast
/// --unlocked --sender ADDRESS
contract Deploy {
    bool public constant IS_SCRIPT = true;
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Deploys, and says where.
    function run() external returns (USDC usdc, CallLedger ledger) {
        address router = vm.envOr("TELEX_ROUTER", msg.sender);
        address treasury = vm.envOr("TELEX_TREASURY", msg.sender);
        uint16 feeBps = SafeCast.toUint16(vm.envOr("TELEX_FEE_BPS", uint256(200)));
        uint256 withdrawDelay = vm.envOr("TELEX_WITHDRAW_DELAY", uint256(4 hours));
        vm.startBroadcast(msg.sender);
        usdc = new USDC("USDC", "2");
        ledger = new CallLedger(address(usdc), router, treasury, feeBps, withdrawDelay);
        vm.stopBroadcast();
        string memory out = vm.envOr("TELEX_OUT", string(""));
        if (bytes(out).length != 0) vm.writeFile(out, json(ledger));
    }

    /// @notice The deployment as JSON, as sim/chain reads it.
    function json(CallLedger ledger) public view returns (string memory text) {
        text = string.concat(
            '{\n  "call_ledger": "',
            vm.toString(address(ledger)),
            '",\n  "chain_id": ',
            vm.toString(block.chainid),
            ',\n  "deploy_block": ',
            vm.toString(block.number + 1), // the first block it can be in: this one is over
            ',\n  "fee_bps": ',
            vm.toString(ledger.feeBps())
        );
        text = string.concat(
            text,
            ',\n  "router": "',
            vm.toString(ledger.router()),
            '",\n  "treasury": "',
            vm.toString(ledger.treasury()),
            '",\n  "usdc": "',
            vm.toString(ledger.token()),
            '"\n}\n'
        );
    }
}
