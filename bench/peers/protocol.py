"""How a peer is told what to do: a number of flows a line on stdin, or ``probe``; one JSON answer a line on stdout."""
# mypy: ignore-errors

import json
import sys
import time


def serve(flow, probe=None) -> None:
    """Say that we are ready, then do as told until stdin ends."""
    answer = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is not an answer
    print(json.dumps({"ready": True}), file=answer, flush=True)
    for line in sys.stdin:
        told = line.strip()
        if told == "probe":
            print(json.dumps(probe()), file=answer, flush=True)
            continue
        started = time.perf_counter()
        for _ in range(int(told)):
            flow()
        print(json.dumps({"seconds": time.perf_counter() - started}), file=answer, flush=True)
