// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What every ledger does: agents pay in and say what may be spent, models and the treasury
/// are paid out, every settled call is provable. How calls are settled is each ledger's own.
/// @dev Accounts have compact ids, from 1, one per address, for agents and models alike. Amounts
/// are in the token's unit, millionths of a dollar.
interface ILedger {
    /// @notice What an agent signs (EIP-712) to let a router spend: at most `cap` in all,
    /// `maxPrice` per call, until `deadline` in unix seconds. `nonce` counts the mandates of the
    /// account from 0.
    struct SpendMandate {
        address router;
        uint256 cap;
        uint256 maxPrice;
        uint256 deadline;
        uint256 nonce;
    }

    /// @notice An address got its id.
    event Registered(uint32 indexed id, address indexed owner);
    /// @notice An account was paid into.
    event Deposited(uint32 indexed id, uint256 amount);
    /// @notice An agent's mandate was replaced.
    event MandateSet(
        uint32 indexed id, uint256 cap, uint256 maxPrice, uint256 deadline, uint256 nonce
    );
    /// @notice Calls `first` to `first + count - 1` were settled: `total` charged, of it `fees` to
    /// the treasury.
    event BatchSettled(
        uint256 indexed batchId,
        uint256 first,
        uint256 count,
        bytes32 root,
        uint256 total,
        uint256 fees
    );
    /// @notice Earnings were paid to the owner of an account.
    event Claimed(uint32 indexed id, uint256 amount);
    /// @notice Fees were paid to the treasury.
    event FeesClaimed(uint256 amount);
    /// @notice An owner wants `amount` back, and can have it from `unlocksAt`, in unix seconds.
    event WithdrawRequested(uint32 indexed id, uint256 amount, uint256 unlocksAt);
    /// @notice Part of a balance was paid back to the owner of an account.
    event Withdrawn(uint32 indexed id, uint256 amount);

    /// @notice An address that must be somebody is nobody.
    error NoAddress();
    /// @notice The fee is more than the whole charge.
    error FeeTooHigh(uint256 found, uint256 limit);
    /// @notice The address already has an id.
    error AlreadyRegistered(address found, uint32 id);
    /// @notice No account has this id; the highest is `limit`.
    error UnknownAccount(uint256 found, uint256 limit);
    /// @notice An amount or a time does not fit where it is kept.
    error OutOfRange(uint256 found, uint256 limit);
    /// @notice The token moved something else than it was asked to.
    error WrongTransfer(uint256 found, uint256 needed);
    /// @notice The sender, or the router a mandate names, is not the ledger's router.
    error NotRouter(address found, address needed);
    /// @notice The mandate's nonce is not the account's next.
    error WrongNonce(uint256 found, uint256 needed);
    /// @notice The mandate ran out before now.
    error MandateExpired(uint256 found, uint256 needed);
    /// @notice The signature is not the owner's over this mandate, chain and contract.
    error WrongSignature(uint32 id, address needed);
    /// @notice The sender is not the account's owner.
    error NotOwner(address found, address needed);
    /// @notice No withdrawal is under way for the account.
    error NothingRequested(uint32 id);
    /// @notice The withdrawal is still locked.
    error WithdrawalLocked(uint256 found, uint256 needed);
    /// @notice The batch does not continue where the last one ended.
    error WrongFirst(uint256 found, uint256 needed);
    /// @notice Gives each address an id, in order. Anyone may call.
    /// @param owners Addresses that have none yet; an address that has one reverts the whole.
    /// @return firstId The id of the first; the others follow.
    function register(address[] calldata owners) external returns (uint32 firstId);

    /// @notice Pays into an account from the sender, who has approved the ledger before.
    /// @param id Whose account.
    /// @param amount How much.
    function deposit(uint32 id, uint256 amount) external;

    /// @notice Pays into an account from its owner, who has signed ERC-3009's
    /// `ReceiveWithAuthorization` to the ledger. Anyone may submit it; nobody can use the signature
    /// elsewhere.
    /// @param id Whose account.
    /// @param amount How much, as signed.
    /// @param validAfter The second after which the signature holds.
    /// @param validBefore The second before which it holds.
    /// @param nonce Any 32 bytes that the owner has not signed before.
    /// @param v The signature.
    /// @param r The signature.
    /// @param s The signature.
    function depositWithAuthorization(
        uint32 id,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Replaces what the router may spend for an agent. Anyone may submit what the owner
    /// signed; a cap of zero ends the router's power.
    /// @param id Whose mandate.
    /// @param mandate What was signed. cap < 2^80, maxPrice and deadline < 2^48, deadline not
    /// before now.
    /// @param signature The owner's 65 bytes, or what its contract accepts (ERC-1271).
    function setMandate(uint32 id, SpendMandate calldata mandate, bytes calldata signature)
        external;

    /// @notice Asks for part of the balance back: it unlocks `withdrawDelay` seconds from now. Its
    /// owner's alone. A new request replaces the last, and one of zero takes it back.
    /// @dev Nothing moves: until it is executed the whole balance pays for calls as before, so that
    /// a call admitted before the request is payable if it is settled within the delay. After the
    /// request the router admits calls against `effectiveBalance` only.
    /// @param id Whose balance.
    /// @param amount How much, at most the balance.
    function requestWithdraw(uint32 id, uint256 amount) external;

    /// @notice Pays what was requested, or what is left of it, to the account's owner. Anyone may
    /// call, once it is unlocked.
    /// @param id Whose balance.
    /// @return amount How much was paid: the request, or the balance if that is less by now.
    function executeWithdraw(uint32 id) external returns (uint256 amount);

    /// @notice Stops deposits, and nothing else: calls are settled and money is paid out as before.
    /// The owner's alone.
    function pause() external;

    /// @notice Lets deposits in again. The owner's alone.
    function unpause() external;

    /// @notice Whether a call was settled in a batch, exactly so.
    /// @param batchId The batch.
    /// @param callId The call's id.
    /// @param agent Who paid.
    /// @param model Who answered.
    /// @param head The first word of its record.
    /// @param answerHash The second word of its record.
    /// @param charged What was taken: the charge, or zero if it was not paid.
    /// @param proof The hashes beside the path from the call's leaf to the batch's root.
    function proveCall(
        uint256 batchId,
        uint256 callId,
        uint32 agent,
        uint32 model,
        bytes32 head,
        bytes32 answerHash,
        uint256 charged,
        bytes32[] calldata proof
    ) external view returns (bool);

    /// @notice Pays all of an account's unclaimed earnings to its owner. Anyone may call.
    /// @param id Whose earnings.
    /// @return amount How much was paid.
    function claim(uint32 id) external returns (uint256 amount);

    /// @notice Pays all unclaimed fees to the treasury. Anyone may call.
    /// @return amount How much was paid.
    function claimFees() external returns (uint256 amount);

    /// @notice The token that everything is paid in.
    function token() external view returns (address);

    /// @notice The one account that may settle.
    function router() external view returns (address);

    /// @notice Where the fees go.
    function treasury() external view returns (address);

    /// @notice The fee, in ten-thousandths of each charge, rounded down per call.
    function feeBps() external view returns (uint16);

    /// @notice How many accounts there are: the highest id.
    function accountCount() external view returns (uint256);

    /// @notice How many calls are settled: the id of the next.
    function callCount() external view returns (uint256);

    /// @notice How many batches are settled: the id of the next.
    function batchCount() external view returns (uint256);

    /// @notice The root of a batch's leaves; zero if there is no such batch.
    function rootOf(uint256 batchId) external view returns (bytes32);

    /// @notice All fees ever taken.
    function fees() external view returns (uint256);

    /// @notice All fees ever paid to the treasury.
    function feesClaimed() external view returns (uint256);

    /// @notice The address of an account; zero if there is none.
    function ownerOf(uint32 id) external view returns (address);

    /// @notice The id of an address; zero if it has none.
    function idOf(address owner) external view returns (uint32);

    /// @notice An agent's side of an account: what it paid in and has not spent, and what is left
    /// of its mandate.
    function account(uint32 id)
        external
        view
        returns (uint256 balance, uint256 cap, uint256 maxPrice, uint256 deadline);

    /// @notice A model's side of an account: all it ever earned, and how much of it was paid out.
    function earnings(uint32 id) external view returns (uint256 earned, uint256 claimed);

    /// @notice The nonce that the account's next mandate must carry.
    function mandateNonce(uint32 id) external view returns (uint256);

    /// @notice How long a withdrawal is locked, in seconds.
    function withdrawDelay() external view returns (uint256);

    /// @notice What an account's owner has requested back, and from which second it can be had;
    /// zero and zero if nothing.
    function withdrawal(uint32 id) external view returns (uint256 amount, uint256 unlocksAt);

    /// @notice An account's balance less what a withdrawal has claimed: what the router may admit
    /// calls against.
    function effectiveBalance(uint32 id) external view returns (uint256);
}
