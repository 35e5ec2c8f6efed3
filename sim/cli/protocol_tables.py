"""What a protocol and its validators did, as a few lines and a table for people."""

from collections.abc import Iterator

from rich.table import Table

from sim.cli.tables import dollars, filled, table, whole
from sim.metrics import Summary


def protocol_rows(summary: Summary) -> Iterator[tuple[str, str]]:
    """What a protocol did, where there is one that did anything."""
    found = summary.protocol
    if found.rounds:
        failed = f"{whole(found.rounds_failed)} of them failed"
        yield "rounds", f"{whole(found.rounds)}, {failed}; {whole(found.spot_checks)} spot checks"
    if found.epochs or found.revocations:
        yield "epochs ended", f"{whole(found.epochs)}; revocations: {whole(found.revocations)}"
    if found.registrations:
        gas = f"{whole(found.registry_gas)} gas, {dollars(found.registry_gas_micros)} $"
        yield "registrations", f"{whole(found.registrations)} in the run, for {gas}"
    if found.multiplier_max > 1:
        yield "multiplier", f"up to {found.multiplier_max:g}"
    if found.spent_micros:
        spent = dollars(found.spent_micros)
        yield "purchases", f"{spent} $ bought {found.bought_machina:,.2f} MACHINA"
    if (jobs := summary.jobs).created:
        ended = f"{whole(jobs.terminal)} paid {dollars(jobs.gross_micros)} $"
        yield "on-chain jobs", f"{ended}, {whole(jobs.cancelled)} cancelled"


def validators(summary: Summary) -> Table:
    """Each group of validators: its seats, what it lost them for, what it earned."""
    columns = (
        "validators", "seated", "strikes", "ejected", "banned", "removed", "reward", "slashed",
        "net each",
    )  # fmt: skip
    rows = [
        (
            name, whole(group.seated), whole(group.strikes), whole(group.ejected),
            whole(group.banned), whole(group.removed), f"{group.reward_machina:,.1f}",
            f"{group.slashed_machina:,.1f}", f"{group.net_machina_mean:,.2f}",
        )
        for name, group in summary.judges.items()
    ]  # fmt: skip
    title = "Validators: seats, what they lost them for, MACHINA earned and lost"
    return filled(table(title, columns), rows)
