"""What registering costs: the registry's figures, from the record's table of registrations."""

from collections.abc import Iterator

import numpy as np

from sim.intents import INTENTS
from sim.rails import port_gas
from sim.record.frames import Frames
from sim.scenario.phases import phases
from sim.units import WEI_PER_GWEI, micros_ceil_from_wei


def registry_figures(frames: Frames) -> tuple[int, int, int]:
    """Registrations made in the run, and what they and withdrawals cost in gas, and in micros.

    Gas is as the port's contract takes it, at the prices of each one's time.
    """
    rows = np.array(list(_transactions(frames)), np.int64).reshape(-1, 2)
    times_us, gas = rows[:, 0], rows[:, 1]
    every = phases(frames.scenario)
    sums = np.zeros(len(every), np.int64)
    np.add.at(sums, every.of(times_us), gas)
    chains = [phase.scenario.chain for phase in every]
    micros = micros_ceil_from_wei(
        (int(amount) * round(chain.gas_price_gwei * WEI_PER_GWEI), chain.eth_usd)
        for amount, chain in zip(sums, chains, strict=True)
    )
    made = frames.protocol.registrations["registered_us"].is_not_null()
    return int(made.sum()), int(gas.sum()), micros


def _transactions(frames: Frames) -> Iterator[tuple[int, int]]:
    """When each registration, replacement and withdrawal of the run was made, and its gas."""
    port, names = port_gas(), ("model", "registered_us", "left_us")
    rows = list(frames.protocol.registrations.select(names).iter_rows())
    begun, left = {(row[0], row[1]) for row in rows}, {(row[0], row[2]) for row in rows}
    for model, registered_us, left_us in rows:
        intents = sum(each in INTENTS for each in frames.scenario.models[model].quality)
        if not intents:
            continue
        if registered_us is not None:
            replaces = (model, registered_us) in left
            yield registered_us, port.registration(intents, replaces=replaces)
        if left_us is not None and (model, left_us) not in begun:
            yield left_us, port.deregister_miner
