"""Worth: what a success still brings its agent, by how long it took."""

from sim.scenario.schema import Group
from sim.units import PPM, ppm_nearest, us_from_seconds_nearest


class Worth:
    """What is left of a task's value, by the microseconds since the task was posted."""

    def __init__(self, group: Group) -> None:
        self.soft_us = self.loss_ppm = 0
        if group.lateness is not None:
            self.soft_us = us_from_seconds_nearest(group.lateness.soft_deadline_s)
            self.loss_ppm = PPM - ppm_nearest(group.lateness.value_left)

    def __call__(self, value_micros: int, after_us: int, deadline_us: int) -> int:
        """All of it until the soft deadline, then less and less until the deadline.

        In micros, rounded up. What comes later is no success, and is not asked about.

        Args:
            deadline_us: how long the task had when it was posted, as its phase says.
        """
        if after_us <= self.soft_us or not self.loss_ppm:
            return value_micros
        after_us = min(after_us, deadline_us)
        lost = value_micros * self.loss_ppm * (after_us - self.soft_us)
        return value_micros - lost // (PPM * (deadline_us - self.soft_us))
