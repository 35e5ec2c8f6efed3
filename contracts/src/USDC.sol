// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/// @title A test dollar that real USDC clients can sign for: six decimals, permit (ERC-2612) and
/// authorisations with random nonces (ERC-3009), under the EIP-712 domain its deployer names.
/// @dev OpenZeppelin's ERC20Permit fixes the domain's version to "1", and USDC's is "2": so
/// `permit` is here.
contract USDC is ERC20, ERC3009, IERC20Permit, Nonces {
    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );

    /// @notice The only account that may mint.
    address public immutable minter;

    /// @notice Somebody other than the minter asked for new tokens.
    error NotMinter(address found, address needed);
    /// @notice The permit ran out before now.
    error PermitExpired(uint256 found, uint256 needed);
    /// @notice The permit is signed by somebody other than the owner, or over something else.
    error PermitSigner(address found, address needed);

    /// @param domainName The name in the EIP-712 domain: "USDC" for x402 clients.
    /// @param domainVersion The version in the EIP-712 domain: "2" for x402 clients.
    constructor(string memory domainName, string memory domainVersion)
        ERC20("USD Coin", "USDC")
        EIP712(domainName, domainVersion)
    {
        minter = msg.sender;
    }

    /// @notice Makes new tokens: the minter's alone.
    /// @param to Who receives them.
    /// @param amount How many, in millionths of a dollar.
    function mint(address to, uint256 amount) external {
        if (msg.sender != minter) revert NotMinter(msg.sender, minter);
        _mint(to, amount);
    }

    /// @inheritdoc IERC20Permit
    function permit(
        address owner,
        address spender,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        if (block.timestamp > deadline) revert PermitExpired(deadline, block.timestamp);
        bytes32 message = keccak256(
            abi.encode(PERMIT_TYPEHASH, owner, spender, value, _useNonce(owner), deadline)
        );
        address signer = ECDSA.recover(_hashTypedDataV4(message), v, r, s);
        if (signer != owner) revert PermitSigner(signer, owner);
        _approve(owner, spender, value);
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(IERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    /// @inheritdoc IERC20Permit
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @notice Six: a unit is a millionth of a dollar.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
