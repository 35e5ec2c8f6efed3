"""The truths of ``telex verify``: computed, and the figures that the literature gives."""

from pathlib import Path

import pytest

from sim.verify.page import page
from sim.verify.suite import FAMILIES

# To the digits that are given: case, quantity and figure.
STATED = """
m-m-1 load=0.8 | mean wait Wq | 4
m-m-1 load=0.8 | mean sojourn W | 5
m-m-1 load=0.8 | mean number waiting Lq | 3.2
m-m-1 load=0.8 | sojourn p50 | 3.4657
m-m-1 load=0.8 | sojourn p95 | 14.9787
m-m-1 load=0.8 | sojourn p99 | 23.0259
erlang-c servers=2 load=0.8 | share that waits C | .711111
erlang-c servers=5 load=0.8 | share that waits C | .554113
erlang-c servers=10 load=0.8 | share that waits C | .409180
erlang-c servers=20 load=0.8 | share that waits C | .256078
m-m-c servers=5 load=0.8 | mean wait Wq | .554113
m-m-c servers=10 load=0.8 | mean wait Wq | .204590
m-g-1 law=deterministic load=0.8 | mean wait Wq | 2.0
m-g-1 law=uniform load=0.8 | mean wait Wq | 2.6667
m-g-1 law=erlang load=0.8 | mean wait Wq | 2.5
m-m-1-k load=0.8 room=5 | share lost | .088819
erlang-b law=exponential servers=5 load=0.8 | share lost | .199067
erlang-b law=hyperexponential servers=5 load=0.8 | share lost | .199067
erlang-b law=deterministic servers=10 load=0.8 | share lost | .121661
priority high=0.3 low=0.5 | mean wait, first | 1.142857
priority high=0.3 low=0.5 | mean wait, second | 5.714286
breakdowns load=0.5 failures=0.05 repairs=0.5 | mean wait Wq | 1.566667
choices choices=2 load=0.9 servers=200 warm_up=0.7 | mean sojourn W | 2.6141
choices choices=1 load=0.9 servers=2 warm_up=0.1 | mean sojourn W | 10
jackson arrivals=1 first=3 second=2 onward=0.5 back=0.4 | rate at the first | 1.25
jackson arrivals=1 first=3 second=2 onward=0.5 back=0.4 | rate at the second | .625
jackson arrivals=1 first=3 second=2 onward=0.5 back=0.4 | mean number L | 1.168831
logit temperature=0.5 utilities=1/0.5/0 | share of 1 | .6652
logit temperature=0.5 utilities=1/0.5/0 | share of 2 | .2447
logit temperature=0.5 utilities=1/0.5/0 | share of 3 | .0900
logit temperature=0.5 utilities=1/0.5/0 | HHI | 5105
logit temperature=1 utilities=1/0.5/0 | share of 1 | .506480
logit temperature=1 utilities=1/0.5/0 | share of 2 | .307196
logit temperature=1 utilities=1/0.5/0 | share of 3 | .186324
logit temperature=1 utilities=1/0.5/0 | HHI | 3856
logit temperature=2 utilities=1/0.5/0 | share of 1 | .4192
logit temperature=2 utilities=1/0.5/0 | share of 2 | .3265
logit temperature=2 utilities=1/0.5/0 | share of 3 | .2543
logit temperature=2 utilities=1/0.5/0 | HHI | 3470
inverse-power eta=2 prices=1/2/3 | share of 1 | .735
inverse-power eta=2 prices=1/2/3 | share of 2 | .184
inverse-power eta=2 prices=1/2/3 | share of 3 | .082
logit-bertrand sellers=3 temperature=1 cost=1 | settled markup, $ | 1.5
calvano worth=2 cost=1 temperature=0.25 outside=0 sellers=2 | price when competing, $ | 1.47293
calvano worth=2 cost=1 temperature=0.25 outside=0 sellers=2 | price when colluding, $ | 1.92498
power-prices eta=2 sellers=3 cost=1 highest=100 | settled price, $ | 4
power-prices eta=2 sellers=5 cost=1 highest=100 | settled price, $ | 2.667
power-prices eta=2 sellers=20 cost=1 highest=100 | settled price, $ | 2.11
power-prices eta=2 sellers=2 cost=1 highest=100 | no price but the most | 100
power-prices eta=3 sellers=2 cost=1 highest=100 | settled price, $ | 3
power-prices eta=3 sellers=3 cost=1 highest=100 | settled price, $ | 2
power-prices eta=3 sellers=5 cost=1 highest=100 | settled price, $ | 1.714
power-prices eta=3 sellers=20 cost=1 highest=100 | settled price, $ | 1.54
lowest-price sellers=3 cost=1 | settled price, $ | 1
second-price bidders=3 reserve=0 rounds=200 | revenue, $ | .5
second-price bidders=10 reserve=0 rounds=200 | revenue, $ | .818182
second-price bidders=5 reserve=0 rounds=200 | value of the winner, $ | .833333
second-price bidders=1 reserve=0.5 rounds=200 | revenue, $ | .25
second-price bidders=2 reserve=0.5 rounds=200 | revenue, $ | .416667
second-price bidders=3 reserve=0.5 rounds=200 | revenue, $ | .531250
second-price bidders=5 reserve=0.5 rounds=200 | revenue, $ | .671875
first-price bidders=5 rounds=200 | revenue, $ | .666667
uniform-price bidders=5 units=2 rounds=300 | price of a unit, $ | .5
procurement price=second models=3 | payment, $ | .5
procurement price=first models=5 | payment, $ | .333333
scoring payment=first-score models=3 | the buyer's score, $ | .5
scoring payment=second-score models=10 | the buyer's score, $ | .818182
lai-robbins arms=0.9/0.8/0.7/0.6/0.5 horizon=12000 | constant of Lai and Robbins | 5.3006
ucb1 arms=0.9/0.8/0.7/0.6/0.5 horizon=10000 | UCB1's regret | 1539.3
second-price bidders=5 reserve=0 rounds=200 | value of the winner, $ | .833333
batch-size size=20 per_s=5 batches=40 | mean delay, s | 1.9
batch-timer interval_s=10 per_s=5 | mean delay, s | 5
emission first=7200 halving=1461 cap=21000000 epochs=8 | MACHINA by the schedule alone | 21038400
emission first=7200 halving=1461 cap=21000000 epochs=8 | MACHINA in the end | 21000000
ewma weight=0.2 right=0.5 models=20 | variance of a score | .027778
audit-survival audit=0.05 cheats=20 validators=400 | share not found out | .358486
exp3 arms=0.9/0.8/0.7/0.6/0.5 horizon=10000 | Exp3's regret | 743.7
"""
STATEMENTS = [
    tuple(part.strip() for part in line.split("|")) for line in STATED.split("\n") if line
]


@pytest.mark.parametrize(("case", "quantity", "figure"), STATEMENTS)
def test_the_truth_is_computed_and_is_what_the_literature_says(
    case: str, quantity: str, figure: str
) -> None:
    known = {
        (each.title, known.quantity): known.truth
        for cases in FAMILIES.values()
        for each in cases
        for known in each.known()
    }
    digits = len(figure.partition(".")[2])
    assert abs(known[case, quantity] - float(figure)) <= 1.001 * 10**-digits


def test_the_page_of_known_answers_is_that_of_the_code() -> None:
    written = Path(__file__).parents[1] / "docs" / "verify.md"
    assert written.read_text() == page(), "make docs"
