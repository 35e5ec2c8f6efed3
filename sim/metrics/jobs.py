"""Figures of on-chain jobs, from the record's table of them."""

import numpy as np
import polars as pl

from sim.metrics.parts import JobFigures
from sim.metrics.protocol import machina
from sim.rails import port_gas
from sim.record.frames import Frames
from sim.scenario.phases import phases
from sim.units import WEI_PER_GWEI, micros_ceil_from_wei, ratio_nearest


def job_figures(frames: Frames) -> JobFigures:
    """The jobs' part of the figures."""
    jobs = frames.jobs
    ended = jobs.filter(pl.col("state") == "terminal")
    gross = int(ended["gross_micros"].sum())
    wait_us = int((ended["ended_us"] - ended["created_us"]).sum())
    return JobFigures(
        created=len(jobs),
        terminal=len(ended),
        cancelled=int((jobs["state"] == "cancelled").sum()),
        gross_micros=gross,
        fee_micros=int(ended["fee_micros"].sum()),
        price_micros_mean=ratio_nearest(gross, len(ended)),
        wait_us_mean=ratio_nearest(wait_us, len(ended)),
        bought_machina=machina(ended["machina_wei"].sum()),
        gas=len(ended) * port_gas().per_job,
        gas_micros=_gas_micros(frames, ended),
    )


def _gas_micros(frames: Frames, ended: pl.DataFrame) -> int:
    every, per_job = phases(frames.scenario), port_gas().per_job
    counts = np.bincount(every.of(ended["ended_us"].to_numpy()), minlength=len(every))
    chains = [phase.scenario.chain for phase in every]
    return micros_ceil_from_wei(
        (int(count) * per_job * round(chain.gas_price_gwei * WEI_PER_GWEI), chain.eth_usd)
        for count, chain in zip(counts, chains, strict=True)
    )
