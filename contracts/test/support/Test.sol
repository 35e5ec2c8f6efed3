// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "./Vm.sol";

/// @title What every test has: the cheatcodes and a few assertions, each found before needed.
abstract contract Test {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function assertEq(uint256 found, uint256 needed, string memory what) internal pure {
        vm.assertEq(found, needed, what);
    }

    function assertEq(address found, address needed, string memory what) internal pure {
        vm.assertEq(found, needed, what);
    }

    function assertEq(bytes32 found, bytes32 needed, string memory what) internal pure {
        vm.assertEq(found, needed, what);
    }

    function assertEq(string memory found, string memory needed, string memory what)
        internal
        pure
    {
        vm.assertEq(found, needed, what);
    }

    function assertTrue(bool found, string memory what) internal pure {
        vm.assertTrue(found, what);
    }

    function assertFalse(bool found, string memory what) internal pure {
        vm.assertFalse(found, what);
    }

    function assertLe(uint256 found, uint256 limit, string memory what) internal pure {
        vm.assertLe(found, limit, what);
    }

    /// @dev A signature as most verifiers take it: 65 bytes.
    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev Folds any value into a range, both ends included.
    function bound(uint256 value, uint256 lowest, uint256 highest)
        internal
        pure
        returns (uint256)
    {
        if (highest - lowest == type(uint256).max) return value;
        return lowest + value % (highest - lowest + 1);
    }
}
