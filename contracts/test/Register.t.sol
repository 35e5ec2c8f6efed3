// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CallLedger} from "../src/CallLedger.sol";
import {ILedger} from "../src/ILedger.sol";
import {LedgerTest} from "./support/LedgerTest.sol";

contract RegisterTest is LedgerTest {
    function test_ids_are_consecutive_from_one() public {
        assertEq(registerNext(3), 1, "first id");
        assertEq(registerNext(2), 4, "next id");
        assertEq(ledger.accountCount(), 5, "accounts");
        for (uint32 id = 1; id <= 5; ++id) {
            assertEq(ledger.ownerOf(id), vm.addr(id), "owner");
            assertEq(ledger.idOf(vm.addr(id)), id, "id");
        }
    }

    function test_each_registration_is_an_event() public {
        address[] memory owners = new address[](2);
        (owners[0], owners[1]) = (vm.addr(1), vm.addr(2));
        vm.expectEmit(true, true, false, true, address(ledger));
        emit ILedger.Registered(1, owners[0]);
        vm.expectEmit(true, true, false, true, address(ledger));
        emit ILedger.Registered(2, owners[1]);
        ledger.register(owners);
    }

    function test_a_second_registration_reverts() public {
        registerNext(2);
        address[] memory owners = new address[](2);
        (owners[0], owners[1]) = (vm.addr(3), vm.addr(2));
        vm.expectRevert(abi.encodeWithSelector(ILedger.AlreadyRegistered.selector, vm.addr(2), 2));
        ledger.register(owners);
        assertEq(ledger.accountCount(), 2, "accounts");
        assertEq(ledger.idOf(vm.addr(3)), 0, "id");
    }

    function test_the_same_address_twice_in_one_list_reverts() public {
        address[] memory owners = new address[](2);
        (owners[0], owners[1]) = (vm.addr(1), vm.addr(1));
        vm.expectRevert(abi.encodeWithSelector(ILedger.AlreadyRegistered.selector, vm.addr(1), 1));
        ledger.register(owners);
    }

    function test_nobody_cannot_be_registered() public {
        vm.expectRevert(ILedger.NoAddress.selector);
        ledger.register(new address[](1));
    }

    function test_unknown_ids_and_addresses_read_as_nobody() public view {
        assertEq(ledger.ownerOf(0), address(0), "owner of zero");
        assertEq(ledger.ownerOf(1), address(0), "owner of one");
        assertEq(ledger.idOf(vm.addr(1)), 0, "id");
    }

    function test_parameters_are_as_constructed() public view {
        assertEq(ledger.token(), address(usdc), "token");
        assertEq(ledger.router(), ROUTER, "router");
        assertEq(ledger.treasury(), TREASURY, "treasury");
        assertEq(ledger.feeBps(), FEE_BPS, "fee");
    }

    function test_a_ledger_needs_a_token_a_router_and_a_treasury() public {
        vm.expectRevert(ILedger.NoAddress.selector);
        new CallLedger(address(0), ROUTER, TREASURY, FEE_BPS, WITHDRAW_DELAY);
        vm.expectRevert(ILedger.NoAddress.selector);
        new CallLedger(address(usdc), address(0), TREASURY, FEE_BPS, WITHDRAW_DELAY);
        vm.expectRevert(ILedger.NoAddress.selector);
        new CallLedger(address(usdc), ROUTER, address(0), FEE_BPS, WITHDRAW_DELAY);
    }

    function test_a_fee_may_be_the_whole_charge_and_no_more() public {
        ledger = new CallLedger(address(usdc), ROUTER, TREASURY, 10_000, WITHDRAW_DELAY);
        assertEq(ledger.feeBps(), 10_000, "fee");
        vm.expectRevert(abi.encodeWithSelector(ILedger.FeeTooHigh.selector, 10_001, 10_000));
        new CallLedger(address(usdc), ROUTER, TREASURY, 10_001, WITHDRAW_DELAY);
    }

    function test_ids_end_where_32_bits_end() public {
        vm.store(address(ledger), bytes32(uint256(1)), bytes32(uint256(type(uint32).max - 1)));
        assertEq(ledger.accountCount(), type(uint32).max - 1, "accounts");
        address[] memory owners = new address[](2);
        (owners[0], owners[1]) = (vm.addr(1), vm.addr(2));
        vm.expectRevert(
            abi.encodeWithSelector(
                ILedger.OutOfRange.selector, uint256(type(uint32).max) + 1, type(uint32).max
            )
        );
        ledger.register(owners);
    }
}
