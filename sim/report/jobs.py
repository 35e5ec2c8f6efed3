"""On-chain jobs in the report: what they cost and took, model by model."""

import polars as pl

from sim.metrics.protocol import machina
from sim.rails import port_gas
from sim.report.markup import Html, Table, join, tag
from sim.report.reading import Record
from sim.report.wording import counted, dollars, duration, number, percent, whole

HEADS = ("model", "jobs paid", "gross", "fee", "MACHINA", "MACHINA per $", "created to ended")


def jobs_section(record: Record, jobs: pl.DataFrame) -> Html:
    """What was bought as on-chain jobs, in words and as a table."""
    return join([tag("h3", "On-chain jobs"), tag("p", _words(record)), _table(record, jobs).html()])


def _words(record: Record) -> str:
    found, spend = record.figures.jobs, record.figures.spend_micros
    share = percent(found.gross_micros / spend if spend else None)
    where = "made at the port" if record.chain is not None else "modelled"
    return (
        f"{counted(found.created, 'job').capitalize()} {where}, {whole(found.cancelled)} of them "
        f"cancelled. Those that ended cost {dollars(found.price_micros_mean)} $ each, whichever "
        f"model answered: {share} of all spend. Each takes {whole(port_gas().per_job)} gas as "
        f"modelled, {dollars(found.gas_micros)} $ in all, and ends "
        f"{duration(found.wait_us_mean)} after it was created, once its verdict is in."
    )


def _table(record: Record, jobs: pl.DataFrame) -> Table:
    rows = []
    for name in record.models:
        mine = jobs.filter((pl.col("model") == name) & (pl.col("state") == "terminal"))
        gross, fee = (int(mine[each].sum()) for each in ("gross_micros", "fee_micros"))
        wait = (mine["ended_us"] - mine["created_us"]).mean()
        bought = machina(mine["machina_wei"].sum())
        rows.append([
            name, whole(len(mine)), f"{dollars(gross)} $", f"{dollars(fee)} $",
            number(bought), number(bought * 1e6 / gross) if gross else "",
            duration(wait if isinstance(wait, float) else None),
        ])  # fmt: skip
    return Table("On-chain jobs by model", HEADS, rows, hide_caption=True)
