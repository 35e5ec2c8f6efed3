// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EpochRoot} from "../../src/EpochRoot.sol";
import {ILedger} from "../../src/ILedger.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title An EpochRoot with one agent and one model.
abstract contract EpochTest is LedgerTest {
    uint32 internal constant AGENT = 1;
    uint32 internal constant MODEL = 2;

    EpochRoot internal roots;

    function setUp() public virtual override {
        super.setUp();
        roots = new EpochRoot(address(usdc), ROUTER, TREASURY, FEE_BPS, 4 hours);
        address[] memory owners = new address[](2);
        (owners[0], owners[1]) = (vm.addr(AGENT), vm.addr(MODEL));
        roots.register(owners);
        fund(AGENT, 10_000, 5000);
    }

    function fund(uint32 id, uint256 amount, uint256 cap) internal {
        usdc.mint(address(this), amount);
        usdc.approve(address(roots), amount);
        roots.deposit(id, amount);
        ILedger.SpendMandate memory mandate =
            ILedger.SpendMandate(ROUTER, cap, type(uint48).max, NOW + 1 days, 0);
        bytes32 domain = domainSeparator("Telex EpochRoot", "1", address(roots));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(id, mandateDigest(mandate, domain));
        roots.setMandate(id, mandate, abi.encodePacked(r, s, v));
    }

    function newEpoch(uint256 count, uint256 debit, uint256 credit)
        internal
        pure
        returns (EpochRoot.Epoch memory epoch)
    {
        epoch.count = count;
        epoch.root = keccak256(abi.encode(count, debit, credit));
        (epoch.agents, epoch.models) = (list(AGENT), list(MODEL));
        (epoch.debits, epoch.credits) = (new uint256[](1), new uint256[](1));
        (epoch.debits[0], epoch.credits[0]) = (debit, credit);
    }

    function settle(EpochRoot.Epoch memory epoch) internal {
        vm.prank(ROUTER);
        roots.settleEpoch(epoch);
    }
}
