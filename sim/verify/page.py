"""The page of known answers, as Markdown: every case with its formulas and their values."""

from collections.abc import Iterator

from sim.verify.case import Known
from sim.verify.suite import FAMILIES

HEAD = """\
# What Telex is verified against

Generated from the cases themselves (`make docs`). `telex verify` runs all of this through the same
market, routers, mechanisms and rails as any scenario: a case is a scenario and formulas, whose
truths are computed from the case's parameters.

| | |
|---|---|
| everything, in about two minutes on two cores | `telex verify` |
| some families, or some cases | `telex verify queues deviation` |
| any parameter, the truth with it | `telex verify queues --set servers=7 --set load=0.83` |
| narrower intervals, other random numbers | `telex verify --reps 50 --seed 2` |
| for other programs | `telex verify --json` |

A `--set` runs the cases that have such a parameter; one that cannot take it, where others can, is
left out by name. Queues near saturation are run more often: three times as often at a load of .95.

A line is *near* when the 95 % interval of at least 20 replications, after a warm-up, covers the
truth, or reaches a bound's good side. It *fails* when the mean is off by more than 4 standard
errors, when the interval's half width is over 5 % of the truth, or when an exact answer is missed
by anything at all. Else it is *off*. The suite passes, with exit status 0, when nothing fails and
at least 90 % are near. Cases that leave nothing to chance run once or twice. How late tasks came by
chance, how long answers took and how much work came in bunches narrows the intervals of queues
(control variates); where that itself is not as it should be on average, by more than 6 standard
errors, the case fails.

With any seed, one interval in twenty misses: of some 120, six are off by chance, and more than a
tenth of all lines once in ten thousand runs. By more than 4 standard errors, with Student's long
tails, one of them is in every tenth run. So a case that is far off is asked again, with three times
as many fresh replications, and these count: chance fails a sound suite once in a few thousand runs,
and an error only stands out the more. The same is done with lines that are merely off where they
are over a tenth of all, as one is when a single case is asked.

The tests put bugs in on purpose and see the suite fail: a queue that forgets its priorities or
serves the last first, a second price that is the first, a router of another power, a fee rounded
up, a median that is a mean or forgets stakes, streams that agents share or that are named by the
order of their making.
"""


def page() -> str:
    """The page."""
    return "\n".join([HEAD, *(line for family in FAMILIES for line in _family(family))]) + "\n"


def _family(family: str) -> Iterator[str]:
    yield f"## {family}\n"
    yield "| case | quantity | formula | truth |\n|---|---|---|---|"
    for case in FAMILIES[family]:
        title = f"`{case.title}`"
        for known in case.known():
            yield f"| {title} | {known.quantity} | {_cell(known.formula)} | {_truth(known)} |"
            title = ""
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _truth(known: Known) -> str:
    """The value; for what is exact and no small number (a digest), only that it is."""
    if known.binding == "exact" and known.truth not in (0, 1):
        return "exact"
    words = {"equal": "", "exact": "exactly ", "at most": "at most ", "at least": "at least "}
    return f"{words[known.binding]}{known.truth:.6g}"
