"""Our own order table: what is read, what is reckoned, what is refused and how the refusal says so."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.connectors.charsets import FileUnreadable
from makegood.connectors.tables import ColumnsMissing, HeadingRepeated
from makegood.kit import money
from tests.connectors.reading import read

Write = Callable[[str | bytes], Path]

HEADING = "order_number,sku,title,quantity,unit_price,discount,paid,currency,ordered_at"


@pytest.fixture
def table(tmp_path: Path) -> Write:
    def write(text: str | bytes) -> Path:
        path = tmp_path / "orders.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_rows_of_one_order_become_one_order_with_its_payment(table: Write) -> None:
    path = table(
        f"{HEADING}\n"
        "A1,MUG,Mug,2,12.50,5.00,20.00,EUR,2026-03-01T10:00:00+01:00\n"
        "B7,POT,Pot,1,30,,30,EUR,2026-03-02T10:00:00+01:00\n"
        "A1,LID,Lid,1,3,,3.00,EUR,2026-03-01T10:00:00+01:00\n"
    )

    outcome = read(path, "csv")

    first = outcome.orders[0]
    assert [order.number for order in outcome.orders] == ["A1", "B7"]
    assert [(line.number, line.quantity, line.paid_minor) for line in first.lines] == [
        ("MUG", 2, 2000),
        ("LID", 1, 300),
    ]
    assert [payment.captured_minor for payment in first.payments] == [2300]
    assert [row["line"] for row in first.source] == [2, 4]
    assert first.ordered_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert outcome.positions == [2, 3]


def test_chinese_headings_and_words_are_understood(table: Write) -> None:
    path = table(
        "订单号,商品编码,商品名称,数量,单价,实付,币种,下单时间,签收时间,市场,支付方式,运费,规格,运单号,物流公司\n"
        "T2026,SOFA-3,三人沙发,1,5998.00,5899.00,CNY,2026-11-11 10:00:00,2026年11月14日 15:30,"
        "CN,支付宝,12,颜色:米白;材质：布艺,SF100,顺丰\n"
    )

    order = read(path, "csv").only

    assert order.lines[0].title == "三人沙发"
    assert order.lines[0].options == {"颜色": "米白", "材质": "布艺"}
    assert order.ordered_at == datetime(2026, 11, 11, 2, tzinfo=UTC)
    assert order.delivered_at == datetime(2026, 11, 14, 7, 30, tzinfo=UTC)
    assert (order.payments[0].method, order.payments[0].captured_minor) == ("wallet", 591100)
    assert (order.parcels[0].reference, order.parcels[0].carrier) == ("SF100", "顺丰")
    assert order.parcels[0].position == "with_customer"
    assert order.remarks == []


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("paid", "1.005", "amount_too_precise"),
        ("paid", "-1", "amount_negative"),
        ("paid", "NaN", "amount_not_a_number"),
        ("paid", "Infinity", "amount_not_a_number"),
        ("paid", "1e30", "amount_too_large"),
        ("paid", "1" + "0" * 30, "amount_too_large"),
        ("paid", "1_000", "amount_not_a_number"),
        ("paid", "１２", "amount_not_a_number"),
        ("paid", "1,299.00", "amount_not_a_number"),
        ("unit_price", "twelve", "amount_not_a_number"),
        ("discount", "13", "discount_too_large"),
        ("currency", "XXZ", "currency_unknown"),
        ("currency", "", "field_missing"),
        ("quantity", "0", "quantity_zero"),
        ("quantity", "-2", "quantity_negative"),
        ("quantity", "1.5", "quantity_not_whole"),
        ("quantity", "", "field_missing"),
        ("quantity", "9999999", "quantity_too_large"),
        ("sku", "", "field_missing"),
        ("order_number", "", "field_missing"),
        ("ordered_at", "2026-02-30", "date_malformed"),
        ("ordered_at", "03/04/2026", "date_malformed"),
        ("ordered_at", "2031-01-01T00:00:00Z", "date_in_future"),
    ],
)
def test_a_bad_cell_is_refused_with_line_field_value_and_words_in_both_languages(
    table: Write, column: str, value: str, code: str
) -> None:
    good = {
        "order_number": "A1",
        "sku": "MUG",
        "title": "Mug",
        "quantity": "1",
        "unit_price": "12.50",
        "discount": "0",
        "paid": "12.50",
        "currency": "EUR",
        "ordered_at": "2026-03-01T10:00:00Z",
    }
    text = io.StringIO()
    writer = csv.DictWriter(text, list(good))
    writer.writeheader()
    writer.writerow({**good, column: value})

    reject = read(table(text.getvalue()), "csv", at=datetime(2026, 6, 1, tzinfo=UTC)).refused

    assert (reject.code, reject.field, reject.line) == (code, column, 2)
    assert reject.value in {value, ""}
    assert reject.row["title"] == "Mug"
    assert value in reject.reason_en
    assert column in reject.reason_zh
    assert any("\u4e00" <= char <= "\u9fff" for char in reject.reason_zh)


def test_one_bad_row_refuses_its_whole_order_and_no_other(table: Write) -> None:
    path = table(
        f"{HEADING}\nA1,MUG,Mug,1,1,,1,EUR,\nB2,POT,Pot,1,1,,1,EUR,\nA1,LID,Lid,x,1,,1,EUR,\nA1,CUP,Cup,-1,1,,1,EUR,\n"
    )

    outcome = read(path, "csv")

    assert [order.number for order in outcome.orders] == ["B2"]
    assert [(reject.line, reject.code) for reject in outcome.rejects] == [
        (2, "order_incomplete"),
        (4, "quantity_not_whole"),
        (5, "quantity_negative"),
    ]
    assert outcome.rows == 4


def test_two_currencies_in_one_order_are_refused(table: Write) -> None:
    outcome = read(table(f"{HEADING}\nA1,MUG,,1,1,,1,EUR,\nA1,POT,,1,1,,1,USD,\n"), "csv")

    assert outcome.codes == ["order_incomplete", "currency_mixed"]


def test_yen_have_no_decimals_and_dinars_three(table: Write) -> None:
    outcome = read(table(f"{HEADING}\nA,M,,1,,,500,JPY,\nB,M,,1,,,0.125,KWD,\nC,M,,1,,,0.5,JPY,\n"), "csv")

    assert [order.lines[0].paid_minor for order in outcome.orders] == [500, 125]
    assert outcome.codes == ["amount_too_precise"]


def test_paid_is_reckoned_from_the_price_or_stays_unknown_with_a_remark(table: Write) -> None:
    outcome = read(table(f"{HEADING}\nA,M,,3,2.50,1,,EUR,\nB,M,,1,,,,EUR,\n"), "csv")

    assert [order.lines[0].paid_minor for order in outcome.orders] == [650, None]
    assert [order.remarks for order in outcome.orders] == [[], ["amount_missing"]]
    assert outcome.orders[1].payments == []


@pytest.mark.parametrize(
    "options", ["{broken", "[1]", "red", '{""a"": NaN}', '{""a"": ""\\u0000""}', '{""a"": ""\\ud800""}', "[" * 5000]
)
def test_options_that_cannot_be_kept_are_refused(table: Write, options: str) -> None:
    path = table(f'order_number,sku,quantity,paid,currency,options\nA,M,1,1,EUR,"{options}"\n')

    assert read(path, "csv").refused.code == "options_malformed"


def test_the_same_article_twice_gets_two_stable_line_numbers(table: Write) -> None:
    path = table(f"{HEADING}\nA,M,,1,1,,1,EUR,\nA,M,,1,1,,1,EUR,\n")

    assert [line.number for line in read(path, "csv").only.lines] == ["M", "M#2"]


def test_a_repeated_line_number_is_one_line_when_equal_and_refused_when_not(table: Write) -> None:
    heading = "order_number,line_number,sku,quantity,paid,currency\n"

    equal = read(table(heading + "A,1,M,1,1,EUR\nA,1,M,1,1,EUR\n"), "csv")
    unequal = read(table(heading + "A,1,M,1,1,EUR\nA,1,M,2,1,EUR\n"), "csv")

    assert (len(equal.only.lines), equal.only.remarks, equal.rows) == (1, ["duplicate_line"], 2)
    assert unequal.codes == ["order_incomplete", "line_number_repeated"]


def test_several_payments_of_one_order(table: Write) -> None:
    path = table(
        "order_number,sku,quantity,paid,currency,payment_reference,payment_method,captured,gateway\n"
        "A,M,1,30,EUR,card-1,card,20,stripe\n"
        "A,L,1,10,EUR,gift-1,gift_card,20,store_credit\n"
    )

    payments = read(path, "csv").only.payments

    assert [(p.reference, p.method, p.captured_minor, p.gateway) for p in payments] == [
        ("card-1", "card", 2000, "stripe"),
        ("gift-1", "gift_card", 2000, "store_credit"),
    ]


def test_cash_on_delivery_is_not_paid_before_delivery(table: Write) -> None:
    heading = "order_number,sku,quantity,paid,currency,payment_method,shipped_at,delivered_at\n"
    path = table(heading + "A,M,1,5,EUR,cod,2026-01-02T08:00Z,\nB,M,1,5,EUR,cod,2026-01-02T08:00Z,2026-01-03T08:00Z\n")

    under_way, delivered = read(path, "csv").orders

    assert under_way.payments == []
    assert delivered.payments[0].captured_minor == 500
    assert [parcel.position for parcel in (under_way.parcels + delivered.parcels)] == ["in_transit", "with_customer"]


def test_delivery_before_the_order_is_refused(table: Write) -> None:
    path = table(
        "order_number,sku,quantity,paid,currency,ordered_at,delivered_at\nA,M,1,5,EUR,2026-01-05T08:00Z,2026-01-03T08:00Z\n"
    )

    assert read(path, "csv").refused.code == "date_before_order"


def test_times_without_zone_are_utc_and_say_so(table: Write) -> None:
    order = read(table(f"{HEADING}\nA,M,,1,1,,1,EUR,2026-03-01 10:00\n"), "csv").only

    assert order.ordered_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert order.remarks == ["time_zone_missing"]


def test_a_declared_time_zone_is_used_also_across_a_clock_change(table: Write) -> None:
    path = table(
        "order_number,sku,quantity,paid,currency,ordered_at,time_zone\n"
        "A,M,1,1,EUR,2026-03-28 12:00,Europe/Berlin\nB,M,1,1,EUR,2026-03-29 12:00,Europe/Berlin\n"
        "C,M,1,1,EUR,2026-03-29 12:00,Mars/Olympus\n"
    )

    outcome = read(path, "csv")

    assert [order.ordered_at.astimezone(UTC).hour for order in outcome.orders if order.ordered_at] == [11, 10]
    assert outcome.codes == ["value_not_allowed"]


def test_digits_kept_as_text_by_a_spreadsheet_are_unwrapped_and_formulas_stay_text(table: Write) -> None:
    path = table(f'{HEADING}\n"=""00123""",M,"=HYPERLINK(""http://x"")",1,1,,1,EUR,\n')

    order = read(path, "csv").only

    assert order.number == "00123"
    assert order.lines[0].title == '=HYPERLINK("http://x")'


def test_missing_columns_are_one_clear_error_for_the_file(table: Write) -> None:
    with pytest.raises(ColumnsMissing, match="quantity, currency") as caught:
        read(table("order_number,sku\nA,M\n"), "csv")

    assert caught.value.details["columns"] == "quantity, currency"


def test_a_heading_that_names_a_column_twice_is_refused_also_in_two_languages(table: Write) -> None:
    with pytest.raises(HeadingRepeated):
        read(table("order_number,订单号,sku,quantity,currency\nA,A,M,1,EUR\n"), "csv")


def test_an_empty_or_absent_file_is_one_clear_error(table: Write, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="empty"):
        read(table(""), "csv")
    with pytest.raises(FileUnreadable, match="No such file"):
        read(tmp_path / "absent.csv", "csv")


def test_reading_can_stop_after_any_record_and_go_on(table: Write) -> None:
    rows = "".join(f"N{i % 7},S{i},,{'x' if i == 3 else 1},1,,1,EUR,\n" for i in range(21))
    path = table(f"{HEADING}\n{rows}")
    whole = read(path, "csv")

    for count, position in enumerate(whole.positions):
        rest = read(path, "csv", start_line=position)
        orders_before = [order for order in whole.orders if order.source[0]["line"] <= position]
        assert orders_before + rest.orders == whole.orders
        assert set(whole.codes[count + 1 :]) <= {reject.code for reject in rest.rejects} | set(whole.codes[: count + 1])
    assert whole.rows == 21


def test_rows_of_an_order_too_far_apart_are_refused_not_merged_wrongly(table: Write) -> None:
    middle = "".join(f"N{i},S,,1,1,,1,EUR,\n" for i in range(9000))
    outcome = read(table(f"{HEADING}\nA,M,,1,1,,1,EUR,\n{middle}A,M,,1,1,,1,EUR,\n"), "csv")

    assert len(outcome.orders) == 9001
    assert [(reject.code, reject.line) for reject in outcome.rejects] == [("order_rows_apart", 9003)]


@pytest.mark.parametrize(("rows", "orders"), [(4096, 1), (4097, 0)])
def test_a_long_order_is_read_whole_or_refused_whole(table: Write, rows: int, orders: int) -> None:
    before = "".join(f"N{i},S,,1,1,,1,EUR,\n" for i in range(5000))
    outcome = read(table(f"{HEADING}\n{before}" + "A,M,,1,1,,1,EUR,\n" * rows), "csv")

    assert len(outcome.orders) == 5000 + orders
    assert len(outcome.orders[-1].lines) == (rows if orders else 1)
    assert set(outcome.codes) <= {"order_too_long"}
    assert outcome.rows == 5000 + rows


amounts = st.integers(0, 10**9)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=12).filter(
    lambda text: not text.startswith("=") and text.strip() == text
)


@given(
    rows=st.lists(
        st.tuples(texts, texts, st.integers(1, 999), amounts, st.sampled_from(["EUR", "JPY", "KWD"])),
        min_size=1,
        max_size=12,
    ),
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, int, int, str]],
    delimiter: str,
    line_end: str,
    encoding: str,
) -> None:
    path = tmp_path_factory.mktemp("round") / "orders.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator=line_end)
        writer.writerow(["order_number", "sku", "title", "quantity", "paid", "currency"])
        for place, (sku, title, quantity, minor, currency) in enumerate(rows):
            paid = Decimal(minor).scaleb(-money.exponent(currency))
            writer.writerow([f"N{place}", sku, title, quantity, f"{paid:f}", currency])

    orders = read(path, "csv", encoding=encoding).orders

    assert [
        (order.lines[0].sku, order.lines[0].title, order.lines[0].quantity, order.lines[0].paid_minor, order.currency)
        for order in orders
    ] == rows
