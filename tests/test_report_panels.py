"""What the report's panels show, against records worked out by hand."""

import numpy as np
import polars as pl
import pytest

from sim.report import flows, frontier, latency, prices, queues, settlement, shares, timeline
from sim.report.hull import concave_hull, cost_of, quality_at
from sim.report.picture import log_ticks, merged
from sim.report.shares import Band
from sim.report.timeline import Bins, Grid, bins_for, grid_of, grid_query
from sim.report.wording import counted, dollars, duration, listed, number, percent
from tests.report_helpers import Row, S, calls

TWO = ("m", "n")
BINS = Bins(10 * S, 2, S, "seconds")
GRID = Grid(
    BINS,
    calls=np.array([[3, 1], [1, 0]]),
    tokens=np.array([[300, 100], [100, 0]]),
    charge=np.array([[30, 10], [90, 0]]),
    right=np.array([[2, 1], [0, 0]]),
    answers=np.array([[3, 1], [1, 0]]),
    score=np.array([[1_800_000, 900_000], [250_000, 0]]),
)


@pytest.mark.parametrize(
    ("points", "corners"),
    [
        ([], []),
        ([(2, 0.5)], [(2, 0.5)]),
        ([(1, 0.5), (1, 0.7)], [(1, 0.7)]),
        ([(1, 0.5), (2, 0.4)], [(1, 0.5)]),  # dearer and worse: no corner
        ([(1, 0.2), (2, 0.3), (3, 0.8)], [(1, 0.2), (3, 0.8)]),  # the middle lies below the line
        ([(1, 0.2), (2, 0.5), (3, 0.8)], [(1, 0.2), (3, 0.8)]),  # on the line: no corner
        ([(3, 0.8), (1, 0.2), (2, 0.7)], [(1, 0.2), (2, 0.7), (3, 0.8)]),
    ],
)
def test_the_hull_is_concave_and_never_falls(points, corners):
    assert concave_hull(points) == corners


def test_the_hull_mixes_neighbours_and_stays_flat_beyond_its_best():
    corners = concave_hull([(1, 0.2), (3, 0.8)])
    assert quality_at(corners, 0.5) is None
    assert quality_at(corners, 2) == pytest.approx(0.5)
    assert quality_at(corners, 9) == 0.8
    assert cost_of(corners, 0.5) == pytest.approx(2)
    assert (cost_of(corners, 0.1), cost_of(corners, 0.9)) == (1, None)


@pytest.mark.parametrize("duration_us", [0, 1, 59, 10**5, 3600 * S, 86_400 * S, 10**15])
@pytest.mark.parametrize("made", [0, 10, 10**6])
def test_bins_hold_the_whole_run_and_are_never_more_than_two_hundred(duration_us, made):
    bins = bins_for(duration_us, made)
    assert (bins.count - 1) * bins.width_us <= duration_us < bins.count * bins.width_us
    assert 1 <= bins.count <= 200
    assert len(bins.middles()) == bins.count


def test_a_day_of_many_calls_is_cut_into_quarters_of_an_hour():
    bins = bins_for(86_400 * S, 100_000)
    assert (bins.width_us, bins.count, bins.unit) == (15 * 60 * S, 97, "hours")
    assert bins.middles()[0] == 0.125


def test_the_grid_sums_by_model_and_bin_and_leaves_out_tokens_of_unanswered_calls():
    rows: list[Row] = [
        {"posted_us": 1 * S, "input_tokens": 90, "output_tokens": 10, "charge_micros": 7,
         "success": True, "score_ppm": 900_000},
        {"posted_us": 2 * S, "input_tokens": 50, "status": "refunded", "reason": "outage"},
        {"posted_us": 12 * S, "model": "n", "input_tokens": 5, "reason": "wrong",
         "charge_micros": 3, "score_ppm": 100_000},
        {"posted_us": 13 * S, "model": "n", "status": "in_flight", "reason": "interrupted"},
    ]  # fmt: skip
    grid = grid_of(grid_query(calls(TWO, rows), BINS).collect(), 2, BINS)
    assert grid.calls.tolist() == [[2, 0], [0, 2]]
    assert grid.tokens.tolist() == [[100, 0], [0, 5]]
    assert grid.charge.tolist() == [[7, 0], [0, 3]]
    assert grid.right.tolist() == [[1, 0], [0, 0]]
    assert grid.answers.tolist() == [[1, 0], [0, 1]]
    assert grid.score.tolist() == [[900_000, 0], [0, 100_000]]


def test_a_coarser_grid_has_the_same_sums():
    wide = GRID.coarser(1)
    assert (wide.bins.count, wide.bins.width_us) == (1, 20 * S)
    assert wide.calls.tolist() == [[4], [1]]


def test_shares_of_each_interval_add_up_to_a_hundred():
    bands = [
        Band(name, "@m0", {key: getattr(GRID, key)[[at]].sum(axis=0) for key in shares.MEASURES})
        for at, name in enumerate(TWO)
    ]
    assert shares.shares_over_time(bands, "calls") == [[75.0, 100.0], [25.0, 0.0]]
    assert shares.shares_over_time(bands, "charge") == [[25.0, 100.0], [75.0, 0.0]]


def test_an_interval_without_a_call_has_no_share():
    band = Band("m", "@m0", {"calls": np.array([0, 2])})
    assert shares.shares_over_time([band], "calls") == [[None, 100.0]]


def test_prices_and_scores_are_means_where_there_are_answers_enough(monkeypatch):
    monkeypatch.setattr(prices, "ANSWERS_LEAST", 3)
    assert prices.price_over_time(GRID, per_call=False) == [[0.1, None], [None, None]]
    assert prices.price_over_time(GRID, per_call=True) == [[0.01, None], [None, None]]
    assert prices.score_over_time(GRID) == [[pytest.approx(0.6), None], [None, None]]


def test_queues_are_time_weighted_means():
    """One call waits from 5 to 12 s and is served to 18 s; another is served from 0 to 10 s."""
    rows: list[Row] = [
        {"posted_us": 5 * S, "started_us": 12 * S, "finished_us": 18 * S},
        {"posted_us": 0, "started_us": 0, "finished_us": 10 * S, "model": "n"},
    ]
    tables = [query.collect() for query in queues.load_queries(calls(TWO, rows), BINS)]
    load = queues.load_of(tables, 2, BINS, 18 * S)
    assert load.waiting.tolist() == [[0.5, 0.25], [0.0, 0.0]]
    assert load.served.tolist() == [[0.0, 0.75], [1.0, 0.0]]
    assert queues.top_of(load) == 1.0


def test_slots_are_time_weighted_means_of_what_a_model_has():
    """Two slots, six from 5 s on, one from 15 s on; the run ends at 18 s."""
    changes = pl.DataFrame({"time_us": [5 * S, 15 * S], "model": ["m", "m"], "slots": [6, 1]})
    slots = queues.slots_of({"m": 2, "n": 7}, changes, BINS, 18 * S)
    assert slots.tolist() == [[4.0, (6 * 5 + 1 * 3) / 8], [7.0, 7.0]]


def test_latency_is_nearest_rank_over_answered_calls():
    rows: list[Row] = [{"finished_us": at * S, "started_us": S} for at in range(1, 101)]
    rows.append({"finished_us": 999 * S, "status": "refunded", "reason": "deadline"})
    (found,) = latency.latencies(latency.latency_query(calls(TWO, rows)).collect())
    assert (found.model, found.answers) == ("m", 100)
    assert found.p50 in (50 * S, 51 * S)
    assert found.p95 in (95 * S, 96 * S)
    assert found.wait_us == S


def test_the_frontier_holds_the_market_against_the_mix_of_its_models():
    rows = [
        *[{"model": "m", "success": at < 10, "charge_micros": 1000} for at in range(20)],
        *[{"model": "n", "success": at < 18, "charge_micros": 3000} for at in range(20)],
        {"model": "m", "intent": "CODE", "charge_micros": 1},
    ]
    found = frontier.frontiers(frontier.frontier_query(calls(TWO, rows)).collect(), TWO)
    assert [each.intent for each in found] == ["CHAT", "CODE"]
    chat, code = found
    assert chat.corners == ((1.0, 0.5), (3.0, 0.9))
    assert chat.market.point == (2.0, 0.7)
    assert chat.gap == pytest.approx(0.0)
    assert (code.corners, code.gap) == ((), None)  # too few calls to be a corner


def test_wilsons_interval_is_the_textbooks():
    spot = frontier.Spot("m", 100, 50, 0)
    assert spot.half_width == pytest.approx(0.0962, abs=1e-4)


def test_flows_are_what_transfers_add_up_to():
    rows = [
        ("mint", "USDC", "issuer", "agent:a/0", 1000), ("hold", "USDC", "agent:a/0", "escrow", 70),
        ("hold", "USDC", "agent:b/1", "escrow", 30), ("release", "USDC", "escrow", "model:m", 60),
        ("refund", "USDC", "escrow", "agent:a/0", 40), ("fee", "USDC", "model:m", "treasury", 6),
        ("mint", "ETH", "issuer", "router", 10**15), ("gas", "ETH", "router", "network", 10**15),
        ("hold", "USDC", "agent:a/3", "escrow", 5), ("refund", "USDC", "escrow", "agent:a/3", 5),
        ("hold", "MACHINA", "validator:v/0", "escrow", 10**21),
        ("swap", "USDC", "model:m", "pool", 7), ("swap", "MACHINA", "pool", "model:m", 10**19),
    ]  # fmt: skip
    names = ["kind", "asset", "source", "target", "amount"]
    table = pl.DataFrame(rows, schema=names, orient="row").lazy()
    found = flows.flows_of(flows.flows_query(table).collect(), gas_micros=3)
    assert found.paid == {"a": 30, "b": 30}
    assert (found.earned, found.fees) == ({"m": 60}, {"m": 6})
    assert (found.held, found.returned, found.spend) == (105, 45, 60)
    assert (found.gas_micros, found.swapped) == (3, 7)


BATCHES = pl.DataFrame(
    {
        "batch": [0, 1, 2], "closed_us": [10 * S, 20 * S, 20 * S], "calls": [4, 1, 2],
        "gas_modelled": [400, 200, 300], "gas_used": [380, None, None],
    },
    schema_overrides={"gas_used": pl.Int64},
)  # fmt: skip


def test_gas_counts_as_measured_only_what_landed():
    gas = settlement.gas_over_time(BATCHES, 20 * S)
    assert (sum(gas.calls), sum(gas.modelled)) == (7, 900)
    assert (sum(gas.measured), sum(gas.measured_calls)) == (380, 4)
    at = gas.calls.index(4)
    assert (gas.modelled[at], gas.calls[-1], gas.modelled[-1]) == (400, 3, 500)


def test_delay_runs_from_the_answer_to_the_batchs_close():
    rows: list[Row] = [
        {"batch": 0, "finished_us": 4 * S}, {"batch": 1, "finished_us": 18 * S},
        {"batch": 2, "finished_us": 20 * S}, {"status": "refunded", "finished_us": 1},
    ]  # fmt: skip
    delay = settlement.delay_of(settlement.delay_query(calls(TWO, rows), BATCHES).collect())
    assert (delay.p50, delay.p95, delay.most) == (2 * S, 6 * S, 6 * S)
    assert sum(delay.counts) == 3
    assert delay.counts[0] == delay.counts[-1] == 1


def test_a_run_without_a_settled_call_has_no_delay():
    assert settlement.delay_of(pl.DataFrame({"delay": []})).counts == ()


@pytest.mark.parametrize(("least", "most"), [(1, 1), (0.3, 400), (20, 110), (1e-6, 1e6), (5, 6)])
def test_logarithmic_axes_have_a_few_ticks(least, most):
    ticks = log_ticks(least, most)
    assert 1 <= len(ticks) <= 7
    assert ticks == sorted(set(ticks))


def test_layouts_lie_upon_each_other():
    assert merged({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}, "d": [4]}) == {
        "a": {"b": 1, "c": 3}, "d": [4],
    }  # fmt: skip


def test_numbers_read_as_people_write_them():
    assert [number(value) for value in (0, 0.00123456, 12.345, 1234.5, -2)] == [
        "0", "0.00123", "12.3", "1,234", "−2",
    ]  # fmt: skip
    assert [dollars(micros) for micros in (None, 0, 50_200, 100_000, 1_800_000, -5 * 10**9)] == [
        "–", "$0.00", "$0.0502", "$0.10", "$1.80", "−$5,000",
    ]  # fmt: skip
    assert percent(0.8644) == "86.4\u00a0%"
    assert [duration(us) for us in (250_000, 8 * S, 240 * S, 3 * 3600 * S)] == [
        "250\u00a0ms", "8\u00a0s", "4\u00a0min", "3\u00a0h",
    ]  # fmt: skip
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert [counted(n, "reply") for n in (0, 1, 12)] == ["no replies", "one reply", "12 replies"]


def test_time_is_shown_in_a_unit_that_suits_the_run():
    units = [bins_for(us, 100).unit for us in (10, 5 * S, 600 * S, 86_400 * S, 9 * 86_400 * S)]
    assert units == ["milliseconds", "seconds", "minutes", "hours", "days"]
    assert timeline.bins_for(600 * S, 100).title == "minutes since the start"
