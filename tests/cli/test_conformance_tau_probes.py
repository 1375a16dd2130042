"""The other half of the tau retail benchmark's probes, so that two workers share the work."""

from __future__ import annotations

from pathlib import Path

from tests.tau_retail import every_one_passes, needs_data

pytestmark = needs_data


def test_every_odd_probe_ends_in_the_expected_state(tmp_path: Path) -> None:
    every_one_passes("probes", tmp_path, share=slice(1, None, 2))
