// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The cheatcodes that our tests and scripts use, of the many that Forge has.
interface Vm {
    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function assertEq(uint256 found, uint256 needed, string calldata what) external pure;
    function assertEq(address found, address needed, string calldata what) external pure;
    function assertEq(bytes32 found, bytes32 needed, string calldata what) external pure;
    function assertEq(string calldata found, string calldata needed, string calldata what)
        external
        pure;
    function assertTrue(bool found, string calldata what) external pure;
    function assertFalse(bool found, string calldata what) external pure;
    function assertLe(uint256 found, uint256 limit, string calldata what) external pure;
    function assertApproxEqRel(uint256 found, uint256 needed, uint256 limit, string calldata what)
        external
        pure;

    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest)
        external
        pure
        returns (uint8 v, bytes32 r, bytes32 s);
    function store(address place, bytes32 slot, bytes32 value) external;
    function etch(address place, bytes calldata code) external;
    function deployCode(string calldata artifact) external returns (address place);
    function getDeployedCode(string calldata artifact) external view returns (bytes memory code);
    function warp(uint256 second) external;
    function chainId(uint256 id) external;
    function prank(address sender) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    function expectRevert() external;
    function expectRevert(bytes calldata data) external;
    function expectRevert(bytes4 selector) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function lastCallGas() external view returns (Gas memory);

    function startBroadcast(address sender) external;
    function stopBroadcast() external;
    function setEnv(string calldata name, string calldata value) external;
    function envOr(string calldata name, bool standard) external view returns (bool);
    function envOr(string calldata name, uint256 standard) external view returns (uint256);
    function envOr(string calldata name, address standard) external view returns (address);
    function envOr(string calldata name, string calldata standard)
        external
        view
        returns (string memory);
    function projectRoot() external view returns (string memory);
    function readFile(string calldata path) external view returns (string memory);
    function writeFile(string calldata path, string calldata text) external;
    function parseJsonUint(string calldata json, string calldata key)
        external
        pure
        returns (uint256);
    function parseJsonBytes(string calldata json, string calldata key)
        external
        pure
        returns (bytes memory);
    function parseJsonAddress(string calldata json, string calldata key)
        external
        pure
        returns (address);
    function toString(uint256 value) external pure returns (string memory);
    function toString(address value) external pure returns (string memory);
}
