"""The record as Polars frames: names instead of codes, one frame per file of a run directory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal

import numpy as np
import polars as pl

from sim.facts import JobState, Kind, Outcome, Reason, Status
from sim.record.columns import Calls, Tasks, Transfers
from sim.record.history import Columns
from sim.record.moves import Move
from sim.record.protocol import ProtocolFrames, protocol_accounts
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario
from sim.units import BytesArray, Int64Array


@dataclass(frozen=True)
class Frames:
    """A record as reports read it: the frames of a run directory, and what its manifest says.

    ``call_us`` is the integral over time of the calls in flight; ``batches`` what the rail closed;
    ``own_answers`` and ``decisions`` what agents did beside the market; ``prices`` what models list
    from which call on, and ``slots`` how many they have, where that changed in mid-run;
    ``withdrawals`` agents' ways out of accounts; ``asks`` what models asked in an auction for calls
    that they may not have got, where their costs are drawn; ``jobs`` the calls that were on-chain
    jobs.
    """

    scenario: Scenario
    digest: str
    duration_us: int
    call_us: int
    interrupted: bool
    calls: pl.DataFrame
    tasks: pl.DataFrame
    transfers: pl.DataFrame
    batches: pl.DataFrame
    own_answers: pl.DataFrame
    decisions: pl.DataFrame
    prices: pl.DataFrame
    slots: pl.DataFrame
    withdrawals: pl.DataFrame
    asks: pl.DataFrame
    jobs: pl.DataFrame
    protocol: ProtocolFrames = field(default_factory=ProtocolFrames)


SLICE = 65_536


def largest(column: pl.Series) -> int:
    """The largest of a column of whole numbers; 0 if there are none."""
    most = column.max()
    return most if isinstance(most, int) else 0


class Names:
    """The names behind the codes of a run's columns."""

    def __init__(self, scenario: Scenario) -> None:
        self.agents = [
            f"{group_id}/{index}"
            for group_id, group in scenario.groups.items()
            for index in range(group.count)
        ]
        self.group_of_agent = np.repeat(
            np.arange(len(scenario.groups)), [group.count for group in scenario.groups.values()]
        )
        self.enums = {
            "group": pl.Enum(list(scenario.groups)),
            "agent": pl.Enum(self.agents),
            "model": pl.Enum(list(scenario.models)),
            "served_by": pl.Enum(list(scenario.models)),
            "intent": pl.Enum(list(scenario.intents)),
            "step": pl.Enum(list(phases(scenario).step_names)),
            "state": pl.Enum([state.name.lower() for state in JobState]),
            "status": pl.Enum([status.name.lower() for status in Status]),
            "outcome": pl.Enum([outcome.name.lower() for outcome in Outcome]),
            "reason": pl.Enum([reason.name.lower() for reason in Reason]),
            "kind": pl.Enum([kind.name.lower() for kind in Kind]),
            "asset": pl.Enum(["USDC", "ETH", "MACHINA"]),
        }
        self.accounts = pl.Enum(
            [
                "issuer", "escrow", "treasury",
                *(f"agent:{agent}" for agent in self.agents),
                *(f"model:{model}" for model in scenario.models),
                *(f"wallet:{agent}" for agent in self._withdrawing(scenario)),
                "router", "network",
                *protocol_accounts(scenario.protocol, scenario.intents),
            ]
        )  # fmt: skip

    def _withdrawing(self, scenario: Scenario) -> list[str]:
        """The agents that have wallets to withdraw to."""
        withdraws = [group.withdrawal is not None for group in scenario.groups.values()]
        pairs = zip(self.agents, self.group_of_agent.tolist(), strict=True)
        return [agent for agent, group in pairs if withdraws[group]]

    def coded(self, name: str, codes: Int64Array) -> pl.Series:
        """A column of codes as a column of names."""
        return as_enum(name, codes, self.enums[name])


def as_enum(name: str, codes: Int64Array, names: pl.Enum) -> pl.Series:
    """Codes (positions in ``names``) as an Enum series."""
    return pl.Series(name, codes.astype(np.uint32)).cat.to(names)


def calls_frame(columns: Columns, names: Names, first_settled_id: int) -> pl.DataFrame:
    """Every call in the order of its id. ``batch`` and ``settled_id`` are null if not settled."""
    calls = columns.calls
    settled = pl.Series("settled_id", columns.settled)
    series = [pl.Series("call_id", calls.call_id), pl.Series("task_id", calls.task_id)]
    series.append(names.coded("group", names.group_of_agent[calls.agent]))
    for each in fields(Calls)[2:]:
        column: Int64Array = getattr(calls, each.name)
        coded = each.name in names.enums
        series.append(names.coded(each.name, column) if coded else pl.Series(each.name, column))
    hashes = pl.Series("answer_hash", _rows_as_bytes(columns.answer_hash), dtype=pl.Binary)
    frame = pl.DataFrame([*series, hashes, pl.Series("batch", columns.batch), settled])
    return frame.with_columns(
        pl.col("success").cast(pl.Boolean),
        pl.when(pl.col("settled_id") >= 0).then("batch").alias("batch"),
        pl.when(pl.col("settled_id") >= 0)
        .then(pl.col("settled_id") + first_settled_id)
        .alias("settled_id"),
    )


def _rows_as_bytes(hashes: BytesArray) -> list[bytes]:
    data = np.ascontiguousarray(hashes).tobytes()
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def tasks_frame(tasks: Tasks, names: Names) -> pl.DataFrame:
    """Every task in the order in which it was posted; those without a call have ``calls`` 0."""
    return pl.DataFrame(
        [
            pl.Series("task_id", tasks.task_id),
            names.coded("group", names.group_of_agent[tasks.agent]),
            names.coded("agent", tasks.agent),
            names.coded("intent", tasks.intent),
            pl.Series("posted_us", tasks.posted_us),
            pl.Series("ended_us", tasks.ended_us),
            pl.Series("calls", tasks.calls),
            names.coded("outcome", tasks.outcome),
            names.coded("reason", tasks.reason),
            pl.Series("value_micros", tasks.value_micros),
        ]
    )


def task_sums(columns: Columns) -> list[pl.Series]:
    """What each task's answers come to, in the order of the tasks.

    ``tokens`` of prompts and answers and ``charge_micros`` over its calls; ``own_answers`` counts
    those of its agent's own machines.
    """
    calls, own, tasks = columns.calls, columns.own_answers, columns.tasks.task_id
    parts = {
        "tokens": (calls.task_id, calls.input_tokens + calls.output_tokens),
        "charge_micros": (calls.task_id, calls.charge_micros),
        "own_answers": (own.task_id, np.ones(len(own), np.int64)),
    }
    series = []
    for name, (task, amount) in parts.items():
        sums = np.zeros(1 + max(task.max(initial=-1), tasks.max(initial=-1)), np.int64)
        np.add.at(sums, task, amount)
        series.append(pl.Series(name, sums[tasks]))
    return series


def transfers_frame(
    blocks: Iterable[Transfers],
    gas: Sequence[tuple[int, int]],
    names: Names,
    moves: Sequence[Move] = (),
) -> pl.DataFrame:
    """Every transfer: of USDC in micros, of ETH and MACHINA in wei.

    ``amount`` is a Decimal(38, 0); ``call_id`` is null where no call is behind a transfer.

    Args:
        gas: time and wei of each batch. moves: what the protocol has moved.
    """
    total = sum(wei for _, wei in gas)
    rows = [Move(0, Kind.MINT, "ETH", "issuer", "router", total)]
    rows += [Move(closed_us, Kind.GAS, "ETH", "router", "network", wei) for closed_us, wei in gas]
    rows += moves
    times, kinds, assets, sources, targets, amounts = zip(*rows, strict=True)
    other = pl.DataFrame(
        {
            "call_id": pl.Series([None] * len(rows), dtype=pl.Int64),
            "time_us": pl.Series(times, dtype=pl.Int64),
            "kind": names.coded("kind", np.array(kinds)),
            "asset": pl.Series(assets, dtype=names.enums["asset"]),
            "source": pl.Series(sources, dtype=names.accounts),
            "target": pl.Series(targets, dtype=names.accounts),
            "amount": pl.Series(list(map(Decimal, amounts)), dtype=pl.Decimal(38, 0)),
        }
    )
    return pl.concat([*(_usdc(block, names) for block in blocks), other])


def _usdc(block: Transfers, names: Names) -> pl.DataFrame:
    return pl.DataFrame(
        [
            pl.Series("call_id", block.call_id),
            pl.Series("time_us", block.time_us),
            names.coded("kind", block.kind),
            names.coded("asset", np.zeros(len(block), np.int64)),
            as_enum("source", block.source, names.accounts),
            as_enum("target", block.target, names.accounts),
            pl.Series("amount", block.micros).cast(pl.Decimal(38, 0)),
        ]
    ).with_columns(pl.when(pl.col("call_id") >= 0).then("call_id").alias("call_id"))


def calls_from_frame(frame: pl.DataFrame) -> Calls:
    """The columns behind a frame of calls, codes instead of names."""
    return Calls(*(codes(frame[field.name]) for field in fields(Calls)))


def tasks_from_frame(frame: pl.DataFrame) -> Tasks:
    """The columns behind a frame of tasks, codes instead of names."""
    return Tasks(*(codes(frame[field.name]) for field in fields(Tasks)))


def transfers_from_frame(frame: pl.DataFrame) -> Transfers:
    """The columns behind a frame of transfers of USDC; ``call_id`` is -1 where it is null."""
    return Transfers(
        codes(frame["call_id"].fill_null(-1)),
        *(codes(frame[name]) for name in ("time_us", "kind", "source", "target", "amount")),
    )


def hashes_from_frame(frame: pl.DataFrame) -> BytesArray:
    """(n, 32): the answer hashes of a frame of calls."""
    column = frame["answer_hash"]
    parts = [b"".join(column[at : at + SLICE].to_list()) for at in range(0, len(column), SLICE)]
    return np.frombuffer(b"".join(parts), np.uint8).reshape(-1, 32)


def codes(series: pl.Series) -> Int64Array:
    """A column as numbers, codes instead of names."""
    plain = series.to_physical() if isinstance(series.dtype, pl.Enum) else series
    return plain.cast(pl.Int64).to_numpy()
