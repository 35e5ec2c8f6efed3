// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LedgerTest} from "./LedgerTest.sol";

/// @title Signatures by which a token moves (ERC-3009).
abstract contract AuthorizationTest is LedgerTest {
    struct Authorization {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }

    struct Signature {
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    uint256 internal constant CURVE_ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    /// @dev Sixty units, once, at this time.
    function sixty(address from, address to) internal pure returns (Authorization memory) {
        return Authorization(from, to, 60, NOW - 1, NOW + 1, keccak256("once"));
    }

    function signReceive(uint256 key, Authorization memory given)
        internal
        view
        returns (Signature memory)
    {
        return
            signAuthorization(key, given, "Receive", domainSeparator("USDC", "2", address(usdc)));
    }

    function signTransfer(uint256 key, Authorization memory given)
        internal
        view
        returns (Signature memory)
    {
        return
            signAuthorization(key, given, "Transfer", domainSeparator("USDC", "2", address(usdc)));
    }

    function signAuthorization(
        uint256 key,
        Authorization memory given,
        string memory verb,
        bytes32 domain
    ) internal pure returns (Signature memory signed) {
        bytes32 typehash = keccak256(
            abi.encodePacked(
                verb,
                "WithAuthorization(address from,address to,uint256 value,",
                "uint256 validAfter,uint256 validBefore,bytes32 nonce)"
            )
        );
        (signed.v, signed.r, signed.s) =
            vm.sign(key, digest(domain, keccak256(abi.encode(typehash, given))));
    }

    function transfer(Authorization memory given, Signature memory signed) internal {
        usdc.transferWithAuthorization(
            given.from,
            given.to,
            given.value,
            given.validAfter,
            given.validBefore,
            given.nonce,
            signed.v,
            signed.r,
            signed.s
        );
    }

    /// @dev The receipt that `given` stands for, by its payee alone.
    function receipt(Authorization memory given, Signature memory signed) internal {
        usdc.receiveWithAuthorization(
            given.from,
            given.to,
            given.value,
            given.validAfter,
            given.validBefore,
            given.nonce,
            signed.v,
            signed.r,
            signed.s
        );
    }

    function deposit(uint32 id, Authorization memory given, Signature memory signed) internal {
        ledger.depositWithAuthorization(
            id,
            given.value,
            given.validAfter,
            given.validBefore,
            given.nonce,
            signed.v,
            signed.r,
            signed.s
        );
    }

    /// @dev The other signature that the curve has for the same message: s above half the order.
    function malleated(Signature memory signed) internal pure returns (Signature memory) {
        return
            Signature(signed.v == 27 ? 28 : 27, signed.r, bytes32(CURVE_ORDER - uint256(signed.s)));
    }
}
