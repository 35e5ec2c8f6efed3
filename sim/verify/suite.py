"""The suite: every family of cases as it stands, and the same with parameters of a user's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from pydantic import ValidationError

from sim.facts import Fault, ScenarioError
from sim.scenario.library import nearest
from sim.scenario.shape import describe, fields_of
from sim.verify.auctions import Deviation, FirstPrice, SecondPrice, UniformPrice
from sim.verify.books import Books, NobodyShifts, Parity, RailKind, SameRecord
from sim.verify.cascades import CascadeOrder
from sim.verify.case import Case
from sim.verify.competition import BestPrice, Calvano, LogitPrices, LowestPrice, PowerPrices
from sim.verify.delays import BatchSize, BatchTimer
from sim.verify.demand import LogitShares, PowerShares
from sim.verify.judging import AuditSurvival, Ewma, Stakes
from sim.verify.learning import Epsilon, Exp3, LaiRobbins, Oracle, Ucb
from sim.verify.losses import MM1K, ErlangB
from sim.verify.minting import Emission, Multiplier
from sim.verify.networks import Choices, Jackson
from sim.verify.queues import MG1, MM1, MMC, Breaking, ErlangC, Priority
from sim.verify.tenders import ExecutionContingent, Procurement, ScoringAuction

FAMILIES: dict[str, tuple[Case, ...]] = {
    "queues": (
        MM1(),
        *(ErlangC(servers=servers) for servers in (2, 5, 10, 20)),
        *(MMC(servers=servers) for servers in (5, 10)),
        MG1(law="deterministic"),
        MG1(law="uniform"),
        MG1(law="erlang"),
        MM1K(),
        ErlangB(law="exponential"),
        ErlangB(law="hyperexponential"),
        ErlangB(law="deterministic", servers=10),
        Priority(),
        Breaking(),
        Choices(),
        Choices(choices=1, servers=2, warm_up=0.1),
        Jackson(),
    ),
    "demand": (
        *(LogitShares(temperature=temperature) for temperature in (0.5, 1.0, 2.0)),
        PowerShares(),
    ),
    "competition": (
        *(LogitPrices(sellers=sellers) for sellers in (2, 3)),
        Calvano(),
        *(PowerPrices(sellers=sellers) for sellers in (2, 3, 5, 20)),
        *(PowerPrices(eta=3.0, sellers=sellers) for sellers in (2, 3, 5, 20)),
        LowestPrice(),
        BestPrice(),
        BestPrice(demand="logit"),
    ),
    "cascades": (CascadeOrder(),),
    "auctions": (
        *(SecondPrice(bidders=bidders) for bidders in (2, 3, 5, 10)),
        *(SecondPrice(bidders=bidders, reserve=0.5) for bidders in (1, 2, 3, 5)),
        *(FirstPrice(bidders=bidders) for bidders in (2, 3, 5, 10)),
        UniformPrice(),
        UniformPrice(bidders=10, units=4),
        Deviation(),
        *(Procurement(price="second", models=models) for models in (2, 3, 5, 10)),
        *(Procurement(price="first", models=models) for models in (2, 3, 5, 10)),
        *(ScoringAuction(payment="first-score", models=models) for models in (2, 3, 5, 10)),
        *(ScoringAuction(payment="second-score", models=models) for models in (2, 3, 5, 10)),
        ExecutionContingent(),
        ExecutionContingent(cost=0.3, right=0.4, fee_bps=0),
        ExecutionContingent(rival_cost=0.101, rival_right=0.9, fee_bps=1000),
    ),
    "learning": (Ucb(), Exp3(), Epsilon(), LaiRobbins(), Oracle()),
    "settlement": (
        Books(),
        SameRecord(),
        NobodyShifts(),
        *(Parity(rail=rail) for rail in get_args(RailKind)),
        BatchSize(),
        BatchTimer(),
        Emission(),
        Multiplier(),
        Multiplier(scale=0.01),
    ),
    "judging": (Ewma(), AuditSurvival(), Stakes(), Stakes(share=0.51)),
}


@dataclass(frozen=True)
class Asked:
    """A case that is asked, and the family it is of."""

    family: str
    case: Case


def suite(
    names: Sequence[str] = (),
    settings: Sequence[str] = (),
    left_out: Callable[[Fault], None] = lambda _: None,
) -> list[Asked]:
    """The cases of some families, or of some kinds, with parameters changed.

    Args:
        names: families or kinds of cases; all families when there are none.
        settings: ``name=value`` texts. Each holds for every case that has such a parameter, and
            cases that have none of them are left out.
        left_out: told of each case that cannot take its settings, where others can.

    Raises:
        ScenarioError: with every name that is not known, and every value that fits no case.
    """
    every = [Asked(family, case) for family, cases in FAMILIES.items() for case in cases]
    faults: list[Fault] = []
    chosen = _named(every, names, faults)
    given = _parameters(settings, [asked.case for asked in chosen], faults)
    changed: dict[Asked, None] = {}
    taken: set[str] = set()
    refused: list[Fault] = []
    for asked in chosen:
        mine = {name: text for name, text in given.items() if name in _fields(asked.case)}
        if mine or not settings:
            case = _changed(asked.case, mine, refused)
            if case is not None:
                taken |= mine.keys()
                changed[Asked(asked.family, case)] = None
    if faults or taken < given.keys():
        raise ScenarioError(tuple(dict.fromkeys(faults + refused)))
    for fault in dict.fromkeys(refused):
        left_out(fault)
    return list(changed)


def _named(every: list[Asked], names: Sequence[str], faults: list[Fault]) -> list[Asked]:
    kinds = dict.fromkeys(asked.case.name for asked in every)
    known = [*FAMILIES, *kinds]
    allowed = f"a family ({', '.join(FAMILIES)}) or a case ({', '.join(kinds)})"
    faults += [
        Fault("telex verify", name, allowed, nearest(name, known))
        for name in names
        if name not in known
    ]
    chosen = [each for each in every if {each.family, each.case.name} & set(names)]
    return chosen if names else every


def _fields(case: Case) -> list[str]:
    return [name for name in type(case).model_fields if name != "kind"]


def _parameters(
    settings: Sequence[str], cases: Sequence[Case], faults: list[Fault]
) -> Mapping[str, str]:
    """The settings as texts by name; faults for what is no setting or no parameter of any case."""
    known = list(dict.fromkeys(name for case in cases for name in _fields(case)))
    given: dict[str, str] = {}
    for setting in settings:
        name, equals, text = (part.strip() for part in setting.partition("="))
        if not equals or not name:
            faults.append(Fault("--set", repr(setting), "NAME=VALUE, as load=0.83"))
        elif name not in known and cases:
            allowed = f"a parameter of these cases: {', '.join(known)}"
            faults.append(Fault("--set", name, allowed, nearest(name, known)))
        else:
            given[name] = text
    return given


def _changed(case: Case, given: Mapping[str, str], faults: list[Fault]) -> Case | None:
    rule = type(case)
    try:
        values = {name: _read(text) for name, text in given.items()}
        return rule.model_validate(case.model_dump() | values)
    except ValidationError as error:
        shapes = fields_of(rule)
        for detail in error.errors(include_url=False):
            name = str(detail["loc"][0]) if detail["loc"] else ""
            own = str(detail.get("ctx", {}).get("error", ""))
            found = given.get(name, ", ".join(f"{key}={text}" for key, text in given.items()))
            allowed = describe(shapes[name]) if name in shapes else own
            hint = nearest(found, allowed.split(" | ")) if " | " in allowed else ""
            faults.append(
                Fault(f"--set {name}".rstrip() + f" of {case.name}", found, allowed, hint)
            )
        return None


def _read(text: str) -> object:
    """A whole number, a number, a text as it stands, or several of them between commas."""
    if "," in text:
        return tuple(_read(part.strip()) for part in text.split(","))
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
