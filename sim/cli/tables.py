"""Tables and figures for people: dollars, percents, seconds, counts."""

import re
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import RenderableType
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from sim.cli.output import people
from sim.units import US_PER_S, usd_from_micros

NONE = "-"
ROOMY = 100
HEADING_MOST = 18


class Plain(Table):
    """A table whose cells are text as it stands: a name such as ``order=[a, b]`` is no markup."""

    def add_row(
        self, *renderables: RenderableType | None, style: StyleType | None = None,
        end_section: bool = False,
    ) -> None:  # fmt: skip
        """Adds a row."""
        cells = (Text(cell) if isinstance(cell, str) else cell for cell in renderables)
        super().add_row(*cells, style=style, end_section=end_section)


def table(title: str, columns: Sequence[str], texts: int = 1) -> Table:
    """An empty table whose first ``texts`` columns are text and whose others are figures."""
    roomy = people().width >= ROOMY
    made = Plain(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold",
                 padding=(0, 1) if roomy else 0, pad_edge=False)  # fmt: skip
    for position, column in enumerate(columns):
        text = position < texts
        made.add_column(
            Text(column),
            justify="left" if text else "right",
            no_wrap=texts == 1 and not text,
            overflow="fold",
        )
    return made


def folded(name: str) -> str:
    """A dotted name as a heading: lines of at most so many characters, cut after . and _ alone."""
    lines = [""]
    for part in re.findall(r"[^._]*[._]?", name):
        if lines[-1] and len(lines[-1]) + len(part) > HEADING_MOST:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def filled(made: Table, rows: Iterable[Sequence[str]]) -> Table:
    """The table with rows added."""
    for row in rows:
        made.add_row(*row)
    return made


def dollars(micros: int | None) -> str:
    """Micro-USDC as dollars: cents for sums, as many decimals as it takes for small prices."""
    if micros is None:
        return NONE
    usd = usd_from_micros(micros)
    return f"{usd:,.2f}" if abs(usd) >= 1 or not micros else f"{usd:.6f}"


def percent(share: float | None) -> str:
    """A share as percent with one decimal."""
    return NONE if share is None else f"{100 * share:.1f}"


def seconds(us: int | None) -> str:
    """Microseconds as seconds."""
    return NONE if us is None else f"{us / US_PER_S:,.2f} s"


def whole(number: int | None) -> str:
    """A count with thousands set apart."""
    return NONE if number is None else f"{number:,}"


def facts(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    """A table of names and what is known of them."""
    made = Plain(title=Text(title), box=None, title_justify="left", title_style="bold",
                 show_header=False, padding=(0, 2, 0, 0), pad_edge=False)  # fmt: skip
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made
