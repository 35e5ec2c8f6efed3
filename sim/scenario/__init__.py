"""Scenarios: YAML in, one frozen, checked `Scenario` out; the only check of input there is.

A scenario is made of layers, each laid upon those before it: what the file ``extends`` (presets
and files), the file itself, the overrides. A model or group lies upon what it ``extends`` (an entry
of the catalog or of the scenario). Mappings merge, lists and values replace; ``null`` takes a
key away, so that its default holds; a mapping with another ``kind`` replaces the one below, and
``horizon_h`` and ``tasks`` take each other's place.
"""

from sim.scenario.editor import json_schema
from sim.scenario.loading import from_mapping, load
from sim.scenario.schema import Scenario
from sim.scenario.templates import template

__all__ = ["Scenario", "from_mapping", "json_schema", "load", "template"]
