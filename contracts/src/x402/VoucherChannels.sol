// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IDepositCollector} from "./IDepositCollector.sol";
import {IVoucherChannels} from "./IVoucherChannels.sol";
import {VoucherHashes} from "./VoucherHashes.sol";

/// @title Payment channels by cumulative vouchers, as x402's `batch-settlement` scheme has them.
/// @dev No owner, no proxy, no constructor: a node can have the code at the scheme's fixed address.
contract VoucherChannels is VoucherHashes, Multicall, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice The shortest delay of a withdrawal, in seconds.
    uint40 public constant MIN_WITHDRAW_DELAY = 15 minutes;
    /// @notice The longest delay of a withdrawal, in seconds.
    uint40 public constant MAX_WITHDRAW_DELAY = 30 days;

    /// @inheritdoc IVoucherChannels
    mapping(bytes32 channelId => ChannelState) public channels;
    /// @inheritdoc IVoucherChannels
    mapping(bytes32 channelId => WithdrawalState) public pendingWithdrawals;
    /// @inheritdoc IVoucherChannels
    mapping(bytes32 channelId => uint256) public refundNonce;
    /// @inheritdoc IVoucherChannels
    mapping(address receiver => mapping(address token => ReceiverState)) public receivers;

    /// @inheritdoc IVoucherChannels
    // slither-disable-next-line reentrancy-balance -- the guard keeps the balance from changing
    function deposit(
        ChannelConfig calldata config,
        uint128 amount,
        address collector,
        bytes calldata collectorData
    ) external nonReentrant {
        _requireChannel(config);
        if (amount == 0) revert ZeroDeposit();
        if (collector == address(0)) revert InvalidCollector();
        bytes32 channelId = _channelId(_domain(), config);
        _credit(channelId, config, amount);
        uint256 needed = IERC20(config.token).balanceOf(address(this)) + amount;
        IDepositCollector(collector)
            .collect(config.payer, config.token, amount, channelId, collectorData);
        if (IERC20(config.token).balanceOf(address(this)) != needed) {
            revert DepositCollectionFailed();
        }
    }

    /// @inheritdoc IVoucherChannels
    function claim(VoucherClaim[] calldata voucherClaims) external nonReentrant {
        if (voucherClaims.length == 0) revert EmptyBatch();
        bytes32 domain = _domain();
        for (uint256 i = 0; i < voucherClaims.length; ++i) {
            VoucherClaim calldata row = voucherClaims[i];
            if (!_isReceiverSide(row.voucher.channel)) revert NotAuthorizedToClaim();
            _claim(domain, row);
        }
    }

    /// @inheritdoc IVoucherChannels
    function claimWithSignature(
        VoucherClaim[] calldata voucherClaims,
        bytes calldata authorizerSignature
    ) external nonReentrant {
        if (voucherClaims.length == 0) revert EmptyBatch();
        bytes32 domain = _domain();
        address authorizer = voucherClaims[0].voucher.channel.receiverAuthorizer;
        _requireSigner(authorizer, _claimBatchDigest(domain, voucherClaims), authorizerSignature);
        for (uint256 i = 0; i < voucherClaims.length; ++i) {
            if (voucherClaims[i].voucher.channel.receiverAuthorizer != authorizer) {
                revert NotReceiverAuthorizer();
            }
            _claim(domain, voucherClaims[i]);
        }
    }

    /// @inheritdoc IVoucherChannels
    function settle(address receiver, address token) external nonReentrant {
        ReceiverState storage state = receivers[receiver][token];
        uint128 amount = state.totalClaimed - state.totalSettled;
        if (amount == 0) return;
        state.totalSettled = state.totalClaimed;
        emit Settled(receiver, token, msg.sender, amount);
        IERC20(token).safeTransfer(receiver, amount);
    }

    /// @inheritdoc IVoucherChannels
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount)
        external
        nonReentrant
    {
        if (!_isPayerSide(config)) revert InvalidChannel();
        if (amount == 0) revert NothingToWithdraw();
        bytes32 channelId = _channelId(_domain(), config);
        if (pendingWithdrawals[channelId].initiatedAt != 0) revert WithdrawalAlreadyPending();
        if (amount > _unclaimed(channelId)) revert WithdrawAmountExceedsAvailable();
        uint40 now_ = uint40(block.timestamp);
        pendingWithdrawals[channelId] = WithdrawalState(amount, now_);
        emit WithdrawInitiated(channelId, amount, now_ + config.withdrawDelay);
    }

    /// @inheritdoc IVoucherChannels
    function finalizeWithdraw(ChannelConfig calldata config) external nonReentrant {
        if (!_isPayerSide(config)) revert NotAuthorizedToFinalizeWithdraw();
        bytes32 channelId = _channelId(_domain(), config);
        WithdrawalState memory pending = pendingWithdrawals[channelId];
        if (pending.initiatedAt == 0) revert WithdrawalNotPending();
        if (block.timestamp < uint256(pending.initiatedAt) + config.withdrawDelay) {
            revert WithdrawDelayNotElapsed();
        }
        uint128 amount = _lesser(pending.amount, _unclaimed(channelId));
        delete pendingWithdrawals[channelId];
        channels[channelId].balance -= amount;
        emit WithdrawFinalized(channelId, msg.sender, amount);
        _payBack(channelId, config, amount);
    }

    /// @inheritdoc IVoucherChannels
    function refund(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        if (!_isReceiverSide(config)) revert NotAuthorizedToRefund();
        _refund(_channelId(_domain(), config), config, amount);
    }

    /// @inheritdoc IVoucherChannels
    function refundWithSignature(
        ChannelConfig calldata config,
        uint128 amount,
        uint256 nonce,
        bytes calldata receiverAuthorizerSignature
    ) external nonReentrant {
        bytes32 domain = _domain();
        bytes32 channelId = _channelId(domain, config);
        if (nonce != refundNonce[channelId]) revert InvalidRefundNonce();
        _requireSigner(
            config.receiverAuthorizer,
            _refundDigest(domain, channelId, nonce, amount),
            receiverAuthorizerSignature
        );
        _refund(channelId, config, amount);
    }

    /// @dev Books a deposit before it is collected.
    function _credit(bytes32 channelId, ChannelConfig calldata config, uint128 amount) private {
        ChannelState storage channel = channels[channelId];
        uint128 balance = channel.balance;
        if (amount > type(uint128).max - balance) revert DepositOverflow();
        channel.balance = balance + amount;
        if (balance == 0 && channel.totalClaimed == 0) emit ChannelCreated(channelId, config);
        emit Deposited(channelId, msg.sender, amount, balance + amount);
    }

    /// @dev Raises what was claimed of a channel to what the row says, if its voucher allows it and
    /// the channel has it; does nothing if so much was claimed before.
    function _claim(bytes32 domain, VoucherClaim calldata row) private {
        ChannelConfig calldata config = row.voucher.channel;
        bytes32 channelId = _channelId(domain, config);
        ChannelState storage channel = channels[channelId];
        (uint128 total, uint128 ceiling) = (row.totalClaimed, row.voucher.maxClaimableAmount);
        (uint128 balance, uint128 before) = (channel.balance, channel.totalClaimed);
        if (total <= before) return;
        if (total > ceiling) revert ClaimExceedsCeiling();
        if (total > balance) revert ClaimExceedsBalance();
        _requireVoucher(config, _voucherDigest(domain, channelId, ceiling), row.signature);
        channel.totalClaimed = total;
        receivers[config.receiver][config.token].totalClaimed += total - before;
        emit Claimed(channelId, msg.sender, total - before, total);
    }

    /// @dev Gives back what was asked, as far as it is unclaimed, and takes it off a withdrawal
    /// under way.
    function _refund(bytes32 channelId, ChannelConfig calldata config, uint128 asked) private {
        if (asked == 0) revert ZeroRefund();
        ++refundNonce[channelId];
        uint128 amount = _lesser(asked, _unclaimed(channelId));
        if (amount == 0) return;
        channels[channelId].balance -= amount;
        WithdrawalState storage pending = pendingWithdrawals[channelId];
        if (amount < pending.amount) pending.amount -= amount;
        else if (pending.initiatedAt != 0) delete pendingWithdrawals[channelId];
        emit Refunded(channelId, msg.sender, amount);
        _payBack(channelId, config, amount);
    }

    /// @dev Moves what was booked out to the payer; says so if the channel is over.
    function _payBack(bytes32 channelId, ChannelConfig calldata config, uint128 amount) private {
        ChannelState memory channel = channels[channelId];
        if (channel.balance == 0 && channel.totalClaimed == 0) {
            emit ChannelClosed(channelId, config);
        }
        if (amount != 0) IERC20(config.token).safeTransfer(config.payer, amount);
    }

    function _unclaimed(bytes32 channelId) private view returns (uint128) {
        ChannelState memory channel = channels[channelId];
        return channel.balance - channel.totalClaimed;
    }

    function _isReceiverSide(ChannelConfig calldata config) private view returns (bool) {
        return msg.sender == config.receiverAuthorizer || msg.sender == config.receiver;
    }

    function _isPayerSide(ChannelConfig calldata config) private view returns (bool) {
        return msg.sender == config.payer || msg.sender == config.payerAuthorizer;
    }

    function _requireVoucher(
        ChannelConfig calldata config,
        bytes32 digest,
        bytes calldata signature
    ) private view {
        address authorizer = config.payerAuthorizer;
        if (authorizer == address(0)) {
            _requireSigner(config.payer, digest, signature);
        } else if (ECDSA.recoverCalldata(digest, signature) != authorizer) {
            revert InvalidSignature();
        }
    }

    function _requireSigner(address signer, bytes32 digest, bytes calldata signature)
        private
        view
    {
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature)) {
            revert InvalidSignature();
        }
    }

    function _requireChannel(ChannelConfig calldata config) private pure {
        if (
            config.payer == address(0) || config.receiver == address(0)
                || config.receiverAuthorizer == address(0) || config.token == address(0)
        ) revert InvalidChannel();
        if (config.withdrawDelay < MIN_WITHDRAW_DELAY || config.withdrawDelay > MAX_WITHDRAW_DELAY)
        {
            revert WithdrawDelayOutOfRange();
        }
    }

    function _lesser(uint128 a, uint128 b) private pure returns (uint128) {
        return a < b ? a : b;
    }
}
