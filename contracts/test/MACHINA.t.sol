// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MACHINA} from "../src/MACHINA.sol";
import {Test} from "./support/Test.sol";

contract MACHINATest is Test {
    uint256 private constant NOW = 1_800_000_000;
    uint256 private constant DAY = 1 days;
    address private constant TREASURY = address(0x73EA5);

    MACHINA private machina;
    address[] private nobody;
    uint256[] private nothing;

    function setUp() public {
        vm.warp(NOW);
        machina = new MACHINA(address(this), TREASURY, NOW, DAY);
    }

    function addresses(uint256 count) private pure returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = vm.addr(i + 1);
        }
    }

    function uses(uint256 a, uint256 b) private pure returns (uint256[] memory list) {
        list = new uint256[](2);
        (list[0], list[1]) = (a, b);
    }

    function test_it_is_a_plain_token_of_18_decimals() public view {
        assertEq(machina.name(), "Machina", "name");
        assertEq(machina.symbol(), "MACHINA", "symbol");
        assertEq(machina.decimals(), 18, "decimals");
        assertEq(machina.cap(), 21_000_000e18, "cap");
        assertEq(machina.totalSupply(), 0, "none is made ahead");
    }

    function test_an_epoch_goes_60_to_validators_20_to_authors_20_to_the_treasury() public {
        vm.warp(NOW + DAY);
        address[] memory all = addresses(5);
        address[] memory validators = addresses(3);
        address[] memory authors = new address[](2);
        (authors[0], authors[1]) = (all[3], all[4]);
        vm.expectEmit(true, false, false, true, address(machina));
        emit MACHINA.EpochMinted(0, 4320e18, 1440e18, 1440e18);
        machina.mintEpoch(validators, authors, uses(1, 3));
        assertEq(machina.balanceOf(all[0]), 1440e18, "validator");
        assertEq(machina.balanceOf(all[2]), 1440e18, "validator");
        assertEq(machina.balanceOf(all[3]), 360e18, "author");
        assertEq(machina.balanceOf(all[4]), 1080e18, "author");
        assertEq(machina.balanceOf(TREASURY), 1440e18, "treasury");
        assertEq(machina.totalSupply(), 7200e18, "supply");
        assertEq(machina.epochCount(), 1, "epochs");
    }

    function test_what_nobody_earned_and_what_rounding_leaves_is_the_treasurys() public {
        vm.warp(NOW + 3 * DAY);
        machina.mintEpoch(nobody, nobody, nothing);
        assertEq(machina.balanceOf(TREASURY), 7200e18, "all of it");
        machina.mintEpoch(addresses(7), addresses(2), uses(0, 0));
        uint256 share = uint256(4320e18) / 7;
        assertEq(machina.balanceOf(vm.addr(7)), share, "validator");
        assertEq(machina.balanceOf(TREASURY), 14_400e18 - 7 * share, "treasury");
        machina.mintEpoch(nobody, addresses(2), uses(1, 6));
        assertEq(machina.balanceOf(vm.addr(1)), share + uint256(1440e18) / 7, "one use of seven");
        assertEq(
            machina.balanceOf(vm.addr(2)), share + uint256(1440e18) * 6 / 7, "six uses of seven"
        );
        assertEq(machina.totalSupply(), 3 * 7200e18, "supply");
    }

    function test_an_epoch_is_minted_once_and_not_before_it_is_over() public {
        vm.warp(NOW + DAY - 1);
        vm.expectRevert(
            abi.encodeWithSelector(MACHINA.EpochNotOver.selector, NOW + DAY - 1, NOW + DAY)
        );
        machina.mintEpoch(nobody, nobody, nothing);
        vm.warp(NOW + DAY);
        machina.mintEpoch(nobody, nobody, nothing);
        vm.expectRevert(
            abi.encodeWithSelector(MACHINA.EpochNotOver.selector, NOW + DAY, NOW + 2 * DAY)
        );
        machina.mintEpoch(nobody, nobody, nothing);
    }

    function test_only_the_minter_mints_and_uses_match_authors() public {
        vm.warp(NOW + DAY);
        vm.prank(TREASURY);
        vm.expectRevert(
            abi.encodeWithSelector(MACHINA.NotMinter.selector, TREASURY, address(this))
        );
        machina.mintEpoch(nobody, nobody, nothing);
        vm.expectRevert(abi.encodeWithSelector(MACHINA.WrongLength.selector, 2, 1));
        machina.mintEpoch(nobody, addresses(1), uses(1, 1));
    }

    function test_the_emission_halves_every_1461_epochs() public view {
        assertEq(machina.emissionOf(0), 7200e18, "first");
        assertEq(machina.emissionOf(1460), 7200e18, "last before the halving");
        assertEq(machina.emissionOf(1461), 3600e18, "after it");
        assertEq(machina.emissionOf(2 * 1461), 1800e18, "after the second");
        assertEq(machina.emissionOf(80 * 1461), 0, "at last");
    }

    /// @dev The schedule would come to 21,038,400 (bar rounding): the cap binds in the tenth
    /// era.
    function test_the_cap_comes_before_the_schedules_end() public {
        uint256 supply = 0;
        uint256 era = 0;
        while (supply + 1461 * machina.emissionOf(era * 1461) <= 21_000_000e18) {
            supply += 1461 * machina.emissionOf(era * 1461);
            ++era;
        }
        assertEq(era, 9, "whole eras under the cap");
        uint256 epochs = era * 1461;
        vm.warp(NOW + (epochs + 1500) * DAY);
        setState(epochs, supply);
        for (uint256 i = 0; i < 1461; ++i) {
            machina.mintEpoch(nobody, nobody, nothing);
        }
        assertEq(machina.totalSupply(), 21_000_000e18, "supply");
        machina.mintEpoch(addresses(2), nobody, nothing);
        assertEq(machina.totalSupply(), 21_000_000e18, "supply after");
    }

    /// @dev As if so many epochs had passed: the counter, and one holder of all that is made.
    function setState(uint256 epochs, uint256 supply) private {
        vm.store(address(machina), bytes32(uint256(2)), bytes32(supply));
        vm.store(address(machina), bytes32(uint256(5)), bytes32(epochs));
        assertEq(machina.totalSupply(), supply, "supply");
        assertEq(machina.epochCount(), epochs, "epochs");
    }

    function test_parameters_that_cannot_be_revert() public {
        vm.expectRevert(MACHINA.NoAddress.selector);
        new MACHINA(address(0), TREASURY, NOW, DAY);
        vm.expectRevert(MACHINA.NoAddress.selector);
        new MACHINA(address(this), address(0), NOW, DAY);
        vm.expectRevert(MACHINA.NoTime.selector);
        new MACHINA(address(this), TREASURY, NOW, 0);
    }

    function testFuzz_every_epoch_is_made_whole(uint8 validators, uint64 a, uint64 b) public {
        vm.warp(NOW + DAY);
        machina.mintEpoch(addresses(validators % 65), addresses(2), uses(a, b));
        assertEq(machina.totalSupply(), 7200e18, "supply");
        assertLe(1440e18, machina.balanceOf(TREASURY), "treasury");
    }
}
