"""A signal may come at any instant, between two lines of the event loop as well."""

import multiprocessing
import os
import signal
from heapq import heappop
from itertools import count

from simpy import core
from simpy.events import Event

from sim.experiment.workers import Processes
from sim.world import World
from tests.scenarios_for_tests import group, model, record, scenario


def test_a_signal_between_two_lines_of_the_loop_turns_no_clock_back(monkeypatch):
    world = World(scenario({"m": model()}, {"a": group(600)}, tasks=200))
    pops = count()

    def popped(queue: list[tuple[int, int, int, Event]]) -> tuple[int, int, int, Event]:
        found = heappop(queue)
        if next(pops) == 100:
            world.stop(by_signal=True)
        return found

    monkeypatch.setattr(core, "heappop", popped)
    world.run()
    calls = record(world).calls
    assert world.history.interrupted
    assert (calls["posted_us"] <= calls["started_us"]).all()
    assert (calls["started_us"] <= calls["finished_us"]).all()


def test_processes_that_are_only_just_starting_are_deaf_to_an_interruption():
    with Processes(2) as workers:
        started = multiprocessing.active_children()
        for process in started:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGINT)
        assert sorted(workers.each(abs, [-1, -2], int)) == [(-2, 2), (-1, 1)]
        assert multiprocessing.active_children() == started
