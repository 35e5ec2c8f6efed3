// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";

/// @title The protocol's token: at most 21,000,000, made by epoch and in no other way.
/// @dev An epoch makes 7,200 halved every 1,461 epochs: 60 % to validators in equal shares, 20 % to
/// script authors by use, the rest, with what rounding leaves, to the treasury. The schedule alone
/// would come to 21,038,400; the cap comes first.
contract MACHINA is ERC20Capped {
    uint256 private constant CAP = 21_000_000e18;
    uint256 private constant FIRST_EMISSION = 7200e18;
    uint256 private constant HALVING_EPOCHS = 1461;
    uint256 private constant VALIDATORS_PERCENT = 60;
    uint256 private constant AUTHORS_PERCENT = 20;

    /// @notice The only account that may end an epoch.
    address public immutable minter;
    /// @notice Who gets what is neither the validators' nor the authors'.
    address public immutable treasury;
    /// @notice When epoch 0 began, in unix seconds.
    uint256 public immutable genesis;
    /// @notice How long an epoch is, in seconds.
    uint256 public immutable epochSeconds;
    /// @notice How many epochs have ended: the number of the one under way.
    uint256 public epochCount;

    /// @notice An epoch's tokens were made.
    event EpochMinted(
        uint256 indexed epoch, uint256 toValidators, uint256 toAuthors, uint256 toTreasury
    );

    /// @notice An address that must be somebody is nobody.
    error NoAddress();
    /// @notice An epoch must take time.
    error NoTime();
    /// @notice Somebody other than the minter asked for new tokens.
    error NotMinter(address found, address needed);
    /// @notice The epoch is not over.
    error EpochNotOver(uint256 found, uint256 needed);
    /// @notice There is not one use for each author.
    error WrongLength(uint256 found, uint256 needed);

    /// @param minter_ Who ends epochs, and says who has earned.
    /// @param treasury_ Who gets the rest.
    /// @param genesis_ When epoch 0 began, in unix seconds.
    /// @param epochSeconds_ How long an epoch is.
    constructor(address minter_, address treasury_, uint256 genesis_, uint256 epochSeconds_)
        ERC20("Machina", "MACHINA")
        ERC20Capped(CAP)
    {
        if (minter_ == address(0) || treasury_ == address(0)) revert NoAddress();
        if (epochSeconds_ == 0) revert NoTime();
        minter = minter_;
        treasury = treasury_;
        genesis = genesis_;
        epochSeconds = epochSeconds_;
    }

    /// @notice Makes the tokens of the epoch under way, once it is over. The minter's alone.
    /// @param validators Who share 60 % equally; none leaves it to the treasury.
    /// @param authors Who share 20 %; none, or no use, leaves it to the treasury.
    /// @param uses In what proportion.
    function mintEpoch(
        address[] calldata validators,
        address[] calldata authors,
        uint256[] calldata uses
    ) external {
        if (msg.sender != minter) revert NotMinter(msg.sender, minter);
        if (uses.length != authors.length) revert WrongLength(uses.length, authors.length);
        uint256 epoch = epochCount;
        uint256 end = genesis + (epoch + 1) * epochSeconds;
        if (block.timestamp < end) revert EpochNotOver(block.timestamp, end);
        epochCount = epoch + 1;
        uint256 amount = _due(epoch);
        uint256 toValidators = _mintEqually(validators, amount * VALIDATORS_PERCENT / 100);
        uint256 toAuthors = _mintByUse(authors, uses, amount * AUTHORS_PERCENT / 100);
        uint256 rest = amount - toValidators - toAuthors;
        emit EpochMinted(epoch, toValidators, toAuthors, rest);
        _mint(treasury, rest);
    }

    /// @notice What the schedule makes in an epoch, the cap aside.
    /// @param epoch Its number, from 0.
    function emissionOf(uint256 epoch) public pure returns (uint256) {
        return FIRST_EMISSION >> (epoch / HALVING_EPOCHS);
    }

    function _mintEqually(address[] calldata to, uint256 amount) private returns (uint256 minted) {
        if (to.length == 0) return 0;
        // slither-disable-next-line divide-before-multiply -- what is left over is the treasury's
        uint256 share = amount / to.length;
        for (uint256 i = 0; i < to.length; ++i) {
            _mint(to[i], share);
        }
        return share * to.length;
    }

    function _mintByUse(address[] calldata to, uint256[] calldata uses, uint256 amount)
        private
        returns (uint256 minted)
    {
        uint256 all = 0;
        for (uint256 i = 0; i < to.length; ++i) {
            all += uses[i];
        }
        if (all == 0) return 0;
        for (uint256 i = 0; i < to.length; ++i) {
            uint256 share = amount * uses[i] / all;
            minted += share;
            _mint(to[i], share);
        }
    }

    /// @dev The schedule's amount, or what is left to the cap.
    function _due(uint256 epoch) private view returns (uint256) {
        uint256 left = CAP - totalSupply();
        uint256 amount = emissionOf(epoch);
        return amount < left ? amount : left;
    }
}
