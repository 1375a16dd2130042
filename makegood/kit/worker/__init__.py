"""The process that does the jobs: it outlives its database, takes back what died, and sweeps what fell due.

Whatever happens, a job left in a committed transaction is done, or ends among :func:`dead_jobs` where a person
sees it. Nothing here makes a task run exactly once: tasks are safe to run twice, and the worker makes sure of
at least once.
"""

from makegood.kit.worker.housekeeping import delete_finished
from makegood.kit.worker.pace import Pace
from makegood.kit.worker.rescue import DeadJob, dead_jobs, parked_jobs, rescue_stalled, revive
from makegood.kit.worker.running import run_worker
from makegood.kit.worker.sweeping import Round, sweep_round

__all__ = [
    "DeadJob",
    "Pace",
    "Round",
    "dead_jobs",
    "delete_finished",
    "parked_jobs",
    "rescue_stalled",
    "revive",
    "run_worker",
    "sweep_round",
]
