// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Escrow} from "./Escrow.sol";
import {IPort} from "./IPort.sol";
import {MinerRegistry} from "./MinerRegistry.sol";
import {Purchase} from "./Purchase.sol";

/// @title What is settled per epoch: deliveries on prepaid escrow, and what miners are paid of it.
abstract contract Epochs is Escrow, MinerRegistry, Purchase {
    using SafeERC20 for IERC20;

    /// @inheritdoc IPort
    uint256 public currentEpoch = 1;
    /// @inheritdoc IPort
    mapping(uint256 epochId => uint256) public epochTotalUSDC;
    /// @inheritdoc IPort
    mapping(uint256 epochId => uint256) public epochTotalMachina;
    /// @inheritdoc IPort
    mapping(uint256 epochId => bytes32) public epochRoot;
    /// @inheritdoc IPort
    mapping(address miner => uint256) public minerBalance;

    /// @inheritdoc IPort
    function submitEpoch(
        uint256 epochId,
        bytes32 merkleRoot,
        Delivery[] calldata deliveries,
        uint256 ledgerUSDC,
        uint256 ledgerMachina
    ) external onlyAuthority nonReentrant {
        require(epochId == currentEpoch, "epoch out of order");
        uint256 total = ledgerUSDC;
        uint256 fees = 0;
        for (uint256 i = 0; i < deliveries.length; ++i) {
            Delivery calldata delivery = deliveries[i];
            uint256 balance = escrowBalance[delivery.agent];
            if (delivery.amount > balance) continue;
            uint256 fee = _feeOf(delivery.amount);
            escrowBalance[delivery.agent] = balance - delivery.amount;
            minerBalance[delivery.miner] += delivery.amount - fee;
            total += delivery.amount;
            fees += fee;
            emit BalanceDeducted(delivery.agent, delivery.amount, epochId);
        }
        currentEpoch = epochId + 1;
        epochTotalUSDC[epochId] = total;
        epochTotalMachina[epochId] += ledgerMachina;
        epochRoot[epochId] = merkleRoot;
        emit EpochSubmitted(epochId, merkleRoot, total, epochTotalMachina[epochId]);
        IERC20(usdcToken).safeTransfer(getTreasury, fees);
    }

    /// @inheritdoc IPort
    // slither-disable-next-line reentrancy-benign -- guarded; what was bought is known afterwards
    function payMiner(address miner, uint256 amount, uint256 leastMachina) external nonReentrant {
        require(
            msg.sender == settlementAuthority || msg.sender == miner,
            "only settlement authority or miner"
        );
        require(amount <= minerBalance[miner], "insufficient miner balance");
        address feeAddress = _feeAddressOf(miner);
        minerBalance[miner] -= amount;
        (uint256 swapped, uint256 machina) = leastMachina == 0
            ? _buyOrPay(feeAddress, amount)
            : _buy(feeAddress, amount, leastMachina);
        _bought(swapped, machina);
    }

    /// @inheritdoc IPort
    function epochSettled(uint256 epochId) external view returns (bool) {
        return epochId != 0 && epochId < currentEpoch;
    }

    /// @dev Counts a purchase to the epoch under way; none if a miner was paid in USDC.
    function _bought(uint256 usdc, uint256 machina) internal {
        if (machina > 0) {
            epochTotalMachina[currentEpoch] += machina;
            emit USDCSwapped(usdc, machina, currentEpoch);
        }
    }
}
