"""``python -m bench.import_once FILE FORMAT MERCHANT``: one import in a process of its own, for its time and memory."""

from __future__ import annotations

import json
import os
import resource
import sys
from time import perf_counter


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.config.settings")
    import django

    django.setup()
    from bench.ground import NOON
    from makegood.kit import tenancy
    from makegood.orders import importing

    path, format_, merchant_id = sys.argv[1:4]
    with tenancy.acting_for(int(merchant_id)):
        started = perf_counter()
        result = importing.import_orders(path=path, format=format_, at=NOON)
        taken = perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(json.dumps({"seconds": taken, "peak_mb": peak, **result.as_json()}))


if __name__ == "__main__":
    main()
