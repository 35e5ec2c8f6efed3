"""Bad workflows and contradictory agents: every fault at once, each with its path."""

import pytest

from tests.bad_scenarios import GOOD, fault_of_override, faults_of

FLOW = "groups.chat.intents.CHAT_COMPLETION.workflow"


@pytest.mark.parametrize(
    ("overrides", "path", "found", "allowed", "hint"),
    [
        ((f"{FLOW}={{plan: {{}}, write: {{after: [paln]}}}}",), f"{FLOW}.write.after[0]",
         "'paln'", "a step: plan, write", "plan?"),
        ((f"{FLOW}={{a: {{after: [b]}}, b: {{after: [a]}}}}",), FLOW, "a cycle: a -> b -> a",
         "none waits for itself", "revise"),
        ((f"{FLOW}={{a: {{after: [a]}}}}",), FLOW, "a cycle: a -> a", "none waits", ""),
        ((f"{FLOW}={{a: {{clones: 101}}}}",), f"{FLOW}.a.clones", "101", "to 100", ""),
        ((f"{FLOW}={{a: {{clones: 0}}}}",), f"{FLOW}.a.clones", "0", "1 to 100", ""),
        ((f"{FLOW}={{a: {{intent: CODE_GENERATON}}}}",), f"{FLOW}.a.intent",
         "an unknown intent, CODE_GENERATON", "an intent", "CODE_GENERATION?"),
        ((f"{FLOW}={{a: {{intent: IMAGE_GENERATION}}}}",), f"{FLOW}.a.intent",
         "an intent that no model serves", "CHAT_COMPLETION", ""),
        ((f"{FLOW}={{a: {{}}, b: {{revise: {{back_to: a}}}}}}",), f"{FLOW}.b.revise.back_to",
         "'a'", "the step itself or one before it: b", ""),
        ((f"{FLOW}={{a: {{}}, b: {{after: [a], revise: {{back_to: aa}}}}}}",),
         f"{FLOW}.b.revise.back_to", "'aa'", "one before it: a, b", "a?"),
        ((f"{FLOW}={{a: {{}}, b: {{after: [a], revise: {{at_most: 2}}}}}}",),
         f"{FLOW}.b.revise.back_to", "nothing", "a name", ""),
        (("groups.chat.budget_per_task_usd=6",), "groups.chat.budget_per_task_usd", "6",
         "budget_usd 5", ""),
        (("groups.chat.budget_per_day_usd=2", "groups.chat.budget_per_task_usd=3"),
         "groups.chat.budget_per_task_usd", "3", "budget_per_day_usd 2", ""),
        (("groups.chat.budget_per_day_usd=7.5",), "groups.chat.budget_per_day_usd", "7.5",
         "budget_usd 5", ""),
        (("groups.chat.lateness={soft_deadline_s: 60}",), "groups.chat.lateness.soft_deadline_s",
         "60", "less than deadline_s, 60", ""),
        (("groups.chat.escalation={kind: ladder, models: [hose]}",),
         "groups.chat.escalation.models[0]", "'hose'", "house", "house?"),
        (("groups.chat.escalation={kind: lader, models: [house]}",),
         "groups.chat.escalation.kind", "'lader'", "ladder | rising-floor", "ladder?"),
        (("groups.chat.outside.self_host={model: house, usd_per_hour: 1}",),
         "groups.chat.outside.self_host.model", "whose weights are closed", "open weights", ""),
        (("groups.chat.outside.self_host={model: huose, usd_per_hour: 1}",),
         "groups.chat.outside.self_host.model", "'huose'", "open weights", "house?"),
        (("groups.chat.outside.leave={success_below: 0.5}",), "groups.chat.outside.leave",
         "leave for good", "away_h", "away_h: 24"),
        (("groups.chat.requires.data_policy=forgts",), "groups.chat.requires.data_policy",
         "'forgts'", "trains | retains | forgets", "forgets?"),
        (("groups.chat.requires.tools=[search]",), "groups.chat.intents.CHAT_COMPLETION",
         "which meets the group's requirements", "a model serves", ""),
    ],
)  # fmt: skip
def test_a_fault_names_its_path_what_was_found_and_what_is_allowed(
    overrides: tuple[str, ...], path: str, found: str, allowed: str, hint: str
) -> None:
    fault = fault_of_override(*overrides)
    assert fault.path == path
    assert found in fault.found
    assert allowed in fault.allowed
    assert hint in fault.hint


def test_all_faults_of_a_workflow_and_its_group_come_at_once() -> None:
    overrides = (
        f"{FLOW}.a={{after: [b], clones: 500}}",
        f"{FLOW}.b={{after: [a, nowhere], intent: NOTHING}}",
        "groups.chat.budget_per_day_usd=9",
        "groups.chat.lateness={soft_deadline_s: 99}",
        "groups.chat.outside.self_host={model: nobody, usd_per_hour: 0}",
        "groups.chat.escalation={kind: ladder, models: [house, none-such]}",
    )
    assert {fault.path for fault in faults_of(GOOD, overrides)} == {
        FLOW,
        f"{FLOW}.a.clones",
        f"{FLOW}.b.after[1]",
        f"{FLOW}.b.intent",
        "groups.chat.budget_per_day_usd",
        "groups.chat.lateness.soft_deadline_s",
        "groups.chat.outside.self_host.model",
        "groups.chat.outside.self_host.usd_per_hour",
        "groups.chat.escalation.models[1]",
    }
