"""What a saved record says of itself, derived again from its columns."""

import numpy as np

from sim.record.archive import Saved
from sim.record.asides import asides_of
from sim.record.frames import calls_from_frame, hashes_from_frame, tasks_from_frame
from sim.record.hashing import AnswerHasher, digest
from sim.record.history import ANSWERED

CHUNK_ROWS = 65_536


def derivation_faults(saved: Saved) -> list[str]:
    """What of a record does not follow from its own columns: answer hashes, digest, scenario."""
    frames, manifest = saved.frames, saved.manifest
    scenario, faults = frames.scenario, []
    if scenario.scenario_hash().hex() != manifest.scenario_hash or scenario.seed != manifest.seed:
        faults.append(f"scenario: its hash is not {manifest.scenario_hash}")
    calls, hashes = calls_from_frame(frames.calls), hashes_from_frame(frames.calls)
    hasher = AnswerHasher(scenario.scenario_hash(), scenario.intents, tuple(scenario.models))
    for start in range(0, len(calls), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        part = calls.take(rows)
        derived = hasher.hashes(part, np.isin(part.reason, ANSWERED).astype(np.int64))
        wrong = np.flatnonzero((derived != hashes[rows]).any(axis=1))
        if len(wrong):
            faults.append(f"call {start + int(wrong[0])}: its answer hash is not that of its row")
    if digest(calls, tasks_from_frame(frames.tasks), hashes, *asides_of(frames)) != manifest.digest:
        faults.append(f"digest: the columns do not have {manifest.digest}")
    return faults
