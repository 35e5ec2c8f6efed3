// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Splitter} from "./Splitter.sol";

/// @title Whom plain payments are made to: an ERC-20 transfer, an x402 `exact` authorisation or a
/// settled channel pays the hub, and the router says which calls it was for.
/// @dev A payment carries no word of the call it pays: so much the router is trusted with, and no
/// more, for it can only split what has come in and is not split yet.
contract CallHub is Splitter {
    /// @dev One slot: the calls split, all that was split, all that was paid out.
    struct Totals {
        uint64 callCount;
        uint96 split;
        uint96 paid;
    }

    Totals private _totals;

    /// @notice A call was paid for: `charge` in all, of it `fee` to the treasury.
    event CallPaid(uint256 indexed callId, address indexed model, uint256 charge, uint256 fee);

    /// @notice The calls do not continue where the last ones ended.
    error WrongFirst(uint256 found, uint256 needed);
    /// @notice There is not one charge for each model.
    error WrongLength(uint256 found, uint256 needed);
    /// @notice More is to be split than has come in.
    error NotReceived(uint256 found, uint256 limit);

    /// @param token_ An ERC-20 that moves exactly what it is asked to.
    /// @param router_ Who says what was charged.
    /// @param treasury_ Where the fees go.
    /// @param feeBps_ The fee in ten-thousandths of each charge.
    constructor(address token_, address router_, address treasury_, uint16 feeBps_)
        Splitter(token_, router_, treasury_, feeBps_)
    {}

    /// @notice Splits what has come in among the calls it was paid for. The router's alone.
    /// @param first The id of the first call: must be `callCount`, so that no call is split twice.
    /// @param models Who answered each call.
    /// @param charges What each call cost.
    function split(uint256 first, address[] calldata models, uint256[] calldata charges)
        external
        nonReentrant
    {
        _requireRouter();
        Totals memory totals = _totals;
        if (first != totals.callCount) revert WrongFirst(first, totals.callCount);
        if (charges.length != models.length) revert WrongLength(charges.length, models.length);
        uint256 total = _splitAll(first, models, charges);
        uint256 limit = _unsplit(totals);
        if (total > limit) revert NotReceived(total, limit);
        _requireFits(totals.split + total, MOST);
        totals.callCount += uint64(models.length);
        totals.split += uint96(total);
        _totals = totals;
    }

    /// @notice How many calls are split: the id of the next.
    function callCount() external view returns (uint256) {
        return _totals.callCount;
    }

    /// @notice What has come in and is not split yet.
    function unsplit() external view returns (uint256) {
        return _unsplit(_totals);
    }

    function _splitAll(uint256 first, address[] calldata models, uint256[] calldata charges)
        private
        returns (uint256 total)
    {
        uint256 taken = 0;
        for (uint256 i = 0; i < models.length; ++i) {
            (address model, uint256 charge) = (models[i], charges[i]);
            if (model == address(0)) revert NoAddress();
            _requireFits(charge, MOST);
            uint256 fee = _earn(model, charge);
            total += charge;
            taken += fee;
            emit CallPaid(first + i, model, charge, fee);
        }
        _addFees(taken);
    }

    function _pay(address to, uint256 amount) internal override {
        _totals.paid += uint96(amount);
        super._pay(to, amount);
    }

    function _unsplit(Totals memory totals) private view returns (uint256) {
        return IERC20(token).balanceOf(address(this)) + totals.paid - totals.split;
    }
}
