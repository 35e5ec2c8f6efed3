"""The JSON Schema of scenario files, for editors that complete and check YAML as it is typed."""

from typing import TypeAlias, cast

from sim.scenario.schema import Scenario

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

EXTENDS: Json = {
    "description": "What this starts from; of several, the later lie upon the earlier.",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
}
EXTENDING = ("Model", "Group")


def json_schema() -> dict[str, Json]:
    """The schema of a file: the resolved scenario's, but any key may be left out or be null."""
    schema = cast("dict[str, Json]", Scenario.model_json_schema())
    definitions = cast("dict[str, dict[str, Json]]", schema["$defs"])
    for name, definition in definitions.items():
        _relax(definition, name in EXTENDING)
    _relax(schema, True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Telex scenario",
    }


def _relax(definition: dict[str, Json], extending: bool) -> None:
    """A file is a layer: what it leaves out may come from below, and null takes a key away."""
    definition.pop("required", None)
    properties = definition.get("properties")
    if not isinstance(properties, dict):
        return
    for name, part in properties.items():
        if isinstance(part, dict):
            properties[name] = _nullable(part) if name not in ("kind", "version") else part
    if extending:
        properties["extends"] = EXTENDS


def _nullable(part: dict[str, Json]) -> Json:
    inner = part.get("additionalProperties")
    if isinstance(inner, dict):
        part = {**part, "additionalProperties": {"anyOf": [inner, {"type": "null"}]}}
    kept: dict[str, Json] = {
        key: part.pop(key) for key in ("description", "default") if key in part
    }
    return {**kept, "anyOf": [part, {"type": "null"}]}
