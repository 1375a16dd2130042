"""The worker's pace in tests: everything that takes seconds takes a tenth."""

from makegood.kit.worker.pace import Pace

FAST = Pace(
    poll_s=0.2,
    heartbeat_s=0.3,
    stale_s=1.5,
    rescue_s=0.4,
    park_s=0.5,
    grace_s=5,
    first_wait_s=0.05,
    longest_wait_s=0.5,
    housekeeping_s=5,
)
