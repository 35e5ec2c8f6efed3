// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {CallHub} from "../src/CallHub.sol";
import {CallLedger} from "../src/CallLedger.sol";
import {EpochRoot} from "../src/EpochRoot.sol";
import {JobEscrow} from "../src/JobEscrow.sol";
import {MACHINA} from "../src/MACHINA.sol";
import {USDC} from "../src/USDC.sol";
import {Port} from "../src/port/Port.sol";
import {PortBase} from "../src/port/PortBase.sol";
import {Vm} from "../test/support/Vm.sol";
import {Uniswap} from "./Uniswap.sol";

/// @title Deploys the dollar, the ledger, the other rails' contracts and the Telegraph preset's.
/// @dev Parameters from the environment: TELEX_ROUTER, TELEX_TREASURY and TELEX_AUTHORITY (else the
/// broadcaster), TELEX_FEE_BPS (else 200), TELEX_WITHDRAW_DELAY (in seconds, else four hours),
/// TELEX_OUT (a path for the deployment as JSON; else none is written). TELEX_POOL_EPOCHS (else 0:
/// no pool, and the port pays in USDC): MACHINA began so many days ago; the broadcaster, as the
/// only validator and author, gets its 80 % of their emission and pairs it with as many USDC in a
/// Uniswap v3 pool; the broadcaster must then be the authority. x402's channels are not deployed:
/// a node is given their code at fixed addresses.
/// Against an Anvil: forge script script/DeployAll.s.sol --rpc-url http://127.0.0.1:8545 --broadcast
/// --unlocked --sender ADDRESS
contract DeployAll is Uniswap {
    struct Contracts {
        USDC usdc;
        CallLedger callLedger;
        CallHub callHub;
        JobEscrow jobEscrow;
        EpochRoot epochRoot;
        MACHINA machina;
        Port port;
        Exchange exchange;
    }

    struct Settings {
        address router;
        address treasury;
        address authority;
        uint16 feeBps;
        uint256 withdrawDelay;
        uint256 poolEpochs;
    }

    uint256 private constant MACHINA_PER_USDC = 1e12; // one for one, in their units

    bool public constant IS_SCRIPT = true;
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Deploys, and says where.
    function run() external returns (Contracts memory made) {
        Settings memory set = Settings({
            router: vm.envOr("TELEX_ROUTER", msg.sender),
            treasury: vm.envOr("TELEX_TREASURY", msg.sender),
            authority: vm.envOr("TELEX_AUTHORITY", msg.sender),
            feeBps: SafeCast.toUint16(vm.envOr("TELEX_FEE_BPS", uint256(200))),
            withdrawDelay: vm.envOr("TELEX_WITHDRAW_DELAY", uint256(4 hours)),
            poolEpochs: vm.envOr("TELEX_POOL_EPOCHS", uint256(0))
        });
        vm.startBroadcast(msg.sender);
        deployRails(made, set);
        deployTelegraph(made, set);
        vm.stopBroadcast();
        string memory out = vm.envOr("TELEX_OUT", string(""));
        if (bytes(out).length != 0) vm.writeFile(out, json(made));
    }

    function deployRails(Contracts memory made, Settings memory set) private {
        made.usdc = new USDC("USDC", "2");
        address usdc = address(made.usdc);
        made.callLedger =
            new CallLedger(usdc, set.router, set.treasury, set.feeBps, set.withdrawDelay);
        made.callHub = new CallHub(usdc, set.router, set.treasury, set.feeBps);
        made.jobEscrow = new JobEscrow(usdc, set.router, set.treasury, set.feeBps);
        made.epochRoot =
            new EpochRoot(usdc, set.router, set.treasury, set.feeBps, set.withdrawDelay);
    }

    function deployTelegraph(Contracts memory made, Settings memory set) private {
        uint256 genesis = block.timestamp - set.poolEpochs * 1 days;
        made.machina = new MACHINA(set.authority, set.treasury, genesis, 1 days);
        if (set.poolEpochs != 0) deployPool(made, set);
        made.port = new Port(
            PortBase.Parameters({
                usdc: address(made.usdc),
                machina: address(made.machina),
                treasury: set.treasury,
                authority: set.authority,
                swapRouter: made.exchange.swapRouter,
                poolFee: set.poolEpochs == 0 ? 0 : POOL_FEE,
                withdrawDelay: set.withdrawDelay,
                jobLifetime: 1 days
            })
        );
    }

    function deployPool(Contracts memory made, Settings memory set) private {
        require(set.authority == msg.sender, "a pool needs the broadcaster as authority");
        made.exchange = deployUniswap();
        (address[] memory self, uint256[] memory uses) = (new address[](1), new uint256[](1));
        (self[0], uses[0]) = (msg.sender, 1);
        for (uint256 i = 0; i < set.poolEpochs; ++i) {
            made.machina.mintEpoch(self, self, uses);
        }
        // what the broadcaster has earned, or all of it, if it is the treasury, too
        uint256 machina = made.machina.balanceOf(msg.sender);
        uint256 usdc = machina / MACHINA_PER_USDC;
        made.usdc.mint(msg.sender, usdc);
        openPool(
            made.exchange,
            IERC20(address(made.usdc)),
            usdc,
            IERC20(address(made.machina)),
            machina,
            msg.sender
        );
    }

    /// @notice The deployment as JSON, as sim/chain reads it; what is not there is at address 0.
    function json(Contracts memory made) public view returns (string memory text) {
        CallLedger ledger = made.callLedger;
        text = string.concat("{\n", line("call_hub", address(made.callHub)));
        text = string.concat(text, line("call_ledger", address(ledger)));
        text = string.concat(text, line("chain_id", block.chainid));
        // the first block it can be in: this one is over
        text = string.concat(text, line("deploy_block", block.number + 1));
        text = string.concat(text, line("epoch_root", address(made.epochRoot)));
        text = string.concat(text, line("fee_bps", ledger.feeBps()));
        text = string.concat(text, line("job_escrow", address(made.jobEscrow)));
        text = string.concat(text, line("machina", address(made.machina)));
        text = string.concat(text, line("port", address(made.port)));
        text = string.concat(text, line("router", ledger.router()));
        address authority = made.port.settlementAuthority();
        text = string.concat(text, line("settlement_authority", authority));
        text = string.concat(text, line("swap_router", made.exchange.swapRouter));
        text = string.concat(text, line("treasury", ledger.treasury()));
        text = string.concat(text, line("uniswap_factory", address(made.exchange.factory)));
        text = string.concat(text, line("uniswap_pool", made.exchange.pool));
        text = string.concat(text, line("uniswap_positions", address(made.exchange.positions)));
        text = string.concat(text, '  "usdc": "', vm.toString(address(made.usdc)), '"\n}\n');
    }

    function line(string memory name, uint256 value) private pure returns (string memory) {
        return string.concat('  "', name, '": ', vm.toString(value), ",\n");
    }

    function line(string memory name, address value) private pure returns (string memory) {
        return string.concat('  "', name, '": "', vm.toString(value), '",\n');
    }
}
