"""The metric dictionary: every figure of a summary with its unit and formula, beside its type."""

from collections.abc import Iterator
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel

from sim.metrics.conduct import ConductFigures
from sim.metrics.intents import IntentFigures
from sim.metrics.networks import NetworkFigures
from sim.metrics.parts import JobFigures, JudgeFigures, Part, ProtocolFigures, ReportedFigures
from sim.metrics.parts import means as _is
from sim.metrics.prices import PriceFigures


class TaskCounts(Part):
    """Tasks by outcome."""

    posted: Annotated[int, _is("tasks", "succeeded + failed + rejected + expired + open")]
    succeeded: Annotated[int, _is("tasks", "got a right answer in time")]
    failed: Annotated[
        int, _is("tasks", "had calls, none a success, and none was left to try or to be had")
    ]
    rejected: Annotated[
        int, _is("tasks", "got no call: no model, price, capacity or budget, or not worth one")
    ]
    expired: Annotated[int, _is("tasks", "deadline passed while waiting or being served")]
    open: Annotated[int, _is("tasks", "under way when the run was interrupted")]


class CallCounts(Part):
    """Calls by status."""

    made: Annotated[int, _is("calls", "attempts: settled + refunded + unpaid + in_flight")]
    settled: Annotated[int, _is("calls", "charged, be it zero")]
    refunded: Annotated[int, _is("calls", "ended without a charge: outage, deadline, no success")]
    unpaid: Annotated[int, _is("calls", "agent could not pay at settlement")]
    in_flight: Annotated[int, _is("calls", "under way when the run was interrupted")]


class Tokens(Part):
    """Tokens of answered calls."""

    input: Annotated[int, _is("tokens", "of prompts, cached ones among them")]
    cached: Annotated[int, _is("tokens", "of prompts, read from cache")]
    output: Annotated[int, _is("tokens", "of answers, reasoning among them")]


class Quantiles(Part):
    """Latency of answered calls; None when there is none."""

    p50: Annotated[
        int | None, _is("us", "median of finished - posted of answered calls, nearest rank")
    ]
    p95: Annotated[int | None, _is("us", "95 % quantile of the same")]
    p99: Annotated[int | None, _is("us", "99 % quantile of the same")]


class ModelFigures(Part):
    """One model's part of the market."""

    calls: Annotated[int, _is("calls", "routed to the model")]
    share_calls: Annotated[float, _is("share", "its calls / calls made")]
    share_tokens: Annotated[float, _is("share", "its input + output tokens / everybody's")]
    share_spend: Annotated[float, _is("share", "its charges / spend")]
    share_success: Annotated[float, _is("share", "its right answers in time / everybody's")]
    score: Annotated[
        float | None, _is("share", "mean verdict of its answered calls over the whole run")
    ]
    revenue_micros: Annotated[int, _is("micros", "sum of charge - fee")]
    cost_micros: Annotated[int, _is("micros", "sum of the marginal costs of its answers")]
    profit_micros: Annotated[int, _is("micros", "revenue - cost - slashes")]
    overbilled_tokens: Annotated[
        int, _is("tokens", "output tokens billed - those produced, over its answers")
    ]
    substituted: Annotated[int, _is("calls", "answered by another model in its name")]
    own_calls: Annotated[int, _is("calls", "by agents of its owner when posted: wash trades")]
    charge_micros_mean: Annotated[int | None, _is("micros", "mean charge of its settled calls")]


class GroupFigures(Part):
    """One group of agents."""

    posted: Annotated[int, _is("tasks", "posted by its agents")]
    succeeded: Annotated[int, _is("tasks", "of these, succeeded")]
    success_rate: Annotated[float | None, _is("share", "succeeded / posted")]
    spend_micros: Annotated[int, _is("micros", "sum of its charges")]
    cost_per_success_micros: Annotated[
        int | None, _is("micros", "(spend - slashes + self_host_micros) / succeeded, nearest")
    ]
    budget_left_micros: Annotated[
        int, _is("micros", "budgets of its agents - spend + slashes - withdrawn")
    ]
    withdrawn_micros: Annotated[int, _is("micros", "taken back into its agents' wallets")]
    own_answers: Annotated[int, _is("answers", "given by its agents' own machines")]
    self_host_micros: Annotated[
        int, _is("micros", "hours in which its agents hosted a model x its cost per hour")
    ]
    value_micros: Annotated[
        int, _is("micros", "what its tasks that succeeded were worth, as late as they came")
    ]
    surplus_micros: Annotated[
        int, _is("micros", "value_micros - spend + slashes - self_host_micros")
    ]


class MarketFigures(Part):
    """The market as a whole."""

    hhi_calls: Annotated[int, _is("index", "sum of squared shares of calls x 10^4 (Herfindahl)")]
    hhi_spend: Annotated[int, _is("index", "sum of squared shares of spend x 10^4")]
    hhi_owners: Annotated[
        int,
        _is("index", "the same by owner when the call was posted; a model without one owns itself"),
    ]
    regret_micros: Annotated[
        int,
        _is(
            "micros",
            "sum over calls of the best model's expected surplus - the chosen one's; expected"
            " surplus = value x P(right) - expected charge, at the task's true difficulty; over"
            " models that serve the intent, meet the requirements and quote within what the task"
            " may cost, busy or down though they may have been. Charges are by the list prices at"
            " the time of the call; in an auction a model's is what it asked, and the winner's of"
            " one among models what it was awarded",
        ),
    ]
    welfare_micros: Annotated[
        int,
        _is(
            "micros",
            "value of tasks succeeded, as late as they came - marginal cost of answers - modelled"
            " gas of rail and jobs - cost of self-hosting; payments cancel out",
        ),
    ]


class RailFigures(Part):
    """What settlement costs and how long it waits, as modelled (the chain's own are in `chain`)."""

    kind: Annotated[str, _is("name", "the scenario's rail")]
    batches: Annotated[int, _is("batches", "closed by the rail")]
    delay_us_mean: Annotated[int | None, _is("us", "mean of batch closed - call finished")]
    delay_us_max: Annotated[int | None, _is("us", "largest of these")]
    gas: Annotated[int, _is("gas", "of all batches, from the committed gas figures")]
    gas_micros: Annotated[int, _is("micros", "gas x gas price x ETH price, rounded up")]
    locked_micros: Annotated[
        int,
        _is(
            "micros",
            "most money tied up at once. transfer, x402-exact: none; escrow-job: quotes of calls"
            " posted and not settled; channel: what channels hold unclaimed; else what agents paid"
            " in beforehand",
        ),
    ]
    at_risk_micros: Annotated[
        int,
        _is(
            "micros",
            "largest amount ever owed for answers and not settled: the dearest batch; none in"
            " escrow-job",
        ),
    ]


class StabilityFigures(Part):
    """How the pool carried its load."""

    verdict: Annotated[
        str,
        _is(
            "name",
            "overloaded: over 1 % of tasks lost for want of capacity; else backlogged: waiting"
            " calls grow (Mann-Kendall at 99 %, over 1 % of calls piled up); else stable",
        ),
    ]
    lost_share: Annotated[
        float,
        _is(
            "share",
            "tasks lost for want of capacity / tasks posted: no room, no slot by the deadline, or"
            " a bid that lost while its model's slots, as long as it waited, stood idle in all for"
            " less time than an answer takes there on average; not those whose bid lost beside"
            " idle slots (sold by the tick) or was below the reserve, or whose tools ran past it",
        ),
    ]
    growth_share: Annotated[float, _is("share", "calls that piled up / calls posted meanwhile")]
    trend_z: Annotated[float, _is("number", "Mann-Kendall statistic of the waiting calls")]


class Figures(Part):
    """Every figure that is a fold of the record."""

    scenario: Annotated[str, _is("name", "of the scenario")]
    seed: Annotated[int, _is("number", "of the run")]
    digest: Annotated[str, _is("hex", "SHA-256 over the record's columns and answer hashes")]
    duration_us: Annotated[int, _is("us", "simulated time of the last event")]
    tasks: TaskCounts
    calls: CallCounts
    success_rate: Annotated[float | None, _is("share", "tasks succeeded / tasks posted")]
    cost_per_success_micros: Annotated[
        int | None,
        _is(
            "micros",
            "(spend, failures included - slashes + self_host_micros) / tasks succeeded, nearest",
        ),
    ]
    spend_micros: Annotated[int, _is("micros", "sum of charges")]
    tokens: Tokens
    latency_us: Quantiles
    models: dict[str, ModelFigures]
    intents: dict[str, IntentFigures]
    groups: dict[str, GroupFigures]
    conduct: ConductFigures
    market: MarketFigures
    prices: PriceFigures
    payments: NetworkFigures
    trust: NetworkFigures
    rail: RailFigures
    stability: StabilityFigures
    protocol: ProtocolFigures
    jobs: JobFigures
    judges: dict[str, JudgeFigures]
    reported: dict[str, ReportedFigures]


class ChainFigures(Part):
    """What the chain itself says."""

    rail: Annotated[str, _is("name", "the scenario's rail")]
    backend: Annotated[str, _is("name", "anvil, none, or the node's URL")]
    calls_settled: Annotated[int, _is("calls", "found paid on chain by the audit")]
    transactions: Annotated[int, _is("transactions", "that settled them")]
    gas_total: Annotated[int, _is("gas", "used by these transactions")]
    gas_per_call: Annotated[float | None, _is("gas", "gas_total / calls_settled")]
    parity: Annotated[bool | None, _is("flag", "ledger and contracts agree; null without a chain")]
    difference_micros: Annotated[int | None, _is("micros", "sum over accounts of |ledger - chain|")]
    head: Annotated[str | None, _is("hex", "hash of the last block")]
    seconds: Annotated[
        float, _is("s", "wall clock of the settler to its last block, and of the audit")
    ]


class LawFigures(Part):
    """A law as it was checked."""

    ok: Annotated[bool, _is("flag", "held")]
    found: Annotated[str, _is("text", "what the run shows")]
    needed: Annotated[str, _is("text", "what the law asks")]


class Timing(Part):
    """Wall clock; the only part that differs between two runs of one seed."""

    wall_s: Annotated[float, _is("s", "all of the run")]
    sim_s: Annotated[float, _is("s", "simulation")]
    chain_s: Annotated[float, _is("s", "waiting for the settler, and audit")]
    calls_per_s: Annotated[float, _is("calls/s", "calls made / sim_s")]


class Summary(Figures):
    """``summary.json``."""

    chain: ChainFigures
    laws: dict[str, LawFigures]
    timing: Timing


def dictionary(part: type[BaseModel] = Summary, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Every metric as (name, unit, formula), in the order of the summary; ID stands for any id."""
    for name, field in part.model_fields.items():
        kind = field.annotation
        if get_origin(kind) is dict:
            yield from dictionary(get_args(kind)[1], f"{prefix}{name}.ID.")
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from dictionary(kind, f"{prefix}{name}.")
        else:
            unit, _, formula = (field.description or "").partition(": ")
            yield f"{prefix}{name}", unit, formula


def page() -> str:
    """The dictionary as a Markdown page."""
    rows = [f"| `{name}` | {unit} | {formula} |" for name, unit, formula in dictionary()]
    head = [
        "# Metrics",
        "",
        "Every figure of `summary.json` with its unit and formula; `ID` stands for any model,",
        "group or law. Made from the code by `make docs`.",
        "",
        "| metric | unit | formula |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])
