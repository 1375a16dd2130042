"""``python -m bench``: measure the figures, print them, write ``bench/results.json``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import PROMISES, Figure
from bench.ground import FULL, QUICK, Ground, prepared

RESULTS = Path(__file__).resolve().parent / "results.json"


def _measurements() -> dict[tuple[str, ...], Callable[[Ground], list[Figure]]]:
    from bench import (
        against_others,
        chatting,
        deadlines,
        equality,
        faces,
        filing_http,
        growing,
        importing,
        ledger_growth,
        listening,
        mailing,
        mutating,
        policies,
        settling,
        shifting,
        triaging,
    )

    return {
        ("spine.settle_vs_psycopg",): settling.measure,
        ("spine.settle_vs_tryton", "spine.settle_vs_helpdesk"): against_others.measure,
        ("http.file_vs_litestar",): filing_http.measure,
        ("import.rows_vs_copy", "import.memory_growth"): importing.measure,
        ("ledger.balance_growth",): ledger_growth.measure,
        ("deadlines.open_million",): deadlines.measure,
        ("faces.page_p95_ms", "faces.page_queries", "faces.first_load_kb"): faces.measure,
        ("faces.queue_million_p95_ms", "faces.overview_million_p95_ms"): faces.measure_million,
        ("faces.layout_shift",): shifting.measure,
        ("chat.to_other_browser_p95_ms",): chatting.measure,
        ("live.thousand_listeners",): listening.measure,
        ("mail.intake_vs_parsing",): mailing.measure,
        ("policy.mutants_noticed", "policy.check_seconds"): mutating.measure,
        ("triage.macro_f1_zh", "triage.macro_f1_en", "triage.messages_per_second"): triaging.measure,
        ("policy.decide_traced_us", "policy.decide_compiled_us"): policies.measure_decisions,
        ("policy.backends_equal", "policy.zen_equal"): equality.measure,
        (
            "policy.backtest_vs_handwritten",
            "policy.backtest_vs_zen",
            "policy.diff_vs_run",
            "policy.backtest_10m_linear",
        ): policies.measure_backtests,
        ("queue.page_growth", "case.page_growth", "api.cases_growth"): growing.measure,
    }


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when every figure was measured, whether it keeps its limit or not."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default="", help="measure the figures whose name begins so")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: see that every measurement works")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the JSON document goes")
    wanted = parser.parse_args(arguments)
    found: list[Figure] = []
    with prepared(QUICK if wanted.quick else FULL) as ground:
        for names, measure in _measurements().items():
            if not any(name.startswith(wanted.only) for name in names):
                continue
            for figure in measure(ground):
                found.append(figure)
                _print(figure)
        version = ground.server_version
    done = {figure.name for figure in found}
    found += [Figure(p.name, None, "not measured in this run") for p in PROMISES if p.name not in done]
    document = {
        "machine": _machine(version),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": wanted.quick,
        "figures": [figure.as_json() for figure in found],
    }
    wanted.results.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return 0


def _print(figure: Figure) -> None:
    told = figure.as_json()
    value = "not measured" if told["value"] is None else f"{told['value']:g}"
    sign = ">=" if told["better"] == "higher" else "<="
    sys.stdout.write(f"{'ok  ' if told['ok'] else 'MISS'} {figure.name}: {value} ({sign} {told['limit']:g})\n")
    sys.stdout.write(f"     {figure.how}\n")
    for name, detail in figure.details.items():
        sys.stdout.write(f"     {name}: {json.dumps(detail, ensure_ascii=False)}\n")
    sys.stdout.flush()


def _machine(server_version: str) -> dict[str, object]:
    memory = next(
        (line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")), "0"
    )
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": int(memory) // 1024,
        "python": platform.python_version(),
        "postgresql": server_version,
        "system": platform.platform(),
    }


if __name__ == "__main__":
    sys.exit(main())
