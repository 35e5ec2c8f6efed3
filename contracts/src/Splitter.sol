// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Splits charges as every rail does: the fee, rounded down per call, to the treasury, the
/// rest to the model; both are kept until they are claimed.
/// @dev No owner, no proxy. Models are addresses here; amounts are in the token's unit.
abstract contract Splitter is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev One slot.
    struct Earnings {
        uint128 earned;
        uint128 claimed;
    }

    /// @dev The most that one call can cost.
    uint256 internal constant MOST = type(uint96).max;

    /// @notice The token that everything is paid in.
    address public immutable token;
    /// @notice The one account that says what was charged.
    address public immutable router;
    /// @notice Where the fees go.
    address public immutable treasury;
    /// @notice The fee, in ten-thousandths of each charge, rounded down per call.
    uint16 public immutable feeBps;

    mapping(address model => Earnings) private _models;
    Earnings private _treasury;

    /// @notice A model's earnings were paid to it.
    event Claimed(address indexed model, uint256 amount);
    /// @notice Fees were paid to the treasury.
    event FeesClaimed(uint256 amount);

    /// @notice An address that must be somebody is nobody.
    error NoAddress();
    /// @notice The fee is more than the whole charge.
    error FeeTooHigh(uint256 found, uint256 limit);
    /// @notice An amount or a time is out of its range.
    error OutOfRange(uint256 found, uint256 limit);
    /// @notice The sender is not the router.
    error NotRouter(address found, address needed);

    /// @param token_ An ERC-20 that moves exactly what it is asked to.
    /// @param router_ Who says what was charged.
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

    /// @notice Pays all of a model's unclaimed earnings to it. Anyone may call; nothing to pay pays
    /// zero.
    /// @param model Whose earnings.
    /// @return amount How much was paid.
    function claim(address model) external nonReentrant returns (uint256 amount) {
        amount = _take(_models[model]);
        emit Claimed(model, amount);
        _pay(model, amount);
    }

    /// @notice Pays all unclaimed fees to the treasury. Anyone may call; nothing to pay pays zero.
    /// @return amount How much was paid.
    function claimFees() external nonReentrant returns (uint256 amount) {
        amount = _take(_treasury);
        emit FeesClaimed(amount);
        _pay(treasury, amount);
    }

    /// @notice All that a model ever earned, and how much of it was paid out.
    function earnings(address model) external view returns (uint256 earned, uint256 claimed) {
        Earnings memory kept = _models[model];
        return (kept.earned, kept.claimed);
    }

    /// @notice All fees ever taken.
    function fees() external view returns (uint256) {
        return _treasury.earned;
    }

    /// @notice All fees ever paid to the treasury.
    function feesClaimed() external view returns (uint256) {
        return _treasury.claimed;
    }

    /// @dev Books a model's part of one call's charge, which is at most `MOST`; returns the fee in
    /// it, for the caller to book.
    function _earn(address model, uint256 charge) internal returns (uint256 fee) {
        fee = charge * feeBps / 10_000;
        _models[model].earned += uint128(charge - fee);
    }

    /// @dev Books the fees of one or more calls.
    function _addFees(uint256 amount) internal {
        _treasury.earned += uint128(amount);
    }

    /// @dev Moves tokens out, after all is set and said.
    function _pay(address to, uint256 amount) internal virtual {
        IERC20(token).safeTransfer(to, amount);
    }

    function _requireRouter() internal view {
        if (msg.sender != router) revert NotRouter(msg.sender, router);
    }

    function _requireFits(uint256 found, uint256 limit) internal pure {
        if (found > limit) revert OutOfRange(found, limit);
    }

    function _take(Earnings storage kept) private returns (uint256 amount) {
        amount = kept.earned - kept.claimed;
        kept.claimed = kept.earned;
    }
}
