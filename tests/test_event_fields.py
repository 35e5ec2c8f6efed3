"""Every field of a scenario: an event on it is in force in the market, or is refused and told why.

There is no third: no event is taken and then ignored.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from typing import NamedTuple, get_args, get_origin

import polars as pl
import pytest

from sim.metrics import figures
from sim.record.frames import Frames
from sim.scenario import Scenario, from_mapping
from sim.scenario.changeable import changeable_beside, unchangeable, why_kept
from sim.scenario.shape import ROOT, Shape, fields_of, is_open, shape_of
from tests.bad_scenarios import faults_of
from tests.event_fields import LONGER, OF_GROUPS, OF_MODELS
from tests.event_rule_fields import OF_PROTOCOL, OF_RULES, RAILS
from tests.scenarios_for_tests import CHAT, CODE, demand, group, model, ran, token_model

HOURS, FROM_H = 1.2, 0.3
PLAIN: dict[str, object] = {
    "version": 1,
    "name": "fields",
    "horizon_h": HOURS,
    "models": {
        "m": token_model(
            origin="US", owner="acme", weights="open", data_policy="retains", tools=["search"],
            cost={"kind": "per_call", "usd_per_call": "0.0005"}, cache_hit_share=0.2,
            context_tokens=50_000, quality={CHAT: 0.7, CODE: 0.6},
            capacity={"slots": 1, "queue": 3},
            latency={"first_token_ms": 2000, "tokens_per_s": 50, "sigma": 0.4},
        ),
        "n": model(
            "0.002", origin="CN", owner="beta", weights="open", data_policy="retains",
            tools=["search", "code"], cost={"kind": "per_call", "usd_per_call": "0.0003"},
            quality={CHAT: 0.5, CODE: 0.5}, capacity={"slots": 2, "queue": 3},
            latency={"first_token_ms": 1500, "tokens_per_s": 80, "sigma": 0.4},
        ),
        "o": model(
            "0.003", origin="EU", owner="gamma", weights="closed", data_policy="forgets",
            tools=["search"], cost={"kind": "per_call", "usd_per_call": "0.0004"},
            quality={CHAT: 0.8, CODE: 0.7}, capacity={"slots": 2, "queue": 3},
            latency={"first_token_ms": 3000, "tokens_per_s": 80, "sigma": 0.4},
        ),
    },
    "groups": {
        "a": group(
            300, count=2, retries=1, deadline_s=20,
            intents={CHAT: demand(2, 0.5), CODE: demand(1, 0.5)},
        ),
        "b": group(100),
    },
    "router": {"kind": "random"},
    "validators": {"kind": "median", "noise": 0.1},
    "chain": {"backend": "none"},
}  # fmt: skip


class Case(NamedTuple):
    """An event's setting, and what its scenario sets beyond the plain one."""

    path: str
    value: str
    overrides: tuple[str, ...]


def cases(text: str) -> Iterator[Case]:
    """The cases of a table as `tests.event_fields` has them."""
    overrides: tuple[str, ...] = ()
    for name, longer in LONGER.items():
        text = text.replace(name, longer)
    for line in filter(None, text.splitlines()):
        if line.startswith("="):
            overrides = tuple(each.strip() for each in line[1:].split(";;") if each.strip())
        else:
            path, _, value = line.partition(" ")
            yield Case(path, value, overrides)


CASES = list(cases(OF_MODELS + OF_GROUPS + OF_RULES + RAILS + OF_PROTOCOL))


def leaves(shape: Shape, path: str = "") -> Iterator[str]:
    """Every field that may stand at a shape, by path: ``[kind]`` for a kind, ``*`` for a name."""
    rules = shape.kinds() or dict.fromkeys(("",), shape.classes()[0] if shape.classes() else None)
    for kind, rule in rules.items():
        if rule is None:
            break
        for key, part in fields_of(rule).items():
            if key != "kind":
                whose = f"{path}[{kind}]" if kind else path
                yield from leaves(part, f"{whose}.{key}".lstrip("."))
    if not shape.classes() and is_open(shape):
        yield from leaves(below(shape), f"{path}.*")
    elif not shape.classes():
        yield path


def below(shape: Shape) -> Shape:
    """The shape of the values of a mapping by free names."""
    (part,) = (each for each in shape.types if get_origin(each) is dict)
    return shape_of(get_args(part)[1])


def leaf_of(path: str, what: Scenario) -> str:
    """The field of a path in a scenario, as `leaves` names it."""
    shape, found = ROOT, ""
    here: object = what
    for key in path.split("."):
        kind = getattr(here, "kind", "")
        if isinstance(here, Mapping):
            shape, here, found = below(shape), here.get(key), f"{found}.*"
            continue
        rule = shape.kinds().get(kind) or shape.classes()[0]
        found = f"{found}[{kind}].{key}" if shape.kinds() else f"{found}.{key}"
        shape, here = fields_of(rule)[key], getattr(here, key, None)
    return found.lstrip(".")


def plain_path(leaf: str) -> tuple[str, ...]:
    """A field as a path, its kinds left out."""
    return tuple(part.split("[")[0] for part in leaf.split("."))


@cache
def base(overrides: tuple[str, ...]) -> Scenario:
    """The plain scenario with these settings."""
    return from_mapping(PLAIN, overrides)


@cache
def told_without(overrides: tuple[str, ...]) -> dict[str, object]:
    """What is on record without the event."""
    return told(ran(base(overrides)))


def told(frames: Frames) -> dict[str, object]:
    """All that a record says but for hashes, which name the scenario, and so its events."""
    tables = {
        "calls": frames.calls.drop("answer_hash"), "tasks": frames.tasks,
        "transfers": frames.transfers, "batches": frames.batches, "prices": frames.prices,
        "own_answers": frames.own_answers, "decisions": frames.decisions,
        "epochs": frames.protocol.epochs, "validators": frames.protocol.validators,
        "ratings": frames.protocol.ratings,
    }  # fmt: skip
    found: dict[str, object] = {
        name: (len(table), int(table.hash_rows().cast(pl.UInt64).sum() or 0) if len(table) else 0)
        for name, table in tables.items()
    }
    return found | {"figures": figures(frames).model_dump_json(exclude={"digest"})}


def name_of(case: Case) -> str:
    return f"{case.path}={case.value[:20]}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_an_event_on_a_field_is_in_force(case: Case) -> None:
    plain = base(case.overrides).model_dump(mode="json", exclude_none=True)
    event = {"at_h": FROM_H, "kind": "set", "set": {case.path: case.value}}
    after = told(ran(from_mapping(plain | {"events": [event]})))
    changed = [name for name, what in told_without(case.overrides).items() if after[name] != what]
    assert changed


def test_an_event_that_changes_nothing_leaves_the_record_as_it_is() -> None:
    """Or the test above could not fail: one slot has no others that would slow it down."""
    plain = base(()).model_dump(mode="json", exclude_none=True)
    event = {"at_h": FROM_H, "kind": "set", "set": {"models.m.latency.slowdown": 5}}
    assert told(ran(from_mapping(plain | {"events": [event]}))) == told_without(())


COPIES = "protocol[telegraph].validators.*[copying]"
BESIDE = {
    f"{COPIES}.noise": "refused: see test_who_copies_has_neither_noise_nor_work",
    f"{COPIES}.work_machina": "refused",
    "router[python].file": "its code is read when the scenario is checked",
    "router[python].parameters.*": "handed to the code",
    "router[python].sha256": "says which code it is",
}
"""Fields that are tested below by themselves."""


def test_every_field_that_may_change_is_in_the_table_above() -> None:
    wanted = {leaf for leaf in leaves(ROOT) if not unchangeable(plain_path(leaf))}
    covered = {leaf_of(case.path, base(case.overrides)) for case in CASES}
    assert wanted - covered == set(BESIDE)


def test_every_other_field_is_refused_with_a_reason() -> None:
    kept = [leaf for leaf in leaves(ROOT) if unchangeable(plain_path(leaf))]
    assert len(kept) > 60
    assert [leaf for leaf in kept if not why_kept(plain_path(leaf))] == []


def test_what_is_kept_is_told_with_what_of_the_same_part_may_change():
    beside = {
        "rail.size": "rail.fee_bps, rail.settle_on",
        "mechanism.kind": "mechanism.reserve_usd, mechanism.tick_s, mechanism.payment",
        "item_response.discrimination": "nothing of item_response; `telex list changes` has",
        "groups.a.count": "of a group arrival, ",
        "models.m.outages": "of a model price, ",
        "protocol.validators.v.count": "of a protocol's group of validators kind, of, ",
        "protocol.emission.epochs_before": "of a protocol epoch_h, ",
    }
    for path, said in beside.items():
        assert changeable_beside(tuple(path.split("."))).startswith(said)


def test_who_copies_has_neither_noise_nor_work() -> None:
    ruled = next(each for each in CASES if each.path == "protocol.validators.copy.presence")
    document = base(ruled.overrides).model_dump(mode="json", exclude_none=True)
    events = [
        {"at_h": FROM_H, "kind": "set", "set": {f"protocol.validators.copy.{key}": 1}}
        for key in ("noise", "work_machina")
    ]
    paths = {fault.path for fault in faults_of(document | {"events": events})}
    assert paths == {
        "events[0].set.protocol.validators.copy.noise",
        "events[1].set.protocol.validators.copy.work_machina",
    }


def test_another_code_may_be_the_router_if_the_event_says_which(tmp_path) -> None:
    places = []
    for number in (0, -1):
        code = f"def pick(task, attempt, models, pool, at={number}):\n    return models[at]\n"
        file = tmp_path / f"pick{number}.py"
        file.write_text(code)
        places.append({"file": str(file), "sha256": sha256(code.encode()).hexdigest()})
    plain = base((f"router={{kind: python, file: {places[0]['file']}}}",))
    document = plain.model_dump(mode="json", exclude_none=True)
    for setting in ({"router": {"kind": "python", **places[1]}},
                    {"router.parameters": {"at": -1}}):  # fmt: skip
        event = {"at_h": FROM_H, "kind": "set", "set": setting}
        assert told(ran(from_mapping(document | {"events": [event]}))) != told(ran(plain))
    event = {"at_h": FROM_H, "kind": "set", "set": {"router.file": places[1]["file"]}}
    (fault,) = faults_of(document | {"events": [event]})
    assert fault.path == "events[0].set.router.file"
