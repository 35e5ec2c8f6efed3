// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What x402's `batch-settlement` scheme calls on chain: functions, events, errors and types
/// under the names that its clients and facilitators know.
/// @dev A channel is its configuration; its id is the configuration's EIP-712 hash, so that the
/// contract keeps no list. `balance` is all that was paid in less what went back to the payer,
/// `totalClaimed` the part of it that belongs to the receiver: neither falls when the receiver is
/// paid. Errors carry no fields here, and amounts are `uint128`, because the scheme has them so.
interface IVoucherChannels {
    /// @notice Who pays whom. `payerAuthorizer` signs vouchers, or the payer itself if it is zero;
    /// `receiverAuthorizer` signs claims and refunds; `withdrawDelay` is in seconds.
    struct ChannelConfig {
        address payer;
        address payerAuthorizer;
        address receiver;
        address receiverAuthorizer;
        address token;
        uint40 withdrawDelay;
        bytes32 salt;
    }

    /// @notice What the payer signs: all that may be claimed from the channel, ever.
    struct Voucher {
        ChannelConfig channel;
        uint128 maxClaimableAmount;
    }

    /// @notice A signed voucher, and how much of it the receiver claims, ever.
    struct VoucherClaim {
        Voucher voucher;
        bytes signature;
        uint128 totalClaimed;
    }

    /// @notice A channel's state, in one slot.
    struct ChannelState {
        uint128 balance;
        uint128 totalClaimed;
    }

    /// @notice A withdrawal under way; `initiatedAt` is zero if there is none.
    struct WithdrawalState {
        uint128 amount;
        uint40 initiatedAt;
    }

    /// @notice What a receiver has claimed and been paid of a token, over all its channels.
    struct ReceiverState {
        uint128 totalClaimed;
        uint128 totalSettled;
    }

    /// @notice A channel got its first balance.
    event ChannelCreated(bytes32 indexed channelId, ChannelConfig config);
    /// @notice A channel from which nothing was ever claimed is empty again.
    event ChannelClosed(bytes32 indexed channelId, ChannelConfig config);
    /// @notice A channel was paid into.
    event Deposited(
        bytes32 indexed channelId, address indexed sender, uint128 amount, uint128 newBalance
    );
    /// @notice More of a channel belongs to its receiver.
    event Claimed(
        bytes32 indexed channelId,
        address indexed sender,
        uint128 claimAmount,
        uint128 newTotalClaimed
    );
    /// @notice A receiver was paid what it had claimed.
    event Settled(
        address indexed receiver, address indexed token, address indexed sender, uint128 amount
    );
    /// @notice Part of a channel went back to its payer, with the receiver's consent.
    event Refunded(bytes32 indexed channelId, address indexed sender, uint128 amount);
    /// @notice A payer wants `amount` back, and can have it from `finalizeAfter`.
    event WithdrawInitiated(bytes32 indexed channelId, uint128 amount, uint40 finalizeAfter);
    /// @notice Part of a channel went back to its payer, after the delay.
    event WithdrawFinalized(bytes32 indexed channelId, address indexed sender, uint128 amount);

    /// @notice The configuration names nobody where somebody must be; or the sender is not its
    /// payer.
    error InvalidChannel();
    /// @notice A deposit of nothing.
    error ZeroDeposit();
    /// @notice A balance would not fit its 128 bits.
    error DepositOverflow();
    /// @notice The signature is another's, or over something else.
    error InvalidSignature();
    /// @notice The claims of one batch have different authorizers.
    error NotReceiverAuthorizer();
    /// @notice The sender is neither receiver nor its authorizer.
    error NotAuthorizedToClaim();
    /// @notice The sender is neither receiver nor its authorizer.
    error NotAuthorizedToRefund();
    /// @notice More is claimed than the voucher allows.
    error ClaimExceedsCeiling();
    /// @notice More is claimed than the channel has.
    error ClaimExceedsBalance();
    /// @notice A withdrawal is under way already.
    error WithdrawalAlreadyPending();
    /// @notice No withdrawal is under way.
    error WithdrawalNotPending();
    /// @notice The sender is neither payer nor its authorizer.
    error NotAuthorizedToFinalizeWithdraw();
    /// @notice The withdrawal is still locked.
    error WithdrawDelayNotElapsed();
    /// @notice A withdrawal of nothing.
    error NothingToWithdraw();
    /// @notice More is to be withdrawn than is unclaimed.
    error WithdrawAmountExceedsAvailable();
    /// @notice The delay is under 15 minutes or over 30 days.
    error WithdrawDelayOutOfRange();
    /// @notice No claims.
    error EmptyBatch();
    /// @notice The collector did not bring the amount.
    error DepositCollectionFailed();
    /// @notice No collector is named.
    error InvalidCollector();
    /// @notice The refund was signed for another nonce.
    error InvalidRefundNonce();
    /// @notice A refund of nothing.
    error ZeroRefund();

    /// @notice Pays into a channel, and so opens it if it is new. Anyone may call: the collector
    /// takes the tokens from the payer by what the payer signed.
    /// @param config The channel.
    /// @param amount How much.
    /// @param collector The contract that fetches the tokens.
    /// @param collectorData The payer's signature and what else the collector needs.
    function deposit(
        ChannelConfig calldata config,
        uint128 amount,
        address collector,
        bytes calldata collectorData
    ) external;

    /// @notice Claims by vouchers: the receiver's or its authorizer's, for each channel. A claim no
    /// higher than the last changes nothing, so that a voucher sent twice pays once.
    /// @param voucherClaims The vouchers, and how much of each is claimed.
    function claim(VoucherClaim[] calldata voucherClaims) external;

    /// @notice Claims by vouchers, for anyone who holds the receiver authorizer's signature over
    /// the claims.
    /// @param voucherClaims The vouchers, of channels with one authorizer.
    /// @param authorizerSignature Over `getClaimBatchDigest(voucherClaims)`.
    function claimWithSignature(
        VoucherClaim[] calldata voucherClaims,
        bytes calldata authorizerSignature
    ) external;

    /// @notice Pays a receiver all it has claimed of a token. Anyone may call; nothing to pay does
    /// nothing.
    /// @param receiver Who is paid.
    /// @param token In what.
    function settle(address receiver, address token) external;

    /// @notice Asks for part of what is unclaimed back: the payer's or its authorizer's. It can be
    /// had after the channel's delay; until then vouchers can be claimed as before.
    /// @param config The channel.
    /// @param amount How much.
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external;

    /// @notice Pays the payer what it asked for, or what is left unclaimed of it: the payer's or
    /// its authorizer's, after the delay.
    /// @param config The channel.
    function finalizeWithdraw(ChannelConfig calldata config) external;

    /// @notice Gives the payer part of what is unclaimed back at once: the receiver's or its
    /// authorizer's. It comes off a withdrawal under way, and uses up the refund nonce, even if
    /// nothing is left to give.
    /// @param config The channel.
    /// @param amount How much; what is unclaimed if that is less.
    function refund(ChannelConfig calldata config, uint128 amount) external;

    /// @notice The same, for anyone who holds the receiver authorizer's signature.
    /// @param config The channel.
    /// @param amount How much, as signed; what is unclaimed if that is less.
    /// @param nonce The channel's `refundNonce`, as signed.
    /// @param receiverAuthorizerSignature Over `getRefundDigest(channelId, nonce, amount)`.
    function refundWithSignature(
        ChannelConfig calldata config,
        uint128 amount,
        uint256 nonce,
        bytes calldata receiverAuthorizerSignature
    ) external;

    /// @notice A channel's balance and what of it was ever claimed.
    function channels(bytes32 channelId)
        external
        view
        returns (uint128 balance, uint128 totalClaimed);

    /// @notice A channel's withdrawal under way.
    function pendingWithdrawals(bytes32 channelId)
        external
        view
        returns (uint128 amount, uint40 initiatedAt);

    /// @notice The nonce that the channel's next refund must be signed for.
    function refundNonce(bytes32 channelId) external view returns (uint256);

    /// @notice What a receiver ever claimed of a token, and what it was paid.
    function receivers(address receiver, address token)
        external
        view
        returns (uint128 totalClaimed, uint128 totalSettled);

    /// @notice The id of a channel: the EIP-712 hash of its configuration.
    function getChannelId(ChannelConfig calldata config) external view returns (bytes32);

    /// @notice What a payer signs for a voucher.
    function getVoucherDigest(bytes32 channelId, uint128 maxClaimableAmount)
        external
        view
        returns (bytes32);

    /// @notice What a receiver authorizer signs for a refund.
    function getRefundDigest(bytes32 channelId, uint256 nonce, uint128 amount)
        external
        view
        returns (bytes32);

    /// @notice What a receiver authorizer signs for claims.
    function getClaimBatchDigest(VoucherClaim[] calldata voucherClaims)
        external
        view
        returns (bytes32);
}
