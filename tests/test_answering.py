"""Answers to tasks from outside: a scenario's market, asked by somebody else."""

from sim.authority import Answered, Answering, Asked, Refused
from sim.scenario import from_mapping, load
from tests.authority_helpers import CHAT, SCENARIO, jobs

SECOND = 10**6


def asked(number: int, model: str | None = None, tokens: int | None = 100, limit: int = SECOND):
    return Asked(number, CHAT, model, tokens, limit)


def test_a_task_from_outside_is_routed_and_answered_after_the_models_time() -> None:
    answering = Answering(jobs())
    answering.ask(asked(1))
    assert answering.until(SECOND // 100) == []
    (answer,) = answering.until(SECOND)
    assert isinstance(answer, Answered)
    assert (answer.number, answer.model, answer.right, answer.calls) == (1, "glm-5", True, 1)
    assert answer.input_tokens == 100
    assert answer.service_us >= 20_000
    assert answering.until(10 * SECOND) == []


def test_the_same_number_is_the_same_task_in_another_process() -> None:
    answers = []
    for numbers in ([5], [3, 4, 5]):
        answering = Answering(jobs())
        for number in numbers:
            answering.ask(asked(number, tokens=None))
            answers += answering.until(answering.now_us + SECOND)
    assert answers[0] == answers[-1]
    sizes = [answer.input_tokens for answer in answers if isinstance(answer, Answered)]
    assert len(sizes) == 4
    assert len(set(sizes)) == 1  # these sizes have no spread
    assert sizes[0] == 50


def test_a_task_for_one_model_goes_to_it_alone() -> None:
    answering = Answering(jobs())
    for number in range(5):
        answering.ask(asked(number, "house"))
    assert [answer.model for answer in answering.until(SECOND) if isinstance(answer, Answered)] == [
        "house"
    ] * 5


def test_a_model_that_is_full_refuses_though_another_has_room() -> None:
    answering = Answering(jobs())
    answering.ask(asked(1, "glm-5"))
    answering.ask(asked(2, "glm-5"))
    assert answering.until(0) == [Refused(2, "no capacity")]


def test_a_task_that_may_cost_nothing_is_refused_as_too_dear() -> None:
    answering = Answering(jobs())
    answering.ask(asked(1, limit=0))
    assert answering.until(SECOND) == [Refused(1, "max price")]


def test_without_pay_for_wrong_answers_a_wrong_one_is_no_answer() -> None:
    demand = jobs().groups["anyone"].intents[CHAT]
    harder = demand.model_copy(
        update={"difficulty": demand.difficulty.model_copy(update={"mean": 20.0, "sigma": 0.0})}
    )
    group = jobs().groups["anyone"].model_copy(update={"intents": {CHAT: harder}})
    for settle_on, kind in (("delivered", Answered), ("success", Refused)):
        rail = jobs().rail.model_copy(update={"settle_on": settle_on})
        answering = Answering(jobs().model_copy(update={"groups": {"anyone": group}, "rail": rail}))
        answering.ask(asked(1))
        (answer,) = answering.until(SECOND)
        assert isinstance(answer, kind)
        assert not (isinstance(answer, Answered) and answer.right)


def test_by_a_protocols_rules_an_answer_waits_for_its_round(tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("scenario") / "jobs.yaml"
    path.write_text(SCENARIO.replace("router: {kind: cheapest}", "protocol: {kind: telegraph}"))
    answering = Answering(load(path))
    answering.ask(asked(1))
    assert answering.until(44 * SECOND) == []
    (answer,) = answering.until(200 * SECOND)
    assert isinstance(answer, Answered)
    assert answer.score_ppm > 0


def test_events_on_the_scenarios_own_agents_are_left_out_with_them() -> None:
    document = jobs().model_dump(mode="json", exclude_none=True)
    group = next(iter(jobs().groups))
    events = [
        {"at_h": 1, "kind": "surge", "factor": 3, "groups": [group]},
        {"at_h": 1, "kind": "ban", "origin": "CN"},
        {"at_h": 1, "kind": "set", "set": {f"groups.{group}.retries": 3}},
        {"at_h": 1, "kind": "set",
         "set": {f"groups.{group}.retries": 3, "models.house.listed": False}},
    ]  # fmt: skip
    answering = Answering(from_mapping(document | {"events": events}))
    for hour, outcome in ((0.5, Answered), (1.5, Refused)):
        answering.until(round(hour * 3600) * SECOND)
        answering.ask(asked(round(hour * 2), "house"))
        (found,) = answering.until(answering.now_us + SECOND)
        assert isinstance(found, outcome)
