// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Splitter} from "./Splitter.sol";

/// @title A call as a job in the shape of ERC-8183: the agent locks its budget, the model delivers,
/// the router evaluates; time alone ends what nobody ended.
/// @dev Open -> Delivered -> Released, or Open | Delivered -> Refunded (by the router or the model)
/// | Expired (by anyone). At each end payouts and refund are the budget.
contract JobEscrow is Splitter {
    using SafeERC20 for IERC20;

    enum State {
        None,
        Open,
        Delivered,
        Released,
        Refunded,
        Expired
    }

    /// @notice Two slots. `expiresAt` is in unix seconds: the last second to deliver in.
    struct Job {
        address agent;
        uint96 budget;
        address model;
        uint88 expiresAt;
        State state;
    }

    /// @notice How many jobs there are: the id of the next.
    uint256 public jobCount;
    mapping(uint256 jobId => Job) private _jobs;

    /// @notice An agent locked a budget for a model's answer.
    event Opened(
        uint256 indexed jobId,
        address indexed agent,
        address indexed model,
        uint256 budget,
        uint256 expiresAt,
        bytes32 intentId
    );
    /// @notice The model committed to its answer.
    event Delivered(uint256 indexed jobId, bytes32 answerHash);
    /// @notice The job was paid for: `charge` in all, of it `fee` to the treasury; the rest of the
    /// budget went back to the agent.
    event Released(uint256 indexed jobId, uint256 charge, uint256 fee, uint256 refund);
    /// @notice The job was turned down: the whole budget went back to the agent.
    event Refunded(uint256 indexed jobId, uint256 refund);
    /// @notice The job's time was over: the whole budget went back to the agent.
    event Expired(uint256 indexed jobId, uint256 refund);

    /// @notice There is no such job.
    error UnknownJob(uint256 found, uint256 limit);
    /// @notice The job is in another state than this takes.
    error WrongState(State found, State needed);
    /// @notice The sender is not the job's model.
    error NotModel(address found, address needed);
    /// @notice The job's time is over.
    error JobExpired(uint256 found, uint256 limit);
    /// @notice The job's time is not over yet.
    error NotExpired(uint256 found, uint256 needed);
    /// @notice The charge is more than the budget.
    error ChargeAboveBudget(uint256 found, uint256 limit);
    /// @notice The token moved something else than it was asked to.
    error WrongTransfer(uint256 found, uint256 needed);

    /// @param token_ An ERC-20 that moves exactly what it is asked to.
    /// @param router_ Who evaluates, and says what was charged.
    /// @param treasury_ Where the fees go.
    /// @param feeBps_ The fee in ten-thousandths of each charge.
    constructor(address token_, address router_, address treasury_, uint16 feeBps_)
        Splitter(token_, router_, treasury_, feeBps_)
    {}

    /// @notice Locks a budget of the sender's, who has approved the escrow before, for an answer.
    /// @param model Who is to answer.
    /// @param budget The most the answer can cost: the quote.
    /// @param expiresAt The last second to deliver in; not before now.
    /// @param intentId What is asked for.
    /// @return jobId The job's id; they count from 0.
    function open(address model, uint256 budget, uint256 expiresAt, bytes32 intentId)
        external
        nonReentrant
        returns (uint256 jobId)
    {
        if (model == address(0)) revert NoAddress();
        _requireFits(budget, MOST);
        _requireFits(expiresAt, type(uint88).max);
        if (expiresAt < block.timestamp) revert JobExpired(block.timestamp, expiresAt);
        uint256 needed = IERC20(token).balanceOf(address(this)) + budget;
        jobId = jobCount++;
        _jobs[jobId] = Job(msg.sender, uint96(budget), model, uint88(expiresAt), State.Open);
        emit Opened(jobId, msg.sender, model, budget, expiresAt, intentId);
        IERC20(token).safeTransferFrom(msg.sender, address(this), budget);
        uint256 found = IERC20(token).balanceOf(address(this));
        if (found != needed) revert WrongTransfer(found, needed);
    }

    /// @notice Commits to an answer. The job's model's alone, while the job is open and not over.
    /// @param jobId The job.
    /// @param answerHash The hash of the answer.
    function deliver(uint256 jobId, bytes32 answerHash) external {
        Job storage job = _known(jobId);
        if (msg.sender != job.model) revert NotModel(msg.sender, job.model);
        if (job.state != State.Open) revert WrongState(job.state, State.Open);
        if (block.timestamp > job.expiresAt) revert JobExpired(block.timestamp, job.expiresAt);
        job.state = State.Delivered;
        emit Delivered(jobId, answerHash);
    }

    /// @notice Accepts an answer: pays the charge, refunds the rest. The router's alone.
    /// @param jobId The job, delivered.
    /// @param charge What the answer cost, at most the budget.
    function release(uint256 jobId, uint256 charge) external nonReentrant {
        _requireRouter();
        Job storage job = _known(jobId);
        if (job.state != State.Delivered) revert WrongState(job.state, State.Delivered);
        uint256 budget = job.budget;
        if (charge > budget) revert ChargeAboveBudget(charge, budget);
        job.state = State.Released;
        uint256 fee = _earn(job.model, charge);
        _addFees(fee);
        emit Released(jobId, charge, fee, budget - charge);
        if (charge < budget) _pay(job.agent, budget - charge);
    }

    /// @notice Turns a job down, delivered or not: refunds it whole. The router's, or the job's
    /// model's.
    /// @param jobId The job.
    function refund(uint256 jobId) external nonReentrant {
        Job storage job = _known(jobId);
        if (msg.sender != job.model) _requireRouter();
        _requireUnended(job);
        job.state = State.Refunded;
        emit Refunded(jobId, job.budget);
        _pay(job.agent, job.budget);
    }

    /// @notice Ends a job whose time is over: refunds it whole. Anyone may call.
    /// @param jobId The job.
    function expire(uint256 jobId) external nonReentrant {
        Job storage job = _known(jobId);
        _requireUnended(job);
        if (block.timestamp <= job.expiresAt) revert NotExpired(block.timestamp, job.expiresAt);
        job.state = State.Expired;
        emit Expired(jobId, job.budget);
        _pay(job.agent, job.budget);
    }

    /// @notice A job as it stands.
    function getJob(uint256 jobId) external view returns (Job memory) {
        return _known(jobId);
    }

    function _known(uint256 jobId) private view returns (Job storage job) {
        if (jobId >= jobCount) revert UnknownJob(jobId, jobCount);
        job = _jobs[jobId];
    }

    function _requireUnended(Job storage job) private view {
        State state = job.state;
        if (state != State.Open && state != State.Delivered) revert WrongState(state, State.Open);
    }
}
