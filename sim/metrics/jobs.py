"""Figures of on-chain jobs, from the record's table of them."""

import polars as pl

from sim.metrics.parts import JobFigures
from sim.metrics.protocol import machina
from sim.record.frames import Frames
from sim.units import ratio_nearest


def job_figures(frames: Frames) -> JobFigures:
    """The jobs' part of the figures."""
    jobs = frames.jobs
    ended = jobs.filter(pl.col("state") == "terminal")
    gross, wait_us = (
        int(column.sum())
        for column in (ended["gross_micros"], ended["ended_us"] - ended["created_us"])
    )
    return JobFigures(
        created=len(jobs),
        terminal=len(ended),
        cancelled=int((jobs["state"] == "cancelled").sum()),
        gross_micros=gross,
        fee_micros=int(ended["fee_micros"].sum()),
        price_micros_mean=ratio_nearest(gross, len(ended)),
        wait_us_mean=ratio_nearest(wait_us, len(ended)),
        bought_machina=machina(ended["machina_wei"].sum()),
    )
