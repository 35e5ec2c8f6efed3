// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What goes into a job, and what comes out of it.
struct OnChainData {
    address[] addresses;
    uint256[] integers;
    string[] strings;
    bool[] bools;
}

/// @notice A job. `state`: 0 Funded, 1 Terminal, 2 Cancelled. Amounts are in USDC.
struct Job {
    address agent;
    bytes32 intentId;
    address callback;
    uint256 budget;
    uint256 minerPayment;
    uint256 protocolFee;
    uint8 state;
    uint256 createdAt;
}

/// @title What an agent's contract implements to be called back with a job's answer.
interface IAgentCallback {
    /// @notice Delivers an answer. What it reverts with is swallowed: the miner is paid by then.
    /// @param jobId The job.
    /// @param success Whether there is an answer.
    /// @param response The answer.
    /// @param errorMessage Why there is none.
    function subnetMessage(
        uint256 jobId,
        bool success,
        OnChainData calldata response,
        string calldata errorMessage
    ) external;
}

/// @title The Telegraph protocol's contract, as its clients know it. Reverts carry reason strings,
/// which its clients show.
/// @dev Ids start at 1. A canonical intent's id is keccak256 of its name; a registration's is
/// keccak256(miner, yamlHash, block), packed.
interface IPort {
    /// @notice USDC was paid into escrow.
    event Deposited(address indexed user, uint256 amount);
    /// @notice A user wants part of its escrow back, and can have it from `unlockTime`.
    event WithdrawRequested(address indexed user, uint256 amount, uint256 unlockTime);
    /// @notice Part of an escrow was paid back.
    event Withdrawn(address indexed user, uint256 amount);
    /// @notice An agent paid for a job.
    event JobCreated(
        uint256 indexed jobId, address indexed agent, bytes32 intentId, address callback
    );
    /// @notice A job was answered: `fee` went to the treasury, `minerPaid` was paid to the miner or
    /// spent on MACHINA for it.
    event JobTerminal(uint256 indexed jobId, uint256 fee, uint256 minerPaid);
    /// @notice A job ended without an answer: its budget is in its agent's escrow again.
    event JobCancelled(uint256 indexed jobId);
    /// @notice The agent's contract reverted when it was called back.
    event CallbackFailed(uint256 indexed jobId);
    /// @notice A miner registered.
    event MinerRegistered(
        uint256 indexed registrationId,
        address indexed miner,
        string yamlUrl,
        bytes32 yamlHash,
        address feeAddress,
        uint256 minPriceUsdc,
        string[] supportedIntents
    );
    /// @notice A miner left, or replaced its registration.
    event MinerDeregistered(uint256 indexed registrationId, address indexed miner);
    /// @notice An intent's demand over the last 24 hours was counted.
    event VolumeSet(bytes32 indexed intentId, uint256 requests);
    /// @notice An epoch was settled: `totalUSDC` deducted in it, `totalMachina` bought during it,
    /// here and, as the authority says, where a ledger of its own settles calls.
    event EpochSubmitted(
        uint256 indexed epochId, bytes32 merkleRoot, uint256 totalUSDC, uint256 totalMachina
    );
    /// @notice USDC bought MACHINA for a miner.
    event USDCSwapped(uint256 usdcIn, uint256 machinaOut, uint256 indexed epochId);
    /// @notice A delivery was taken from an agent's escrow.
    event BalanceDeducted(address indexed agent, uint256 amount, uint256 indexed epochId);

    /// @notice A call that was delivered to an agent with prepaid escrow.
    /// @param agent Who pays.
    /// @param miner Who answered.
    /// @param amount The price.
    struct Delivery {
        address agent;
        address miner;
        uint256 amount;
    }

    /// @notice The dollar that everything is paid in.
    function usdcToken() external view returns (address);

    /// @notice The token that miners are paid in.
    function machinaToken() external view returns (address);

    /// @notice Where fees go.
    function getTreasury() external view returns (address);

    /// @notice Pays into the sender's escrow; the sender has approved the port before.
    /// @param amount How much.
    function depositUSDC(uint256 amount) external;

    /// @notice Asks for part of the sender's escrow back; a new request replaces the last. Calls
    /// delivered before are still deducted until it is executed; new jobs cannot use it.
    /// @param amount How much, at most the escrow.
    function requestWithdraw(uint256 amount) external;

    /// @notice Pays the sender what it asked for, or what is left of it, once it is unlocked.
    function executeWithdraw() external;

    /// @notice A user's escrow.
    function escrowBalance(address user) external view returns (uint256);

    /// @notice A user's escrow less what a withdrawal has claimed.
    function effectiveBalance(address user) external view returns (uint256);

    /// @notice Opens a job at the protocol's price, taken from the sender's escrow.
    /// @param intentId What is asked for: an intent's id, or a registration's.
    /// @param params The question; it is in the calldata, for the node to read.
    /// @param callback The contract to call with the answer; zero for none.
    /// @return jobId The job's id.
    function createJob(bytes32 intentId, OnChainData calldata params, address callback)
        external
        returns (uint256 jobId);

    /// @notice Takes a job back before it is answered, for a full refund into escrow. The agent's
    /// alone.
    /// @param jobId The job.
    function cancelJob(uint256 jobId) external;

    /// @notice Ends a job that nobody answered in time, for a full refund into its agent's escrow.
    /// Anyone may call.
    /// @param jobId The job.
    function claimExpired(uint256 jobId) external;

    /// @notice Settles a job: the fee to the treasury, the rest as MACHINA to the miner's fee
    /// address, or as USDC if there is no pool, or it cannot swap; then calls the agent back. The
    /// settlement authority's alone.
    /// @param jobId The job.
    /// @param outputHash The hash of the answer.
    /// @param miner Who answered: must have registered.
    /// @param blsSig The validators' signature; the authority answers for it, it is not checked.
    /// @param blsSalt Its salt; not checked.
    /// @param response The answer, for the callback.
    function transitionToTerminal(
        uint256 jobId,
        bytes32 outputHash,
        address miner,
        bytes calldata blsSig,
        uint256 blsSalt,
        OnChainData calldata response
    ) external;

    /// @notice A job; all zero if there is none.
    function getJob(uint256 jobId) external view returns (Job memory);

    /// @notice The hash of a job's answer; zero until it is Terminal.
    function getJobOutput(uint256 jobId) external view returns (bytes32);

    /// @notice The ids of all jobs of an agent.
    function jobsByAgent(address agent) external view returns (uint256[] memory);

    /// @notice How many jobs there are: the highest id.
    function jobCount() external view returns (uint256);

    /// @notice What a job costs before the demand multiplier.
    function getJobBasePrice() external view returns (uint256);

    /// @notice What a job of an intent costs now.
    function getJobPrice(bytes32 intentId) external view returns (uint256);

    /// @notice An intent's demand multiplier now, in tenths.
    function getMultiplierTenths(bytes32 intentId) external view returns (uint256);

    /// @notice Says how many requests an intent had in the last 24 hours. The settlement
    /// authority's alone.
    /// @param intentId The intent.
    /// @param requests How many.
    function setVolume(bytes32 intentId, uint256 requests) external;

    /// @notice Registers a miner: the sender.
    /// @param yamlUrl Where its description is.
    /// @param yamlHash The description's SHA-256.
    /// @param feeAddress Who is paid.
    /// @param minPriceUsdc Its floor price, at least 0.01 USDC.
    /// @param supportedIntents Canonical intents, by name.
    /// @return The registration's id.
    function registerMiner(
        string calldata yamlUrl,
        bytes32 yamlHash,
        address feeAddress,
        uint256 minPriceUsdc,
        string[] calldata supportedIntents
    ) external returns (uint256);

    /// @notice Replaces a registration of the sender's by a new one, with a new id.
    /// @param registrationId The one to replace.
    /// @param yamlUrl Where the description is.
    /// @param yamlHash The description's SHA-256.
    /// @param feeAddress Who is paid.
    /// @param minPriceUsdc The floor price, at least 0.01 USDC.
    /// @param supportedIntents Canonical intents, by name.
    function updateMiner(
        uint256 registrationId,
        string calldata yamlUrl,
        bytes32 yamlHash,
        address feeAddress,
        uint256 minPriceUsdc,
        string[] calldata supportedIntents
    ) external;

    /// @notice Ends a registration of the sender's.
    /// @param registrationId Which.
    function deregisterMiner(uint256 registrationId) external;

    /// @notice How many registrations there ever were: the highest id.
    function minerCount() external view returns (uint256);

    /// @notice A registration; all zero if there is none.
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
        );

    /// @notice The names of all canonical intents.
    function getCanonicalIntents() external view returns (string[] memory);

    /// @notice Whether a name is a canonical intent's, to the letter.
    function isCanonicalIntent(string calldata intent) external view returns (bool);

    /// @notice Settles an epoch: takes each delivery from its agent's escrow, the fee to the
    /// treasury, the rest to the miner's account here. A delivery that its agent's escrow cannot
    /// pay is skipped. The settlement authority's alone.
    /// @param epochId The epoch: must be `currentEpoch`.
    /// @param merkleRoot The root of its scores, leaderboard and rewards.
    /// @param deliveries The calls on prepaid escrow.
    /// @param ledgerUSDC What agents were charged in it for calls that a ledger of its own settled.
    /// @param ledgerMachina The MACHINA that miners bought during it with what they earned there.
    function submitEpoch(
        uint256 epochId,
        bytes32 merkleRoot,
        Delivery[] calldata deliveries,
        uint256 ledgerUSDC,
        uint256 ledgerMachina
    ) external;

    /// @notice Pays a miner from its account here, as MACHINA by way of the pool, or as USDC if
    /// there is none, and what the pool does not take. The settlement authority's, or the miner's.
    /// @param miner Whom.
    /// @param amount How much USDC of its account.
    /// @param leastMachina How much MACHINA the pool must give for it; the whole reverts if it
    /// gives less. Zero takes any price, and USDC if the pool cannot swap.
    function payMiner(address miner, uint256 amount, uint256 leastMachina) external;

    /// @notice What a miner has in its account here.
    function minerBalance(address miner) external view returns (uint256);

    /// @notice The epoch under way; they count from 1.
    function currentEpoch() external view returns (uint256);

    /// @notice Whether an epoch is settled.
    function epochSettled(uint256 epochId) external view returns (bool);

    /// @notice The USDC deducted in an epoch, here and on a ledger beside.
    function epochTotalUSDC(uint256 epochId) external view returns (uint256);

    /// @notice The MACHINA bought during an epoch, here and with what a ledger beside paid.
    function epochTotalMachina(uint256 epochId) external view returns (uint256);

    /// @notice The root that an epoch was settled with.
    function epochRoot(uint256 epochId) external view returns (bytes32);
}
