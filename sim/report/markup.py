"""HTML as text that is escaped unless it was made here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
VOID = frozenset({"br", "hr", "meta", "link"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def html(content: str) -> Html:
    """Content as HTML: escaped, unless it is HTML."""
    return content if isinstance(content, Html) else Html(escape(content))


def join(parts: Iterable[str], between: str = "") -> Html:
    """Parts one after the other, each escaped unless it is HTML."""
    return Html(html(between).join(html(part) for part in parts))


def tag(name: str, /, *content: str, **attributes: str | bool | None) -> Html:
    """An element; ``_`` in an attribute's name stands for ``-``, a trailing one is dropped.

    An attribute that is None or False is left out, one that is True has no value.
    """
    told = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Html(f"<{name}{told}>")
    return Html(f"<{name}{told}>{join(content)}</{name}>")


def script_json(document: Json) -> Html:
    """JSON that may stand in a script element."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for unsafe in "<>&\u2028\u2029":
        text = text.replace(unsafe, f"\\u{ord(unsafe):04x}")
    return Html(text)


@dataclass(frozen=True)
class Table:
    """A table: ``heads`` of the columns, ``rows`` of cells; the first ``texts`` columns are words.

    The first cell of a row is its heading.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    hide_caption: bool = False

    def html(self) -> Html:
        """The table, in a frame that scrolls sideways and can be focused."""
        caption = tag("caption", self.caption, class_="unseen" if self.hide_caption else None)
        head = tag("tr", *(self._head(at, text) for at, text in enumerate(self.heads)))
        body = (
            tag("tr", *(self._cell(at, text) for at, text in enumerate(row))) for row in self.rows
        )
        table = tag("table", caption, tag("thead", head), tag("tbody", *body))
        return tag(
            "div", table, class_="scroll", tabindex="0", role="region", aria_label=self.caption
        )

    def _head(self, at: int, text: str) -> Html:
        return tag("th", text, scope="col", class_=None if at < self.texts else "n")

    def _cell(self, at: int, text: str) -> Html:
        if at == 0:
            return tag("th", text, scope="row")
        return tag("td", text, class_=None if at < self.texts else "n")


def folded(summary: str, *content: str, class_: str | None = None) -> Html:
    """Content behind a line that opens it."""
    return tag("details", tag("summary", summary), *content, class_=class_)
