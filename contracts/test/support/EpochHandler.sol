// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EpochRoot} from "../../src/EpochRoot.sol";
import {ILedger} from "../../src/ILedger.sol";
import {USDC} from "../../src/USDC.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title Everything that can be done to an EpochRoot, in any order, by four accounts that are
/// agents and models at once.
contract EpochHandler is LedgerTest {
    uint32 public constant ACCOUNTS = 4;

    EpochRoot private _epochs;
    uint256 public calls;
    uint256 public deposited;
    uint256 public paidOut;
    uint256 public debited;
    uint256 public credited;
    mapping(uint32 id => uint256) public capLeft;
    bytes32[] public roots;

    constructor() {
        setUp();
        _epochs = new EpochRoot(address(usdc), ROUTER, TREASURY, FEE_BPS, WITHDRAW_DELAY);
        address[] memory owners = new address[](ACCOUNTS);
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            owners[i] = vm.addr(i + 1);
        }
        _epochs.register(owners);
    }

    function parts() external view returns (USDC, EpochRoot) {
        return (usdc, _epochs);
    }

    function deposit(uint256 id, uint256 amount) external {
        amount = bound(amount, 0, 1e6);
        usdc.mint(address(this), amount);
        usdc.approve(address(_epochs), amount);
        _epochs.deposit(known(id), amount);
        deposited += amount;
    }

    function setMandate(uint256 id, uint256 cap) external {
        uint32 agent = known(id);
        cap = bound(cap, 0, 1e6);
        ILedger.SpendMandate memory mandate = ILedger.SpendMandate(
            ROUTER, cap, 1e6, block.timestamp + 365 days, _epochs.mandateNonce(agent)
        );
        bytes32 domain = domainSeparator("Telex EpochRoot", "1", address(_epochs));
        _epochs.setMandate(agent, mandate, sign(agent, mandateDigest(mandate, domain)));
        capLeft[agent] = cap;
    }

    /// @dev What each has and may spend, or less, shared among all; one unit too much is refused.
    function settleEpoch(uint256 seed, uint256[4] memory parts_) external {
        EpochRoot.Epoch memory epoch;
        (epoch.agents, epoch.models) = (range(1, ACCOUNTS), range(1, ACCOUNTS));
        (epoch.debits, epoch.credits) = (new uint256[](ACCOUNTS), new uint256[](ACCOUNTS));
        uint256 total = 0;
        for (uint32 i = 0; i < ACCOUNTS; ++i) {
            epoch.debits[i] = bound(parts_[i], 0, spendable(i + 1));
            total += epoch.debits[i];
        }
        uint256 credit = total - total * FEE_BPS / 10_000;
        epoch.credits[seed % ACCOUNTS] = credit / 3;
        epoch.credits[(seed >> 8) % ACCOUNTS] += credit - credit / 3;
        (epoch.first, epoch.count) = (calls, 1 + seed % 9);
        epoch.root = keccak256(abi.encode(seed));
        refuseOneMore(epoch, seed % ACCOUNTS);
        vm.prank(ROUTER);
        _epochs.settleEpoch(epoch);
        for (uint32 i = 0; i < ACCOUNTS; ++i) {
            capLeft[i + 1] -= epoch.debits[i];
        }
        calls += epoch.count;
        debited += total;
        credited += credit;
        roots.push(epoch.root);
    }

    function claim(uint256 id) external {
        paidOut += _epochs.claim(known(id));
    }

    function claimFees() external {
        paidOut += _epochs.claimFees();
    }

    function withdraw(uint256 id, uint256 amount) external {
        uint32 agent = known(id);
        (uint256 balance,,,) = _epochs.account(agent);
        amount = bound(amount, 0, balance);
        if (amount == 0) return;
        vm.prank(vm.addr(agent));
        _epochs.requestWithdraw(agent, amount);
        vm.expectRevert();
        _epochs.executeWithdraw(agent);
        vm.warp(block.timestamp + WITHDRAW_DELAY);
        paidOut += _epochs.executeWithdraw(agent);
    }

    function rootCount() external view returns (uint256) {
        return roots.length;
    }

    function refuseOneMore(EpochRoot.Epoch memory epoch, uint256 which) private {
        (uint256 debit, uint256 limit) = (epoch.debits[which], spendable(uint32(which + 1)));
        epoch.debits[which] = limit + 1;
        vm.prank(ROUTER);
        vm.expectRevert(
            abi.encodeWithSelector(EpochRoot.Overdraft.selector, which + 1, limit + 1, limit)
        );
        _epochs.settleEpoch(epoch);
        epoch.debits[which] = debit;
    }

    function spendable(uint32 id) private view returns (uint256) {
        (uint256 balance,,,) = _epochs.account(id);
        return balance < capLeft[id] ? balance : capLeft[id];
    }

    function known(uint256 id) private pure returns (uint32) {
        return uint32(1 + id % ACCOUNTS);
    }
}
