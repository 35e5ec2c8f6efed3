// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CallLedger} from "../../src/CallLedger.sol";
import {ILedger} from "../../src/ILedger.sol";
import {USDC} from "../../src/USDC.sol";
import {Call, Calls} from "./Call.sol";
import {Test} from "./Test.sol";

/// @title A ledger with a dollar, a router and a treasury, and short words for what tests do with
/// them.
abstract contract LedgerTest is Test {
    uint16 internal constant FEE_BPS = 200;
    uint256 internal constant NOW = 1_800_000_000;
    uint256 internal constant WITHDRAW_DELAY = 4 hours;
    address internal constant ROUTER = address(0x40073);
    address internal constant TREASURY = address(0x73EA5);

    bytes32 private constant MANDATE_TYPEHASH = keccak256(
        "SpendMandate(address router,uint256 cap,uint256 maxPrice,uint256 deadline,uint256 nonce)"
    );
    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    USDC internal usdc;
    CallLedger internal ledger;

    function setUp() public virtual {
        vm.warp(NOW);
        usdc = new USDC("USDC", "2");
        ledger = new CallLedger(address(usdc), ROUTER, TREASURY, FEE_BPS, WITHDRAW_DELAY);
    }

    /// @dev Registers `count` addresses that come after the last: the owner of id n has key n.
    function registerNext(uint256 count) internal returns (uint32 firstId) {
        address[] memory owners = new address[](count);
        uint256 next = ledger.accountCount() + 1;
        for (uint256 i = 0; i < count; ++i) {
            owners[i] = vm.addr(next + i);
        }
        return ledger.register(owners);
    }

    /// @dev An agent of its own with this much paid in and allowed.
    function newAgent(uint256 balance, uint256 cap, uint256 maxPrice)
        internal
        returns (uint32 id)
    {
        id = registerNext(1);
        pay(id, balance);
        allow(id, cap, maxPrice, NOW + 1 days);
    }

    function newModel() internal returns (uint32 id) {
        return registerNext(1);
    }

    function pay(uint32 id, uint256 amount) internal {
        usdc.mint(address(this), amount);
        usdc.approve(address(ledger), amount);
        ledger.deposit(id, amount);
    }

    function allow(uint32 id, uint256 cap, uint256 maxPrice, uint256 deadline) internal {
        ILedger.SpendMandate memory mandate =
            ILedger.SpendMandate(ROUTER, cap, maxPrice, deadline, ledger.mandateNonce(id));
        ledger.setMandate(id, mandate, signMandate(id, mandate));
    }

    function signMandate(uint256 key, ILedger.SpendMandate memory mandate)
        internal
        view
        returns (bytes memory)
    {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, mandateDigest(mandate));
        return abi.encodePacked(r, s, v);
    }

    function mandateDigest(ILedger.SpendMandate memory mandate) internal view returns (bytes32) {
        bytes32 domain = domainSeparator("Telex CallLedger", "1", address(ledger));
        return mandateDigest(mandate, domain);
    }

    function mandateDigest(ILedger.SpendMandate memory mandate, bytes32 domain)
        internal
        pure
        returns (bytes32)
    {
        return digest(domain, keccak256(abi.encode(MANDATE_TYPEHASH, mandate)));
    }

    function domainSeparator(string memory name, string memory version, address verifier)
        internal
        view
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                DOMAIN_TYPEHASH,
                keccak256(bytes(name)),
                keccak256(bytes(version)),
                block.chainid,
                verifier
            )
        );
    }

    function digest(bytes32 domain, bytes32 message) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    function settle(uint32[] memory agents, uint32[] memory models, Call[] memory calls) internal {
        uint256 first = ledger.callCount();
        bytes memory records = Calls.encode(calls);
        vm.prank(ROUTER);
        ledger.settleBatch(first, agents, models, records);
    }

    /// @dev A batch of one call, without an event.
    function settleOne(uint32 agent, uint32 model, uint256 quote, uint256 charge) internal {
        settle(list(agent), list(model), one(newCall(0, 0, quote, charge)));
    }

    function newCall(uint256 agent, uint256 model, uint256 quote, uint256 charge)
        internal
        pure
        returns (Call memory)
    {
        return Call(
            agent, model, quote, charge, 0, keccak256(abi.encode(agent, model, quote, charge))
        );
    }

    function headOf(Call memory only) internal pure returns (bytes32) {
        return Calls.head(only);
    }

    function one(Call memory only) internal pure returns (Call[] memory calls) {
        calls = new Call[](1);
        calls[0] = only;
    }

    function list(uint32 only) internal pure returns (uint32[] memory ids) {
        ids = new uint32[](1);
        ids[0] = only;
    }

    function list(uint32 first, uint32 second) internal pure returns (uint32[] memory ids) {
        ids = new uint32[](2);
        (ids[0], ids[1]) = (first, second);
    }

    function range(uint32 first, uint256 count) internal pure returns (uint32[] memory ids) {
        ids = new uint32[](count);
        for (uint256 i = 0; i < count; ++i) {
            ids[i] = uint32(first + i);
        }
    }

    function balanceOf(uint32 id) internal view returns (uint256 balance) {
        (balance,,,) = ledger.account(id);
    }

    function capOf(uint32 id) internal view returns (uint256 cap) {
        (, cap,,) = ledger.account(id);
    }

    function earnedOf(uint32 id) internal view returns (uint256 earned) {
        (earned,) = ledger.earnings(id);
    }
}
