"""The least that could file a case over HTTP: Litestar and psycopg writing the same rows, and checking nothing.

Runs in an environment of its own; ``BENCH_DSN`` and ``BENCH_MERCHANT`` say where and for whom.
"""
# mypy: ignore-errors

import hashlib
import json
import os
import secrets
from datetime import UTC, datetime

from litestar import Litestar, Request, post
from psycopg.rows import tuple_row
from psycopg_pool import AsyncConnectionPool

DSN, MERCHANT = os.environ["BENCH_DSN"], os.environ["BENCH_MERCHANT"]
LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


async def prepare(connection) -> None:
    connection.prepare_threshold = 0
    connection.row_factory = tuple_row


pool = AsyncConnectionPool(DSN, min_size=8, max_size=8, open=False, configure=prepare)


def opening(line, payment):
    """The books of a new order, as moves."""
    return json.dumps(
        [
            {"book": "goods", "subject": line, "from": "~sold", "to": "to_ship", "asset": "UNIT", "amount": 3},
            {"book": "claims", "subject": line, "from": "~sold", "to": "open", "asset": "UNIT", "amount": 3},
            {"book": "value", "subject": line, "from": "~paid", "to": "left", "asset": "CNY", "amount": 30000},
            {"book": "money", "subject": payment, "from": "~captured", "to": "available", "asset": "CNY",
             "amount": 30000},
        ]
    )  # fmt: skip


@post("/cases", status_code=201)
async def file_case(request: Request) -> dict:
    key = request.headers["Idempotency-Key"]
    raw = await request.body()
    body = json.loads(raw)
    now = datetime.now(UTC)
    ref = "C-" + "".join(secrets.choice(LETTERS) for _ in range(8))
    async with pool.connection() as c, c.transaction():
        await c.execute("select set_config('makegood.merchant', %s, true)", [MERCHANT])
        found = await c.execute(
            "select o.id, o.customer_id, l.id, p.id from orders_order o join orders_line l on l.order_id = o.id"
            " join orders_payment p on p.order_id = o.id where o.number = %s and l.number = %s for update of o",
            [body["order"], body["lines"][0]["line"]],
        )
        order, customer, line, payment = await found.fetchone()
        marks = json.dumps({"case_filed": now.isoformat()})
        event_hash = hashlib.sha256(raw).hexdigest()
        answer = {"ref": ref, "state": "received"}
        await c.execute(
            "insert into accounts_answeredrequest (route, key, body_sha256, status, answer, created_at)"
            " values ('file_case', %s, %s, 201, %s, %s)",
            [key, hashlib.sha256(raw).hexdigest(), json.dumps(answer), now],
        )
        found = await c.execute(
            "insert into cases_case (ref, order_id, customer_id, kind, reason, claimant, channel, language,"
            " request_key, details, state, goods_state, money_state, waiting_on, due_at, escalated, opened_by,"
            " opened_at, marks, event_seq, event_hash)"
            " values (%s, %s, %s, %s, %s, 'customer', 'api', 'en', %s, '{}', 'received', 'none',"
            " 'none', 'merchant', %s, false, 'staff:1', %s, %s, 1, %s) returning id",
            [ref, order, customer, body["kind"], body["reason"], f"api:{key}", now, now, marks, event_hash],
        )
        (case,) = await found.fetchone()
        await c.execute(
            "insert into cases_caseline (case_id, line_id, quantity, wanted_sku, made_good, received, accepted,"
            " rejected) values (%s, %s, %s, '', 0, 0, 0, 0)",
            [case, line, body["lines"][0]["quantity"]],
        )
        await c.execute(
            "insert into cases_caseevent (case_id, seq, kind, actor, happened_at, data, prev_hash, hash)"
            " values (%s, 1, 'case_filed', 'staff:1', %s, %s, '', %s)",
            [case, now, raw.decode(), event_hash],
        )
        await c.execute(
            "insert into cases_deadline (case_id, wait, party, silence, starts_at, due_at, provisional, state)"
            " values (%s, 'merchant_answer', 'merchant', 'escalate', %s, %s, false, 'open')",
            [case, now, now],
        )
        asked = [{"book": "claims", "subject": line, "from": "open", "to": "asked", "asset": "UNIT", "amount": 1}]
        for kind, moves in (("order_opened", opening(line, payment)), ("units_asked", json.dumps(asked))):
            await c.execute(
                "select ledger_post(%s, %s, %s, %s, %s, %s::jsonb)",
                [kind, f"{kind}:{case}", order, ref, now, moves],
            )
    return answer


app = Litestar([file_case], on_startup=[pool.open], on_shutdown=[pool.close])
