// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Epochs} from "./Epochs.sol";
import {IAgentCallback, IPort, Job, OnChainData} from "./IPort.sol";
import {Pricing} from "./Pricing.sol";

/// @title Jobs in the manner of ERC-8183, paid from escrow: Funded, then Terminal or Cancelled.
abstract contract Jobs is Epochs, Pricing {
    using SafeERC20 for IERC20;

    uint8 private constant FUNDED = 0;
    uint8 private constant TERMINAL = 1;
    uint8 private constant CANCELLED = 2;

    /// @inheritdoc IPort
    uint256 public jobCount;
    /// @inheritdoc IPort
    mapping(uint256 jobId => bytes32) public getJobOutput;
    mapping(uint256 jobId => Job) private _jobs;
    mapping(address agent => uint256[]) private _jobsByAgent;

    /// @inheritdoc IPort
    function createJob(bytes32 intentId, OnChainData calldata params, address callback)
        external
        nonReentrant
        returns (uint256 jobId)
    {
        // slither-disable-next-line redundant-statements -- the ABI must name what goes unused
        params; // for whoever answers, who reads it in the transaction
        require(callback == address(0) || callback.code.length != 0, "callback has no code");
        uint256 price = getJobPrice(intentId);
        require(effectiveBalance(msg.sender) >= price, "insufficient escrow balance");
        uint256 fee = _feeOf(price);
        escrowBalance[msg.sender] -= price;
        jobId = ++jobCount;
        _jobs[jobId] =
            Job(msg.sender, intentId, callback, price, price - fee, fee, FUNDED, block.timestamp);
        _jobsByAgent[msg.sender].push(jobId);
        emit JobCreated(jobId, msg.sender, intentId, callback);
    }

    /// @inheritdoc IPort
    function cancelJob(uint256 jobId) external {
        require(msg.sender == _jobs[jobId].agent, "only the agent");
        _cancel(jobId);
    }

    /// @inheritdoc IPort
    function claimExpired(uint256 jobId) external {
        require(block.timestamp > _jobs[jobId].createdAt + jobLifetime, "job has not expired");
        _cancel(jobId);
    }

    /// @inheritdoc IPort
    /// @dev The callback comes after all else, and outside the guard, so that it can open the next
    /// job.
    function transitionToTerminal(
        uint256 jobId,
        bytes32 outputHash,
        address miner,
        bytes calldata blsSig,
        uint256 blsSalt,
        OnChainData calldata response
    ) external onlyAuthority {
        (blsSig, blsSalt); // for whoever checks it: the port takes the authority's word
        _settle(jobId, outputHash, miner);
        address callback = _jobs[jobId].callback;
        if (callback.code.length == 0) return;
        try IAgentCallback(callback).subnetMessage(jobId, true, response, "") {}
        catch {
            // slither-disable-next-line reentrancy-events -- it says what the call said
            emit CallbackFailed(jobId);
        }
    }

    /// @inheritdoc IPort
    function getJob(uint256 jobId) external view returns (Job memory) {
        return _jobs[jobId];
    }

    /// @inheritdoc IPort
    function jobsByAgent(address agent) external view returns (uint256[] memory) {
        return _jobsByAgent[agent];
    }

    // slither-disable-next-line reentrancy-benign -- guarded; what was bought is known afterwards
    function _settle(uint256 jobId, bytes32 outputHash, address miner) private nonReentrant {
        Job storage job = _funded(jobId);
        address feeAddress = _feeAddressOf(miner);
        (uint256 fee, uint256 payment) = (job.protocolFee, job.minerPayment);
        job.state = TERMINAL;
        getJobOutput[jobId] = outputHash;
        emit JobTerminal(jobId, fee, payment);
        IERC20(usdcToken).safeTransfer(getTreasury, fee);
        (uint256 swapped, uint256 machina) = _buyOrPay(feeAddress, payment);
        _bought(swapped, machina);
    }

    function _cancel(uint256 jobId) private {
        Job storage job = _funded(jobId);
        job.state = CANCELLED;
        escrowBalance[job.agent] += job.budget;
        emit JobCancelled(jobId);
    }

    function _funded(uint256 jobId) private view returns (Job storage job) {
        job = _jobs[jobId];
        require(job.agent != address(0), "no such job");
        require(job.state == FUNDED, "job is not funded");
    }
}
