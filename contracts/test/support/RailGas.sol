// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CallHub} from "../../src/CallHub.sol";
import {EpochRoot} from "../../src/EpochRoot.sol";
import {ILedger} from "../../src/ILedger.sol";
import {JobEscrow} from "../../src/JobEscrow.sol";
import {IVoucherChannels} from "../../src/x402/IVoucherChannels.sol";
import {Calls} from "./Call.sol";
import {ChannelTest} from "./ChannelTest.sol";
import {GasTest} from "./GasTest.sol";

/// @title The gas of each step of each rail as a transaction, calldata included, once its accounts
/// have been used before.
abstract contract RailGas is GasTest, ChannelTest {
    address private constant MODEL = address(0x30DE1);
    uint128 private constant PURSE = 1_000_000;

    CallHub private _hub;
    JobEscrow private _escrow;
    EpochRoot private _roots;
    uint256 private _steps;

    function setUp() public virtual override(GasTest, ChannelTest) {
        super.setUp();
        _hub = new CallHub(address(usdc), ROUTER, TREASURY, FEE_BPS);
        usdc.mint(address(_hub), PURSE);
        usdc.mint(vm.addr(PAYER), PURSE);
        _escrow = new JobEscrow(address(usdc), ROUTER, TREASURY, FEE_BPS);
        vm.prank(vm.addr(PAYER));
        usdc.approve(address(_escrow), type(uint256).max);
        jobGas();
        splitGas(1, 1);
        openRoots();
        deposit(newConfig(0), PURSE);
        claimGas(1);
        settleChannelsGas();
    }

    function lastGas() private view returns (uint256) {
        return vm.lastCallGas().gasTotalUsed;
    }

    function transferGas() internal returns (uint256) {
        vm.prank(vm.addr(PAYER));
        require(usdc.transfer(address(_hub), 12_345), "not transferred");
        return lastGas();
    }

    function authorizationGas() internal returns (uint256) {
        bytes32 nonce = keccak256(abi.encode("call", ++_steps));
        Authorization memory given =
            Authorization(vm.addr(PAYER), address(_hub), 12_345, NOW - 1, NOW + 1 days, nonce);
        Signature memory signed = signTransfer(PAYER, given);
        usdc.transferWithAuthorization(
            given.from,
            given.to,
            given.value,
            given.validAfter,
            given.validBefore,
            nonce,
            signed.v,
            signed.r,
            signed.s
        );
        return lastGas();
    }

    /// @dev Models are there from the first; the hub has enough.
    function splitGas(uint256 calls, uint256 models) internal returns (uint256) {
        (address[] memory whom, uint256[] memory charges) =
            (new address[](calls), new uint256[](calls));
        usdc.mint(address(_hub), 12_345 * calls);
        for (uint256 i = 0; i < calls; ++i) {
            (whom[i], charges[i]) = (vm.addr(10 + i % models), 12_345);
        }
        uint256 first = _hub.callCount();
        vm.prank(ROUTER);
        _hub.split(first, whom, charges);
        return lastGas();
    }

    function jobGas() internal returns (uint256 open, uint256 deliver, uint256 release) {
        vm.prank(vm.addr(PAYER));
        uint256 jobId = _escrow.open(MODEL, 12_345, block.timestamp + 60, keccak256("intent"));
        open = lastGas();
        vm.prank(MODEL);
        _escrow.deliver(jobId, keccak256("answer"));
        deliver = lastGas();
        vm.prank(ROUTER);
        _escrow.release(jobId, 11_111);
        release = lastGas();
    }

    function refundJobGas() internal returns (uint256) {
        vm.prank(vm.addr(PAYER));
        uint256 jobId = _escrow.open(MODEL, 12_345, block.timestamp + 60, keccak256("intent"));
        vm.prank(ROUTER);
        _escrow.refund(jobId);
        return lastGas();
    }

    function deductGas(uint256 flags) internal returns (uint256) {
        bytes memory record = Calls.encode(one(newCall(0, 0, 12_345, 11_111)));
        record[2] = bytes1(uint8(flags)); // the flags' lowest byte
        uint256 first = ledger.callCount();
        vm.prank(ROUTER);
        ledger.deduct(first, firstAgent, firstModel, record);
        return lastGas();
    }

    function openRoots() private {
        _roots = new EpochRoot(address(usdc), ROUTER, TREASURY, FEE_BPS, 4 hours);
        address[] memory owners = new address[](200);
        for (uint256 i = 0; i < owners.length; ++i) {
            owners[i] = vm.addr(i + 1);
        }
        _roots.register(owners);
        usdc.mint(address(this), PURSE * owners.length);
        usdc.approve(address(_roots), type(uint256).max);
        bytes32 domain = domainSeparator("Telex EpochRoot", "1", address(_roots));
        for (uint32 id = 1; id <= owners.length; ++id) {
            _roots.deposit(id, PURSE);
            ILedger.SpendMandate memory mandate =
                ILedger.SpendMandate(ROUTER, PURSE, PURSE, NOW + 1 days, 0);
            _roots.setMandate(id, mandate, sign(id, mandateDigest(mandate, domain)));
        }
        epochGas(200, 200);
    }

    function epochGas(uint256 agents, uint256 models) internal returns (uint256) {
        EpochRoot.Epoch memory epoch;
        epoch.first = _roots.callCount();
        epoch.count = 50_000;
        epoch.root = keccak256(abi.encode(++_steps));
        (epoch.agents, epoch.debits) = (range(1, agents), new uint256[](agents));
        (epoch.models, epoch.credits) = (range(1, models), new uint256[](models));
        for (uint256 i = 0; i < agents; ++i) {
            epoch.debits[i] = 12_345;
        }
        uint256 left = agents * (12_345 - 246);
        for (uint256 i = 0; i < models; ++i) {
            epoch.credits[i] = left / models;
        }
        epoch.credits[0] += left % models;
        vm.prank(ROUTER);
        _roots.settleEpoch(epoch);
        return lastGas();
    }

    function depositChannelGas() internal returns (uint256) {
        deposit(newConfig(0), PURSE);
        return lastGas();
    }

    /// @dev A voucher each of as many channels, which were claimed from before.
    function claimGas(uint256 vouchers) internal returns (uint256) {
        ++_steps;
        IVoucherChannels.VoucherClaim[] memory all = new IVoucherChannels.VoucherClaim[](vouchers);
        for (uint256 i = 0; i < vouchers; ++i) {
            IVoucherChannels.ChannelConfig memory config = newConfig(i);
            (uint256 balance, uint256 claimed) = stateOf(config);
            if (balance == 0) deposit(config, PURSE);
            all[i] = row(config, uint128(claimed + 111), uint128(claimed + 111));
        }
        vm.prank(vm.addr(RECEIVER));
        channels.claim(all);
        return lastGas();
    }

    function settleChannelsGas() internal returns (uint256) {
        claimGas(1);
        channels.settle(vm.addr(RECEIVER), address(usdc));
        return lastGas();
    }

    function refundChannelGas() internal returns (uint256) {
        vm.prank(vm.addr(RECEIVER));
        channels.refund(newConfig(0), 5);
        return lastGas();
    }
}
