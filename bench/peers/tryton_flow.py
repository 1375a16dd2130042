"""Tryton's sale_complaint: a complaint about a sale is filed, approved and done, which makes the return of the sale."""
# mypy: ignore-errors

import os
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import protocol

KEPT = tempfile.TemporaryDirectory(prefix="makegood-bench-tryton-")  # gone when this process ends
FOLDER = Path(KEPT.name)
CONFIG = FOLDER / "trytond.conf"
CONFIG.write_text(f"[database]\nuri = postgresql:///\npath = {FOLDER}\n")
PASSWORDS = FOLDER / "password"
PASSWORDS.write_text("bench-password-1")
DATABASE = os.environ["PGDATABASE"]
subprocess.run(
    [str(Path(sys.executable).parent / "trytond-admin"), "-c", str(CONFIG), "-d", DATABASE, "-u", "sale_complaint",
     "--activate-dependencies", "--email", "a@example.com"],
    check=True, stdout=sys.stderr, env={**os.environ, "TRYTONPASSFILE": str(PASSWORDS)},
)  # fmt: skip

from proteus import Model, config  # noqa: E402
from proteus.config import get_config  # noqa: E402

config.set_trytond(DATABASE, config_file=str(CONFIG))

from trytond.exceptions import UserWarning  # noqa: A004, E402
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, get_accounts  # noqa: E402
from trytond.modules.account_invoice.tests.tools import (  # noqa: E402
    create_payment_term,
    set_fiscalyear_invoice_sequences,
)
from trytond.modules.company.tests.tools import create_company  # noqa: E402


def prepare():
    """Company, accounts, customer, product, complaint type: as in the module's own scenario."""
    create_company()
    create_chart()
    set_fiscalyear_invoice_sequences(create_fiscalyear()).click("create_period")
    accounts = get_accounts()
    customer = Model.get("party.party")(name="Customer")
    customer.save()
    kind = Model.get("sale.complaint.type")(name="Sale")
    (kind.origin,) = Model.get("ir.model").find([("name", "=", "sale.sale")])
    kind.save()
    category = Model.get("product.category")(name="Account Category", accounting=True)
    category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    category.save()
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")])
    template = Model.get("product.template")(name="lamp", type="goods", salable=True, list_price=Decimal("50.00"))
    template.default_uom = unit
    template.account_category = category
    template.save()
    term = create_payment_term()
    term.save()
    return customer, kind, template.products[0], term


CUSTOMER, KIND, PRODUCT, TERM = prepare()
SALES = []


def sell():
    sale = Model.get("sale.sale")(party=CUSTOMER, payment_term=TERM, invoice_method="order")
    line = sale.lines.new()
    line.product, line.quantity = PRODUCT, 1
    sale.click("quote")
    sale.click("confirm")
    return sale


def complaint_about(sale):
    complaint = Model.get("sale.complaint")()
    complaint.customer, complaint.type, complaint.origin = CUSTOMER, KIND, sale
    complaint.actions.new().action = "sale_return"
    complaint.save()
    return complaint


def approve(complaint):
    complaint.click("approve")
    if complaint.state != "done":
        raise RuntimeError(complaint.state)


def flow() -> None:
    """One complaint; its sale was made beforehand."""
    complaint = complaint_about(SALES.pop())
    complaint.click("wait")
    approve(complaint)


def probe() -> dict:
    """Three full refunds on one sale of 50.00; the warning that a complaint is similar is answered with yes."""
    sale = sell()
    told, warned = [], 0
    for _ in range(3):
        complaint = complaint_about(sale)
        try:
            complaint.click("wait")
        except UserWarning as warning:
            warned += 1
            Model.get("res.user.warning")(user=get_config().user, name=warning.name, always=True).save()
            complaint.click("wait")
        approve(complaint)
        told.append(str(complaint.actions[0].result.untaxed_amount))
    return {"returns": told, "warnings_skipped": warned}


SALES.extend(sell() for _ in range(int(os.environ["BENCH_FLOWS"])))
protocol.serve(flow, probe)
