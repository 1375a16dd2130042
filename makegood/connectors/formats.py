"""The file formats that ``orders import`` knows, by the names of the command line."""

from __future__ import annotations

from dataclasses import dataclass

from makegood.connectors.amazon_sale_report import parse as amazon_sale_report
from makegood.connectors.csv_orders import parse as csv_orders
from makegood.connectors.olist import parse as olist
from makegood.connectors.online_retail import parse as online_retail
from makegood.connectors.records import Parser
from makegood.connectors.tau_retail import parse as tau_retail
from makegood.kit import errors


class ImportFormatUnknown(errors.Malformed):
    code = "import_format_unknown"
    message = "{field}: {value} is not one of {known}."


@dataclass(frozen=True, slots=True)
class Format:
    """A way orders come in: its name, its parser, its title in both languages, and what ``path`` is."""

    name: str
    parser: Parser
    title_en: str
    title_zh: str
    path_is: str = "file"  # file|folder
    is_text: bool = True  # its encoding is guessed by charsets.detect_encoding and may be declared


FORMATS = {
    form.name: form
    for form in (
        Format("csv", csv_orders.parse, "Makegood's own table of order lines", "善后自有订单行表格"),
        Format("amazon-sale-report", amazon_sale_report.parse, "Amazon sale report (India)", "亚马逊销售报表（印度）"),
        Format("online-retail", online_retail.parse, "Online Retail invoices (UCI)", "Online Retail 发票（UCI）"),
        Format("olist", olist.parse, "Olist marketplace sample", "Olist 平台样本", path_is="folder"),
        Format("tau-retail", tau_retail.parse, "tau retail benchmark", "tau 零售基准", is_text=False),
    )
}


def find_format(name: str) -> Format:
    """Raises ImportFormatUnknown."""
    if name not in FORMATS:
        raise ImportFormatUnknown(name, field="format", rule="a known format", known=", ".join(sorted(FORMATS)))
    return FORMATS[name]
