"""Records, leaves, proofs, files and accounts: what needs no node."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from eth_abi.abi import encode
from eth_account import Account as EthAccount
from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
from hypothesis import given
from hypothesis import strategies as st

from sim.chain import merkle
from sim.chain.accounts import AccountKind, account, account_of_text
from sim.chain.contracts import contract, created_address
from sim.chain.deployment import Deployment, load_deployment
from sim.chain.node import MNEMONIC
from sim.chain.pack import GAS_LIMIT, pack, split, unpack
from sim.chain.transactions import NAME, Genesis, TransactionReader, TransactionWriter
from sim.facts import Batch, ChainError, ToolError
from sim.units import Int64Array
from tests.chain_helpers import batches

IDS = np.arange(1, 70_000, dtype=np.int64)
DEPLOYMENT = Deployment(
    31337, "0x" + "1" * 40, "0x" + "2" * 40, "0x" + "3" * 40, "0x" + "4" * 40, 200, 1
)


def column(values: list[int]) -> Int64Array:
    return np.array(values, dtype=np.int64)


@st.composite
def any_batch(draw: st.DrawFn) -> Batch:
    size = draw(st.integers(1, 40))

    def numbers(bits: int) -> Int64Array:
        return column(draw(st.lists(st.integers(0, 2**bits - 1), min_size=size, max_size=size)))

    return Batch(
        number=draw(st.integers(0, 10**6)),
        closed_us=draw(st.integers(0, 10**15)),
        first=0,
        call_id=np.arange(size, dtype=np.int64),
        agent=numbers(16),
        model=numbers(5),
        quote_micros=numbers(48),
        charge_micros=numbers(48),
        fee_micros=numbers(30),
        score_ppm=numbers(24),
        intent=numbers(16),
        finished_us=numbers(63),
        answer_hash=np.frombuffer(
            draw(st.binary(min_size=32 * size, max_size=32 * size)), dtype=np.uint8
        ).reshape(size, 32),
    )


@given(any_batch(), st.booleans(), st.integers(0, 2**60))
def test_what_is_packed_is_read_back_as_it_was(batch: Batch, emit: bool, first: int) -> None:
    selector = contract("CallLedger").selector("settleBatch")
    packed = pack(batch, slice(None), IDS, IDS + 7, emit)
    found = unpack(packed.calldata(selector, first))
    assert found.first == first
    assert (found.agent_ids == IDS[batch.agent]).all()
    assert (found.model_ids == (IDS + 7)[batch.model]).all()
    for name in ("quote_micros", "charge_micros", "score_ppm", "intent", "finished_us"):
        assert (getattr(found, name) == getattr(batch, name)).all(), name
    assert (found.answers == batch.answer_hash).all()
    assert set(found.flags) == {int(emit)}


@given(any_batch())
def test_calldata_is_what_the_abi_says(batch: Batch) -> None:
    packed = pack(batch, slice(None), IDS, IDS, True)
    arguments = (12, packed.agents.tolist(), packed.models.tolist(), packed.records)
    settle = contract("CallLedger").functions["settleBatch"]
    assert packed.calldata(settle.key, 12) == settle.key + encode(settle.inputs, arguments)


@given(any_batch())
def test_a_head_has_each_field_at_its_bits(batch: Batch) -> None:
    packed = pack(batch, slice(None), IDS, IDS, True)
    head = int.from_bytes(packed.records[:32], "big")
    agents, models = packed.agents.tolist(), packed.models.tolist()
    fields = (
        (agents.index(IDS[batch.agent[0]]), 16),
        (models.index(IDS[batch.model[0]]), 16),
        (batch.quote_micros[0], 48),
        (batch.charge_micros[0], 48),
        (batch.score_ppm[0], 24),
        (batch.intent[0], 16),
        (batch.finished_us[0], 64),
        (1, 24),
    )
    for value, bits in fields:
        assert head & ((1 << bits) - 1) == value
        head >>= bits
    assert head == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("quote_micros", 2**48), ("charge_micros", -1), ("score_ppm", 2**24), ("intent", 2**16)],
)
def test_a_number_that_does_not_fit_is_refused_with_its_batch(name: str, value: int) -> None:
    (batch,) = batches([3])
    wrong = getattr(batch, name).copy()
    wrong[1] = value
    with pytest.raises(ChainError, match=f"batch 0: {name} from"):
        pack(replace(batch, **{name: wrong}), slice(None), IDS, IDS, True)


def test_calldata_that_is_cut_short_is_refused() -> None:
    (batch,) = batches([3])
    whole = pack(batch, slice(None), IDS, IDS, True).calldata(b"abcd", 0)
    for size in (10, 200, len(whole) - 1):
        with pytest.raises(ChainError):
            unpack(whole[:size])


@given(st.integers(1, 5_000), st.integers(1, 1_500), st.integers(400_000, GAS_LIMIT))
def test_the_parts_of_a_batch_cover_it_once_and_fit(size: int, agents: int, limit: int) -> None:
    (batch,) = batches([size], agents=agents, models=20)
    parts = split(batch, True, limit)
    covered = [position for part in parts for position in range(part.start, part.stop)][:size]
    assert covered == list(range(size))
    for part in parts:
        calls = len(batch.agent[part])
        distinct = len(set(batch.agent[part])) + len(set(batch.model[part]))
        assert calls == 1 or 150_000 + 5_300 * calls + 10_500 * distinct <= limit


def reference_root(nodes: list[bytes]) -> bytes:
    """The tree as the page says it, by recursion over layers of pairs."""
    if len(nodes) == 1:
        return nodes[0]
    above = []
    for at in range(0, len(nodes), 2):
        two = sorted(nodes[at : at + 2])
        above.append(merkle.keccak(b"".join(two)) if len(two) == 2 else two[0])
    return reference_root(above)


@given(st.integers(1, 70), st.integers(0, 2**40), st.data())
def test_every_leaf_is_proved_by_its_path_and_no_other_is(
    count: int, first: int, data: st.DataObject
) -> None:
    (batch,) = batches([count], seed=first)
    packed = unpack(pack(batch, slice(None), IDS, IDS, True).calldata(b"abcd", first))
    charged = packed.charge_micros
    columns = (packed.agent_ids, packed.model_ids, packed.heads, packed.answers, charged)
    leaves = merkle.leaves(first, *columns)
    types = ["uint256", "uint256", "uint256", "bytes32", "bytes32", "uint256"]
    for position, leaf in enumerate(leaves):
        fields = [column[position] for column in columns]
        fields = [f.tobytes() if isinstance(f, np.ndarray) else int(f) for f in fields]
        assert leaf == merkle.keccak(merkle.keccak(encode(types, [first + position, *fields])))
    root = merkle.root(leaves)
    assert root == reference_root(leaves)
    position = data.draw(st.integers(0, count - 1))
    path = merkle.proof(leaves, position)
    assert merkle.proves(root, leaves[position], path)
    assert not merkle.proves(root, merkle.keccak(leaves[position]), path)
    if path:
        assert not merkle.proves(root, leaves[position], path[1:])


def test_a_transaction_file_gives_back_its_blocks_and_forgives_a_cut_tail(tmp_path: Path) -> None:
    writer = TransactionWriter(tmp_path, Genesis(31337, 77))
    blocks = [(100 + number, [bytes([number]) * 50, b"x" * number]) for number in range(5)]
    for timestamp, transactions in blocks:
        writer.append(timestamp, transactions)
    writer.close()
    whole = (tmp_path / NAME).read_bytes()
    sizes: list[int] = []
    for cut in range(len(whole) + 1):
        (tmp_path / NAME).write_bytes(whole[:cut])
        try:
            reader = TransactionReader(tmp_path)
        except ToolError:
            assert not sizes
            continue
        assert reader.genesis == Genesis(31337, 77)
        found = [(block.timestamp, list(block.transactions)) for block in reader]
        assert found == blocks[: len(found)]
        sizes.append(len(found))
    assert sizes == sorted(sizes)
    assert set(sizes) == set(range(6))


def test_a_second_transaction_file_does_not_overwrite_the_first(tmp_path: Path) -> None:
    TransactionWriter(tmp_path, Genesis(1, 2)).close()
    with pytest.raises(ToolError, match="cannot be written"):
        TransactionWriter(tmp_path, Genesis(1, 2))


def test_a_directory_without_transactions_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"holds no transactions\.bin"):
        TransactionReader(tmp_path)
    (tmp_path / NAME).write_bytes(b"something else")
    with pytest.raises(ToolError, match="is not a transaction file"):
        TransactionReader(tmp_path)


def test_accounts_are_the_wallets_own_at_their_paths() -> None:
    seed = seed_from_mnemonic(MNEMONIC, "")
    for kind, index in ((AccountKind.OPERATOR, 0), (AccountKind.AGENT, 7), (AccountKind.MODEL, 3)):
        key = key_from_seed(seed, f"m/44'/60'/{int(kind)}'/0/{index}")
        assert account(kind, index).key == key
        assert account(kind, index).address == EthAccount.from_key(key).address


def test_a_private_key_that_is_none_is_refused_and_not_shown() -> None:
    secret = "0x" + "zz" * 32
    for text in (secret, "", "0x1234", "00" * 32):
        with pytest.raises(ToolError, match="TELEX_PRIVATE_KEY") as caught:
            account_of_text(text)
        assert secret not in str(caught.value)
    assert account_of_text("0x" + "01" * 32).key == b"\x01" * 32
    assert "key" not in repr(account_of_text("01" * 32))


@pytest.mark.parametrize(
    ("nonce", "place"),
    [
        (0, "0x5FbDB2315678afecb367f032d93F642f64180aa3"),
        (1, "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"),
        (127, None),
        (128, None),
        (300, None),
    ],
)
def test_a_contract_will_be_where_its_creator_and_nonce_say(nonce: int, place: str | None) -> None:
    router = account(AccountKind.OPERATOR, 0).address
    found = created_address(router, nonce)
    assert place is None or found == place
    assert len({created_address(router, other) for other in (nonce, nonce + 1)}) == 2


def test_a_deployment_is_read_as_it_was_saved(tmp_path: Path) -> None:
    DEPLOYMENT.save(tmp_path / "deployment.json")
    assert load_deployment(tmp_path / "deployment.json") == DEPLOYMENT


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "needed an object"),
        ('{"chain_id": "1"}', "chain_id is '1', needed a whole number"),
        ('{"chain_id": 1, "usdc": "0x1"}', "usdc is '0x1', needed an address"),
    ],
)
def test_a_damaged_deployment_is_refused_by_name(
    tmp_path: Path, content: str | None, complaint: str
) -> None:
    path = tmp_path / "deployment.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ToolError, match=complaint):
        load_deployment(path)
