"""Posted price where some tasks are on-chain jobs, of which somebody keeps a book."""

from sim.clearing.demand import DemandPrice
from sim.clearing.types import Floor
from sim.models import Call, JobPool
from sim.units import share_floor


class JobPrice(DemandPrice):
    """As `DemandPrice`; the pool says what a job costs, and its desk is told what becomes of it."""

    def __init__(self, floor: Floor, pool: JobPool) -> None:
        super().__init__(floor)
        self.jobs = pool

    def enter(self, call: Call) -> bool:
        """As in `PostedPrice`; a job is opened with its call."""
        if self.jobs.job_micros(call.task) is not None:
            self.jobs.desk.opened(call)
        return super().enter(call)

    def ended(self, call: Call, charge_micros: int, success: bool) -> None:
        """The desk is told, with the fee that is in the charge."""
        del success
        fee_micros = share_floor(charge_micros, self.floor.rail.fee_bps)
        self.jobs.desk.ended(call, charge_micros, fee_micros)
