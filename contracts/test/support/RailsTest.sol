// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CallHub} from "../../src/CallHub.sol";
import {CallLedger} from "../../src/CallLedger.sol";
import {EpochRoot} from "../../src/EpochRoot.sol";
import {ILedger} from "../../src/ILedger.sol";
import {JobEscrow} from "../../src/JobEscrow.sol";
import {Splitter} from "../../src/Splitter.sol";
import {IVoucherChannels} from "../../src/x402/IVoucherChannels.sol";
import {Call, Calls} from "./Call.sol";
import {ChannelTest} from "./ChannelTest.sol";

/// @title One call list through each rail, from full wallets to full wallets.
/// @dev Parties are accounts 1 to 3 (agents) and 4, 5 (models), each with its number as its key;
/// the last entry of balances is the treasury's.
abstract contract RailsTest is ChannelTest {
    uint256 internal constant AGENTS = 3;
    uint256 internal constant MODELS = 2;
    uint256 internal constant PARTIES = AGENTS + MODELS;
    uint256 internal constant PURSE = 10_000;

    function drawRailCalls(uint256 seed) internal pure returns (Call[] memory calls) {
        calls = new Call[](6);
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 drawn = uint256(keccak256(abi.encode(seed, i)));
            uint256 quote = drawn % 1000;
            uint256 charge = (drawn >> 64) % (quote + 1);
            calls[i] = newCall((drawn >> 128) % AGENTS, (drawn >> 192) % MODELS, quote, charge);
        }
    }

    /// @dev Worked out without any contract.
    function expected(Call[] memory calls) internal pure returns (uint256[] memory balances) {
        balances = new uint256[](PARTIES + 1);
        for (uint256 i = 0; i < AGENTS; ++i) {
            balances[i] = PURSE;
        }
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 fee = calls[i].charge * FEE_BPS / 10_000;
            balances[calls[i].agent] -= calls[i].charge;
            balances[AGENTS + calls[i].model] += calls[i].charge - fee;
            balances[PARTIES] += fee;
        }
    }

    function compare(string memory rail, uint256[] memory found, uint256[] memory needed)
        internal
        pure
    {
        for (uint256 i = 0; i < needed.length; ++i) {
            assertEq(found[i], needed[i], rail);
        }
    }

    function agentOf(Call memory call) internal pure returns (address) {
        return vm.addr(1 + call.agent);
    }

    function modelOf(Call memory call) internal pure returns (address) {
        return vm.addr(1 + AGENTS + call.model);
    }

    function wallets() private view returns (uint256[] memory balances) {
        balances = new uint256[](PARTIES + 1);
        for (uint256 i = 0; i < PARTIES; ++i) {
            balances[i] = usdc.balanceOf(vm.addr(i + 1));
        }
        balances[PARTIES] = usdc.balanceOf(TREASURY);
    }

    /// @dev A new world: a new dollar, full purses.
    function begin() internal {
        setUp();
        for (uint256 i = 0; i < AGENTS; ++i) {
            usdc.mint(vm.addr(i + 1), PURSE);
        }
    }

    function newHub() internal returns (CallHub) {
        return new CallHub(address(usdc), ROUTER, TREASURY, FEE_BPS);
    }

    function finish(Splitter hub) internal returns (uint256[] memory) {
        for (uint256 i = 0; i < MODELS; ++i) {
            hub.claim(vm.addr(1 + AGENTS + i));
        }
        hub.claimFees();
        assertEq(usdc.balanceOf(address(hub)), 0, "left in the hub");
        return wallets();
    }

    function splitAll(CallHub hub, Call[] memory calls) internal {
        address[] memory models = new address[](calls.length);
        uint256[] memory charges = new uint256[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            (models[i], charges[i]) = (modelOf(calls[i]), calls[i].charge);
        }
        vm.prank(ROUTER);
        hub.split(0, models, charges);
    }

    function payByTransfer(Call[] memory calls) internal returns (uint256[] memory) {
        begin();
        CallHub hub = newHub();
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(agentOf(calls[i]));
            assertTrue(usdc.transfer(address(hub), calls[i].charge), "transferred");
        }
        splitAll(hub, calls);
        return finish(hub);
    }

    function payByAuthorization(Call[] memory calls) internal returns (uint256[] memory) {
        begin();
        CallHub hub = newHub();
        for (uint256 i = 0; i < calls.length; ++i) {
            Authorization memory given = Authorization(
                agentOf(calls[i]), address(hub), calls[i].charge, NOW - 1, NOW + 1, bytes32(i)
            );
            Signature memory signed = signTransfer(1 + calls[i].agent, given);
            transfer(given, signed);
        }
        splitAll(hub, calls);
        return finish(hub);
    }

    function payByJobs(Call[] memory calls) internal returns (uint256[] memory) {
        begin();
        JobEscrow escrow = new JobEscrow(address(usdc), ROUTER, TREASURY, FEE_BPS);
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(agentOf(calls[i]));
            usdc.approve(address(escrow), calls[i].quote);
            vm.prank(agentOf(calls[i]));
            escrow.open(modelOf(calls[i]), calls[i].quote, NOW, 0);
            vm.prank(modelOf(calls[i]));
            escrow.deliver(i, calls[i].answerHash);
            vm.prank(ROUTER);
            escrow.release(i, calls[i].charge);
        }
        return finish(escrow);
    }

    /// @dev Registers everybody with a ledger, pays every purse in and allows all of it.
    function fill(ILedger place, string memory name) private {
        address[] memory owners = new address[](PARTIES);
        for (uint256 i = 0; i < PARTIES; ++i) {
            owners[i] = vm.addr(i + 1);
        }
        place.register(owners);
        bytes32 domain = domainSeparator(name, "1", address(place));
        for (uint32 id = 1; id <= AGENTS; ++id) {
            vm.prank(vm.addr(id));
            usdc.approve(address(place), PURSE);
            vm.prank(vm.addr(id));
            place.deposit(id, PURSE);
            ILedger.SpendMandate memory mandate =
                ILedger.SpendMandate(ROUTER, PURSE, PURSE, NOW, 0);
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(id, mandateDigest(mandate, domain));
            place.setMandate(id, mandate, abi.encodePacked(r, s, v));
        }
    }

    /// @dev Everybody takes out what is theirs.
    function empty(ILedger place) private returns (uint256[] memory) {
        for (uint32 id = 1; id <= AGENTS; ++id) {
            (uint256 balance,,,) = place.account(id);
            vm.prank(vm.addr(id));
            place.requestWithdraw(id, balance);
        }
        vm.warp(NOW + place.withdrawDelay());
        for (uint32 id = 1; id <= AGENTS; ++id) {
            (uint256 requested,) = place.withdrawal(id);
            if (requested != 0) place.executeWithdraw(id);
        }
        for (uint32 id = uint32(AGENTS) + 1; id <= PARTIES; ++id) {
            place.claim(id);
        }
        place.claimFees();
        assertEq(usdc.balanceOf(address(place)), 0, "left in the ledger");
        return wallets();
    }

    function payByDeductions(Call[] memory calls) internal returns (uint256[] memory) {
        begin();
        fill(ledger, "Telex CallLedger");
        for (uint256 i = 0; i < calls.length; ++i) {
            Call memory only = newCall(0, 0, calls[i].quote, calls[i].charge);
            bytes memory record = Calls.encode(one(only));
            vm.prank(ROUTER);
            ledger.deduct(
                i, uint32(1 + calls[i].agent), uint32(1 + AGENTS + calls[i].model), record
            );
        }
        return empty(ledger);
    }

    function payByBatch(Call[] memory calls) internal returns (uint256[] memory) {
        begin();
        fill(ledger, "Telex CallLedger");
        settle(range(1, AGENTS), range(uint32(AGENTS) + 1, MODELS), calls);
        return empty(ledger);
    }

    function payByEpoch(Call[] memory calls) internal returns (uint256[] memory) {
        begin();
        EpochRoot roots = new EpochRoot(address(usdc), ROUTER, TREASURY, FEE_BPS, 4 hours);
        fill(roots, "Telex EpochRoot");
        EpochRoot.Epoch memory epoch;
        epoch.count = calls.length;
        (epoch.agents, epoch.debits) = (range(1, AGENTS), new uint256[](AGENTS));
        (epoch.models, epoch.credits) = (range(uint32(AGENTS) + 1, MODELS), new uint256[](MODELS));
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 fee = calls[i].charge * FEE_BPS / 10_000;
            epoch.debits[calls[i].agent] += calls[i].charge;
            epoch.credits[calls[i].model] += calls[i].charge - fee;
        }
        vm.prank(ROUTER);
        roots.settleEpoch(epoch);
        return empty(roots);
    }

    /// @dev A channel per agent and model, to the hub, for the router to claim: the model is its
    /// salt.
    function newChannel(CallHub hub, uint256 agent, uint256 model)
        private
        view
        returns (IVoucherChannels.ChannelConfig memory)
    {
        return IVoucherChannels.ChannelConfig(
            vm.addr(1 + agent),
            vm.addr(1 + agent),
            address(hub),
            ROUTER,
            address(usdc),
            DELAY,
            bytes32(model)
        );
    }

    /// @dev Purses are halved between the channels to both models; what is left comes back.
    function payByChannels(Call[] memory calls) internal returns (uint256[] memory) {
        begin();
        CallHub hub = newHub();
        uint128[AGENTS * MODELS] memory totals;
        for (uint256 i = 0; i < calls.length; ++i) {
            totals[calls[i].agent * MODELS + calls[i].model] += uint128(calls[i].charge);
        }
        for (uint256 i = 0; i < totals.length; ++i) {
            IVoucherChannels.ChannelConfig memory config = newChannel(hub, i / MODELS, i % MODELS);
            uint128 half = uint128(PURSE / MODELS);
            channels.deposit(config, half, ERC3009_COLLECTOR, collectorData(config, half));
            IVoucherChannels.VoucherClaim[] memory all = rows(row(config, totals[i], totals[i]));
            vm.prank(ROUTER);
            channels.claim(all);
            vm.prank(ROUTER);
            channels.refund(config, half);
        }
        channels.settle(address(hub), address(usdc));
        assertEq(usdc.balanceOf(CHANNELS), 0, "left in the channels");
        splitAll(hub, calls);
        return finish(hub);
    }
}
