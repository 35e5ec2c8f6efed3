// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Intents} from "./Intents.sol";
import {IPort} from "./IPort.sol";
import {PortBase} from "./PortBase.sol";

/// @title Who answers, for which intents, from which price on.
abstract contract MinerRegistry is PortBase {
    struct Miner {
        address miner;
        string yamlUrl;
        bytes32 yamlHash;
        bool active;
        bytes32 intentId;
        address feeAddress;
        uint256 minPriceUsdc;
        string[] supportedIntents;
    }

    uint256 private constant LEAST_PRICE = 10_000;

    /// @inheritdoc IPort
    uint256 public minerCount;
    mapping(uint256 registrationId => Miner) private _miners;
    mapping(address miner => address) private _feeAddress;
    string[] private _intents;
    mapping(bytes32 intentId => bool) private _isCanonical;

    constructor() {
        string[] memory names = Intents.all();
        for (uint256 i = 0; i < names.length; ++i) {
            _intents.push(names[i]);
            _isCanonical[keccak256(bytes(names[i]))] = true;
        }
    }

    /// @inheritdoc IPort
    function registerMiner(
        string calldata yamlUrl,
        bytes32 yamlHash,
        address feeAddress,
        uint256 minPriceUsdc,
        string[] calldata supportedIntents
    ) external returns (uint256) {
        return _register(yamlUrl, yamlHash, feeAddress, minPriceUsdc, supportedIntents);
    }

    /// @inheritdoc IPort
    function updateMiner(
        uint256 registrationId,
        string calldata yamlUrl,
        bytes32 yamlHash,
        address feeAddress,
        uint256 minPriceUsdc,
        string[] calldata supportedIntents
    ) external {
        _deregister(registrationId);
        _register(yamlUrl, yamlHash, feeAddress, minPriceUsdc, supportedIntents);
    }

    /// @inheritdoc IPort
    function deregisterMiner(uint256 registrationId) external {
        _deregister(registrationId);
    }

    /// @inheritdoc IPort
    function getMiner(uint256 registrationId)
        external
        view
        returns (
            address miner,
            string memory yamlUrl,
            bytes32 yamlHash,
            bool active,
            bytes32 intentId,
            address feeAddress,
            uint256 minPriceUsdc,
            string[] memory supportedIntents
        )
    {
        Miner storage kept = _miners[registrationId];
        (miner, yamlUrl, yamlHash, active) = (kept.miner, kept.yamlUrl, kept.yamlHash, kept.active);
        (intentId, feeAddress, minPriceUsdc) = (kept.intentId, kept.feeAddress, kept.minPriceUsdc);
        supportedIntents = kept.supportedIntents;
    }

    /// @inheritdoc IPort
    function getCanonicalIntents() external view returns (string[] memory) {
        return _intents;
    }

    /// @inheritdoc IPort
    function isCanonicalIntent(string calldata intent) external view returns (bool) {
        return _isCanonical[keccak256(bytes(intent))];
    }

    /// @dev Whom to pay for a miner: the fee address it registered last, even if it left since.
    function _feeAddressOf(address miner) internal view returns (address feeAddress) {
        feeAddress = _feeAddress[miner];
        require(feeAddress != address(0), "miner is not registered");
    }

    function _register(
        string calldata yamlUrl,
        bytes32 yamlHash,
        address feeAddress,
        uint256 minPriceUsdc,
        string[] calldata supportedIntents
    ) private returns (uint256 registrationId) {
        require(feeAddress != address(0), "MinerRegistryFacet: zero fee address");
        require(minPriceUsdc >= LEAST_PRICE, "MinerRegistryFacet: price below minimum");
        require(supportedIntents.length != 0, "MinerRegistryFacet: no intents");
        registrationId = ++minerCount;
        Miner storage kept = _miners[registrationId];
        for (uint256 i = 0; i < supportedIntents.length; ++i) {
            bool isKnown = _isCanonical[keccak256(bytes(supportedIntents[i]))];
            require(isKnown, "MinerRegistryFacet: unsupported intent");
            kept.supportedIntents.push(supportedIntents[i]);
        }
        (kept.miner, kept.yamlUrl, kept.yamlHash, kept.active) =
        (msg.sender, yamlUrl, yamlHash, true);
        kept.intentId = keccak256(abi.encodePacked(msg.sender, yamlHash, block.number));
        (kept.feeAddress, kept.minPriceUsdc) = (feeAddress, minPriceUsdc);
        _feeAddress[msg.sender] = feeAddress;
        _emitRegistered(registrationId, kept);
    }

    function _emitRegistered(uint256 registrationId, Miner storage kept) private {
        emit MinerRegistered(
            registrationId,
            kept.miner,
            kept.yamlUrl,
            kept.yamlHash,
            kept.feeAddress,
            kept.minPriceUsdc,
            kept.supportedIntents
        );
    }

    function _deregister(uint256 registrationId) private {
        Miner storage kept = _miners[registrationId];
        require(kept.miner == msg.sender, "MinerRegistryFacet: not the miner");
        require(kept.active, "MinerRegistryFacet: not active");
        kept.active = false;
        emit MinerDeregistered(registrationId, msg.sender);
    }
}
