"""The tau retail benchmark through our own commands, to the cent: every task, and every second probe."""

from __future__ import annotations

from pathlib import Path

from tests.tau_retail import every_one_passes, needs_data

pytestmark = needs_data


def test_every_task_ends_in_the_expected_state(tmp_path: Path) -> None:
    every_one_passes("tasks", tmp_path, share=slice(None))


def test_every_even_probe_ends_in_the_expected_state(tmp_path: Path) -> None:
    every_one_passes("probes", tmp_path, share=slice(0, None, 2))
