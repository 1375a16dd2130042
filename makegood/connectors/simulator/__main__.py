"""``python -m makegood.connectors.simulator``: run the gateway simulator until told to stop."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import threading

from makegood.connectors.simulator.server import HOST, Simulator


def _watch_stdin(stop: threading.Event) -> None:
    # Read without Python's buffer, whose lock would trip the interpreter when it ends while waiting here.
    while os.read(0, 4096):
        pass
    stop.set()


def main() -> int:
    """Print one JSON line with ports, key and token, then serve until SIGTERM, SIGINT or (on request) end of stdin."""
    parser = argparse.ArgumentParser(prog="python -m makegood.connectors.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the gateway; 0 chooses a free one")
    parser.add_argument("--admin-port", type=int, default=0, help="of the admin face; 0 chooses a free one")
    parser.add_argument("--state", default=":memory:", help="SQLite file of the books; kept between runs")
    parser.add_argument("--admin-token", default=None, help="chosen and printed where not given")
    parser.add_argument("--api-key", default="sk_test_simulator", help="the key a client must show")
    parser.add_argument("--synchronous", choices=("off", "normal", "full"), default="off", help="of the books")
    parser.add_argument("--until-stdin-ends", action="store_true", help="stop when whoever started it is gone")
    wanted = parser.parse_args()
    token = wanted.admin_token or secrets.token_hex(16)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    simulator = Simulator(
        state=wanted.state,
        port=wanted.port,
        admin_port=wanted.admin_port,
        admin_token=token,
        api_key=wanted.api_key,
        synchronous=wanted.synchronous,
    )
    if wanted.until_stdin_ends:
        threading.Thread(target=_watch_stdin, args=(stop,), daemon=True).start()
    started = {
        "url": f"http://{HOST}:{simulator.port}",
        "port": simulator.port,
        "admin_url": f"http://{HOST}:{simulator.admin_port}",
        "admin_port": simulator.admin_port,
        "admin_token": token,
        "api_key": wanted.api_key,
        "pid": os.getpid(),
    }
    print(json.dumps(started), flush=True)  # noqa: T201 - the one line the starter waits for
    stop.wait()
    simulator.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
