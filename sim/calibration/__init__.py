"""Calibration: the simulator's models and demand, fitted to a table of recorded outcomes.

``calibrate`` fits on some of the tasks, holds a table simulated from the fit against the others,
then fits on all; the fit is a scenario that can be run, extended, and written as YAML.
"""

from sim.calibration.calibrate import Calibration, calibrate
from sim.calibration.fit import Fit, fit
from sim.calibration.simulated import simulated

__all__ = ["Calibration", "Fit", "calibrate", "fit", "simulated"]
