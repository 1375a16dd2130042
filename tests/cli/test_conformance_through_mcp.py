"""The tau retail benchmark through the tools for AI agents; all of it: ``makegood conformance … --through mcp``."""

from __future__ import annotations

from pathlib import Path

from tests.tau_retail import every_one_passes, needs_data


@needs_data
def test_every_fourth_task_ends_in_the_expected_state(tmp_path: Path) -> None:
    """A held session for each task's customer; all 388 tasks take about 40 seconds, so the suite runs a share."""
    every_one_passes("tasks", tmp_path, share=slice(0, None, 4), through="mcp")
