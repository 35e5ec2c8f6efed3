// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CallHub} from "../../src/CallHub.sol";
import {USDC} from "../../src/USDC.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title Everything that can be done to a hub, in any order, and what must then have come of it.
contract HubHandler is LedgerTest {
    uint256 public constant MODELS = 3;

    CallHub private _hub;
    uint256 public paidIn;
    uint256 public calls;
    uint256 public charged;
    mapping(uint256 model => uint256) public claimedSeen;

    constructor() {
        setUp();
        _hub = new CallHub(address(usdc), ROUTER, TREASURY, FEE_BPS);
    }

    function parts() external view returns (USDC, CallHub) {
        return (usdc, _hub);
    }

    function model(uint256 which) public pure returns (address) {
        return address(uint160(0x30DE0 + which % MODELS));
    }

    function pay(uint256 amount) external {
        amount = bound(amount, 0, 1e6);
        usdc.mint(address(this), amount);
        require(usdc.transfer(address(_hub), amount), "not transferred");
        paidIn += amount;
    }

    /// @dev Up to four calls; more than has come in is refused.
    function split(uint256 which, uint256[4] memory given) external {
        uint256 count = 1 + which % 4;
        (address[] memory models, uint256[] memory charges) =
            (new address[](count), new uint256[](count));
        uint256 total = 0;
        for (uint256 i = 0; i < count; ++i) {
            (models[i], charges[i]) = (model(which >> (8 * i)), bound(given[i], 0, 5e5));
            total += charges[i];
        }
        (uint256 first, uint256 limit) = (_hub.callCount(), paidIn - charged);
        if (total > limit) {
            vm.expectRevert(abi.encodeWithSelector(CallHub.NotReceived.selector, total, limit));
        } else {
            calls += count;
            charged += total;
        }
        vm.prank(ROUTER);
        _hub.split(first, models, charges);
    }

    function claim(uint256 which) external {
        claimedSeen[which % MODELS] += _hub.claim(model(which));
    }

    function claimFees() external {
        _hub.claimFees();
    }
}
