// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {AgentSlot} from "./AgentSlot.sol";
import {ILedger} from "./ILedger.sol";
import {Merkle} from "./Merkle.sol";

/// @title What the ledger keeps: its parameters, who has which id, and one slot for each side of an
/// account.
abstract contract Accounts is ILedger {
    /// @dev One slot.
    struct Model {
        uint128 earned;
        uint128 claimed;
    }

    /// @dev One slot.
    struct Owner {
        address owner;
        uint96 mandateNonce;
    }

    /// @dev One slot: all that every batch changes.
    struct Counters {
        uint64 callCount;
        uint64 batchCount;
        uint128 fees;
    }

    /// @inheritdoc ILedger
    address public immutable token;
    /// @inheritdoc ILedger
    address public immutable router;
    /// @inheritdoc ILedger
    address public immutable treasury;
    /// @inheritdoc ILedger
    uint16 public immutable feeBps;

    Counters internal _counters;
    /// @inheritdoc ILedger
    uint256 public accountCount;
    /// @inheritdoc ILedger
    uint256 public feesClaimed;
    /// @inheritdoc ILedger
    mapping(uint256 batchId => bytes32) public rootOf;
    /// @inheritdoc ILedger
    mapping(address owner => uint32) public idOf;
    mapping(uint256 id => Owner) internal _owners;
    mapping(uint256 id => AgentSlot) internal _agents;
    mapping(uint256 id => Model) internal _models;

    /// @param token_ An ERC-20 with ERC-3009 that moves exactly what it is asked to.
    /// @param router_ Who may settle.
    /// @param treasury_ Where the fees go.
    /// @param feeBps_ The fee in ten-thousandths of each charge.
    constructor(address token_, address router_, address treasury_, uint16 feeBps_) {
        if (token_ == address(0) || router_ == address(0) || treasury_ == address(0)) {
            revert NoAddress();
        }
        if (feeBps_ > 10_000) revert FeeTooHigh(feeBps_, 10_000);
        token = token_;
        router = router_;
        treasury = treasury_;
        feeBps = feeBps_;
    }

    /// @inheritdoc ILedger
    function register(address[] calldata owners) external returns (uint32 firstId) {
        uint256 last = accountCount;
        if (last + owners.length > type(uint32).max) {
            revert OutOfRange(last + owners.length, type(uint32).max);
        }
        firstId = uint32(last + 1);
        for (uint256 i = 0; i < owners.length; ++i) {
            address owner = owners[i];
            if (owner == address(0)) revert NoAddress();
            if (idOf[owner] != 0) revert AlreadyRegistered(owner, idOf[owner]);
            uint32 id = uint32(++last);
            idOf[owner] = id;
            _owners[id].owner = owner;
            emit Registered(id, owner);
        }
        accountCount = last;
    }

    /// @inheritdoc ILedger
    function proveCall(
        uint256 batchId,
        uint256 callId,
        uint32 agent,
        uint32 model,
        bytes32 head,
        bytes32 answerHash,
        uint256 charged,
        bytes32[] calldata proof
    ) external view returns (bool) {
        bytes32 leaf = Merkle.leaf(callId, agent, model, uint256(head), answerHash, charged);
        return MerkleProof.verifyCalldata(proof, rootOf[batchId], leaf);
    }

    /// @inheritdoc ILedger
    function callCount() external view returns (uint256) {
        return _counters.callCount;
    }

    /// @inheritdoc ILedger
    function batchCount() external view returns (uint256) {
        return _counters.batchCount;
    }

    /// @inheritdoc ILedger
    function fees() external view returns (uint256) {
        return _counters.fees;
    }

    /// @inheritdoc ILedger
    function ownerOf(uint32 id) external view returns (address) {
        return _owners[id].owner;
    }

    /// @inheritdoc ILedger
    function account(uint32 id)
        external
        view
        returns (uint256 balance, uint256 cap, uint256 maxPrice, uint256 deadline)
    {
        AgentSlot agent = _agents[id];
        return (agent.balanceOf(), agent.capOf(), agent.maxPriceOf(), agent.deadlineOf());
    }

    /// @inheritdoc ILedger
    function earnings(uint32 id) external view returns (uint256 earned, uint256 claimed) {
        Model memory model = _models[id];
        return (model.earned, model.claimed);
    }

    /// @inheritdoc ILedger
    function mandateNonce(uint32 id) external view returns (uint256) {
        return _owners[id].mandateNonce;
    }

    function _requireFits(uint256 found, uint256 limit) internal pure {
        if (found > limit) revert OutOfRange(found, limit);
    }
}
