// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Accounts} from "./Accounts.sol";
import {AgentSlot} from "./AgentSlot.sol";
import {ILedger} from "./ILedger.sol";

/// @title Money in, and what an agent lets the router do with it.
/// @dev The deployer owns it, and can stop deposits: nothing else.
abstract contract Funding is Accounts, EIP712, Ownable, Pausable, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    bytes32 private constant MANDATE_TYPEHASH = keccak256(
        "SpendMandate(address router,uint256 cap,uint256 maxPrice,uint256 deadline,uint256 nonce)"
    );

    constructor() Ownable(msg.sender) {}

    /// @inheritdoc ILedger
    function pause() external onlyOwner {
        _pause();
    }

    /// @inheritdoc ILedger
    function unpause() external onlyOwner {
        _unpause();
    }

    /// @inheritdoc ILedger
    function deposit(uint32 id, uint256 amount) external nonReentrant whenNotPaused {
        uint256 needed = _credit(id, amount);
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        _requireBalance(needed);
    }

    /// @inheritdoc ILedger
    function depositWithAuthorization(
        uint32 id,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant whenNotPaused {
        uint256 needed = _credit(id, amount);
        IERC3009(token)
            .receiveWithAuthorization(
                _owners[id].owner, address(this), amount, validAfter, validBefore, nonce, v, r, s
            );
        _requireBalance(needed);
    }

    /// @inheritdoc ILedger
    function setMandate(uint32 id, SpendMandate calldata mandate, bytes calldata signature)
        external
    {
        Owner storage account_ = _owners[id];
        address signer = account_.owner;
        uint96 nonce = account_.mandateNonce;
        if (signer == address(0)) revert UnknownAccount(id, accountCount);
        if (mandate.router != router) revert NotRouter(mandate.router, router);
        if (mandate.nonce != nonce) revert WrongNonce(mandate.nonce, nonce);
        if (mandate.deadline < block.timestamp) {
            revert MandateExpired(mandate.deadline, block.timestamp);
        }
        _requireFits(mandate.cap, type(uint80).max);
        _requireFits(mandate.maxPrice, type(uint48).max);
        _requireFits(mandate.deadline, type(uint48).max);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(MANDATE_TYPEHASH, mandate)));
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature)) {
            revert WrongSignature(id, signer);
        }
        account_.mandateNonce = nonce + 1;
        _agents[id] = _agents[id].allow(mandate.cap, mandate.maxPrice, mandate.deadline);
        emit MandateSet(id, mandate.cap, mandate.maxPrice, mandate.deadline, nonce);
    }

    /// @dev Books a deposit before it moves; returns the balance the ledger must have when it has
    /// moved.
    function _credit(uint32 id, uint256 amount) private returns (uint256 needed) {
        if (_owners[id].owner == address(0)) revert UnknownAccount(id, accountCount);
        AgentSlot agent = _agents[id];
        _requireFits(amount, type(uint80).max - agent.balanceOf());
        needed = IERC20(token).balanceOf(address(this)) + amount;
        _agents[id] = agent.credit(amount);
        emit Deposited(id, amount);
    }

    function _requireBalance(uint256 needed) private view {
        uint256 found = IERC20(token).balanceOf(address(this));
        if (found != needed) revert WrongTransfer(found, needed);
    }
}
