// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CallLedger} from "../../src/CallLedger.sol";
import {USDC} from "../../src/USDC.sol";
import {AuthorizationTest} from "./AuthorizationTest.sol";
import {BatchTest} from "./BatchTest.sol";
import {Call, Calls} from "./Call.sol";
import {Outcome, Reference} from "./Reference.sol";

/// @title Everything that can be done to a ledger, in any order, and what must then have come of
/// it.
contract Handler is AuthorizationTest, BatchTest {
    uint256 private constant MOST_ACCOUNTS = 12;

    uint256 public deposited;
    uint256 public paidOut;
    uint256 public calls;
    uint256 public batches;
    /// @dev By id: the cap of the mandate in force, and what was spent under it.
    mapping(uint32 id => uint256) public capSigned;
    mapping(uint32 id => uint256) public spentOfCap;
    /// @dev By id: the highest claimed seen, which must never fall.
    mapping(uint32 id => uint256) public claimedSeen;
    mapping(uint32 id => uint256) private requestedAt;
    bytes32[] public roots;

    /// @dev The handler deploys what it drives, so it may mint.
    constructor() {
        setUp();
        registerNext(2);
    }

    function parts() external view returns (USDC, CallLedger) {
        return (usdc, ledger);
    }

    function register() external {
        if (ledger.accountCount() < MOST_ACCOUNTS) registerNext(1);
    }

    function deposit(uint256 id, uint256 amount) external {
        amount = bound(amount, 0, 1e6);
        pay(known(id), amount);
        deposited += amount;
    }

    function depositWithAuthorization(uint256 id, uint256 amount, bytes32 nonce) external {
        uint32 agent = known(id);
        amount = bound(amount, 0, 1e6);
        address owner = ledger.ownerOf(agent);
        if (usdc.authorizationState(owner, nonce)) return;
        usdc.mint(owner, amount);
        Authorization memory given = Authorization(
            owner, address(ledger), amount, block.timestamp - 1, block.timestamp + 1, nonce
        );
        deposit(agent, given, signReceive(agent, given));
        deposited += amount;
    }

    function setMandate(uint256 id, uint256 cap, uint256 maxPrice, uint256 seconds_) external {
        uint32 agent = known(id);
        cap = bound(cap, 0, 1e6);
        allow(agent, cap, bound(maxPrice, 0, 1200), block.timestamp + bound(seconds_, 0, 100));
        capSigned[agent] = cap;
        spentOfCap[agent] = 0;
    }

    function settleBatch(uint256 seed) external {
        uint256 count = ledger.accountCount();
        uint32[] memory everybody = range(1, count);
        Call[] memory batch = drawCalls(seed, count, count, 1 + draw(seed, 12));
        Outcome memory outcome = settleAsExpected(everybody, everybody, batch);
        for (uint256 i = 0; i < batch.length; ++i) {
            spentOfCap[everybody[batch[i].agent]] += outcome.charged[i];
        }
        roots.push(ledger.rootOf(batches));
        calls += batch.length;
        batches += 1;
    }

    function deduct(uint256 seed) external {
        uint32 agent = known(draw(seed, 12));
        uint32 model = known(draw(seed, 12));
        Call[] memory batch = drawCalls(seed, 1, 1, 1);
        Outcome memory outcome = Reference.settle(ledger, list(agent), list(model), batch);
        bytes memory record = Calls.encode(batch);
        vm.prank(ROUTER);
        ledger.deduct(calls, agent, model, record);
        spentOfCap[agent] += outcome.charged[0];
        roots.push(outcome.leaves[0]);
        calls += 1;
        batches += 1;
    }

    function requestWithdraw(uint256 id, uint256 amount) external {
        uint32 agent = known(id);
        amount = bound(amount, 0, balanceOf(agent));
        vm.prank(ledger.ownerOf(agent));
        ledger.requestWithdraw(agent, amount);
        if (amount != 0) requestedAt[agent] = block.timestamp;
    }

    /// @dev Pays what was asked for, as far as it is there, and not before its time.
    function executeWithdraw(uint256 id) external {
        uint32 agent = known(id);
        (uint256 requested,) = ledger.withdrawal(agent);
        if (requested == 0) return;
        uint256 needed = requested < balanceOf(agent) ? requested : balanceOf(agent);
        if (block.timestamp < requestedAt[agent] + ledger.withdrawDelay()) {
            vm.expectRevert();
            ledger.executeWithdraw(agent);
            vm.warp(requestedAt[agent] + ledger.withdrawDelay());
        }
        uint256 before = usdc.balanceOf(ledger.ownerOf(agent));
        assertEq(ledger.executeWithdraw(agent), needed, "withdrawn");
        assertEq(usdc.balanceOf(ledger.ownerOf(agent)) - before, needed, "received");
        paidOut += needed;
    }

    function pause() external {
        if (ledger.paused()) return;
        ledger.pause();
        vm.expectRevert();
        ledger.deposit(1, 0);
        ledger.unpause();
    }

    function claim(uint256 id) external {
        uint32 model = known(id);
        paidOut += ledger.claim(model);
        (, claimedSeen[model]) = ledger.earnings(model);
    }

    function claimFees() external {
        paidOut += ledger.claimFees();
    }

    function wait(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 0, 60));
    }

    function known(uint256 id) private view returns (uint32) {
        return uint32(bound(id, 1, ledger.accountCount()));
    }
}
