"""Values as the YAML text that says them, in one form: what an override would be typed as."""

import json
from collections.abc import Mapping
from decimal import Decimal


def as_text(value: object) -> str:
    """A value as YAML; a text stands as it is, for it is read as YAML."""
    return value if isinstance(value, str) else _flow(value)


def _flow(value: object) -> str:
    """JSON, which YAML 1.2 reads, with numbers as exact as they were written."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(k))}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return float.__repr__(value)
    return json.dumps(value) if value is None or isinstance(value, (bool, int, str)) else "null"
