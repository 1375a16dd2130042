"""Files as they come: encodings, line ends, quotation marks, cuts; decoded as declared or refused, never mojibake."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from makegood.connectors.charsets import EncodingUndecided, EncodingUnknown, FileUnreadable, detect_encoding
from makegood.connectors.formats import find_format
from makegood.connectors.tables import Table
from tests.connectors.reading import read

SIMPLIFIED = [
    "三人沙发 米白色 可拆洗",
    "儿童保温杯 500毫升",
    "纯棉短袖T恤 加大码",
    "无线蓝牙耳机（降噪）",
    "不锈钢炒锅，带盖",
    "东北大米5公斤装",
]
TRADITIONAL = [
    "三人沙發 米白色 可拆洗",
    "兒童保溫杯 500毫升",
    "無線藍牙耳機（降噪）",
    "不鏽鋼炒鍋，帶蓋",
    "東北大米5公斤裝",
]
FRENCH = ["Théière émaillée", "Crème brûlée", "Gâteau à l’orange", "Fauteuil crapaud"]
PORTUGUESE = ["Coração de algodão", "Fogão à lenha", "Pão de mel", "INFORMAÇÃO, edição de bolso"]
GERMAN = ["Kissenhülle grün", "Süßigkeiten", "Öllampe", "Preis 5 €"]


def orders(titles: list[str]) -> str:
    rows = (f"N{place},S{place},{title.replace(',', ' ')},1,2.50,CNY\n" for place, title in enumerate(titles))
    return "order_number,sku,title,quantity,paid,currency\n" + "".join(rows)


@pytest.mark.parametrize(
    ("titles", "encoding", "told"),
    [
        (SIMPLIFIED, "utf-8", "utf-8"),
        (SIMPLIFIED, "utf-8-sig", "utf-8"),
        (SIMPLIFIED, "utf-16", "utf-16-le"),
        (SIMPLIFIED, "utf-16-le", "utf-16-le"),
        (SIMPLIFIED, "gbk", "gb18030"),
        (SIMPLIFIED, "gb18030", "gb18030"),
        (TRADITIONAL, "utf-8", "utf-8"),
        (TRADITIONAL, "big5", "big5"),
        (FRENCH, "cp1252", "cp1252"),
        (FRENCH[:2], "latin-1", "cp1252"),
        (PORTUGUESE, "latin-1", "cp1252"),
        (GERMAN, "cp1252", "cp1252"),
        (["plain"], "ascii", "utf-8"),
    ],
)
def test_the_encoding_is_guessed_and_told_and_the_text_is_right(
    tmp_path: Path, titles: list[str], encoding: str, told: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(orders(titles).encode(encoding))

    guess = detect_encoding(str(path))
    outcome = read(path, "csv")

    assert guess.name == told
    assert guess.bom is (encoding in {"utf-8-sig", "utf-16"})
    assert 0.5 <= guess.confidence <= 1
    assert [order.lines[0].title for order in outcome.orders] == [title.replace(",", " ") for title in titles]


@pytest.mark.parametrize("titles", [[title] for title in SIMPLIFIED])
def test_one_chinese_title_is_enough_for_gbk(tmp_path: Path, titles: list[str]) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(orders(titles).encode("gbk"))

    assert read(path, "csv").orders[0].lines[0].title == titles[0]


def test_chinese_far_down_a_long_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(orders(["plain title"] * 60_000 + SIMPLIFIED).encode("gb18030"))

    assert detect_encoding(str(path)).name == "gb18030"


def test_bytes_that_are_not_of_the_declared_encoding_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(orders(["plain", *SIMPLIFIED[:1], "last"]).encode("gb18030"))

    outcome = read(path, "csv", encoding="utf-8")

    assert [order.lines[0].title for order in outcome.orders] == ["plain", "last"]
    assert (outcome.codes, outcome.rejects[0].line) == (["encoding_error"], 3)
    assert "utf-8" in outcome.rejects[0].reason_en


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("빨간 머그컵 무료 배송 한국어 상품 설명, 크고 튼튼한 커피잔", "euc-kr"),
        ("これは日本語の商品名です。赤いマグカップ、送料無料", "shift_jis"),
        ("Красная кружка, бесплатная доставка по всей стране", "cp1251"),
        ("Żółta łódź ćma ęąśź źdźbło", "cp1250"),
    ],
)
def test_other_scripts_are_read_rightly_or_refused_but_never_as_mojibake(
    tmp_path: Path, text: str, encoding: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(orders([text]).encode(encoding))

    try:
        outcome = read(path, "csv")
    except EncodingUndecided:
        outcome = read(path, "csv", encoding=encoding)
    assert outcome.only.lines[0].title == text.replace(",", " ")


def test_one_damaged_row_does_not_turn_a_utf8_file_into_mojibake(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    rows = orders(SIMPLIFIED).encode().splitlines(keepends=True)
    rows[3] = rows[3][:12] + b"\xff" + rows[3][13:]
    path.write_bytes(b"".join(rows))

    outcome = read(path, "csv")

    assert detect_encoding(str(path)).confidence < 1
    assert (outcome.codes, outcome.rejects[0].line) == (["encoding_error"], 4)
    assert len(outcome.orders) == len(SIMPLIFIED) - 1


def test_an_unknown_declared_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(orders(["a"]))

    for name in ("klingon", "hex"):
        with pytest.raises(EncodingUnknown, match=name):
            read(path, "csv", encoding=name)


def test_a_damaged_gzip_file_is_one_clear_error(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(orders([f"Mug {n}" for n in range(5000)]).encode()))
    packed[200:260] = b"\xff" * 60
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(packed)

    with pytest.raises(FileUnreadable, match=r"orders\.csv\.gz"):
        read(path, "csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_heading(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(orders(["Mug"]).replace(",", delimiter))

    assert Table(str(path)).delimiter == delimiter
    assert read(path, "csv").only.lines[0].title == "Mug"


def test_a_first_line_that_names_the_separator_is_not_the_heading(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("sep=;\n" + orders(["Mug"]).replace(",", ";"))

    order = read(path, "csv").only
    assert order.source[0]["line"] == 3


def test_mixed_line_ends_quotation_marks_and_line_breaks_in_cells(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(
        b"order_number,sku,title,quantity,paid,currency\r\n"
        b'A,S,"a ""big"", red\nmug",1,1,EUR\n'
        b"\r\n"
        b'B,S,5" plate,1,1,EUR\r'
        b"C,S,cup,1,1,EUR,,\r\n"
    )

    outcome = read(path, "csv")

    assert [order.lines[0].title for order in outcome.orders] == ['a "big", red\nmug', '5" plate', "cup"]
    assert [order.source[0]["line"] for order in outcome.orders] == [2, 5, 6]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b"B,S,cup,1,1\n", "row_too_short"),
        (b"B,S,cup,1,1,EUR,x\n", "row_too_long"),
        (b"B,S,c\0p,1,1,EUR\n", "nul_byte"),
        (b'B,S,"cup"s,1,1,EUR\n', "quotes_broken"),
    ],
)
def test_a_broken_row_is_refused_and_the_next_is_read(tmp_path: Path, row: bytes, code: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(orders(["first"]).encode() + row + b"C,S,cup,1,1,EUR\n")

    outcome = read(path, "csv")

    assert [order.number for order in outcome.orders] == ["N0", "C"]
    assert (outcome.codes, outcome.rejects[0].line) == ([code], 3)
    assert outcome.rows == 3


def test_a_quotation_mark_that_is_never_closed_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(orders(["first", '"second', "third"]))

    outcome = read(path, "csv")

    assert [order.number for order in outcome.orders] == ["N0"]
    assert (outcome.codes, outcome.rejects[0].line) == (["quotes_broken"], 3)


def test_a_file_cut_at_every_kilobyte_gives_whole_orders_and_names_the_broken_row(tmp_path: Path) -> None:
    text = orders([SIMPLIFIED[place % 6] for place in range(400)]).encode()
    path = tmp_path / "orders.csv"
    path.write_bytes(text)
    whole = read(path, "csv").orders

    for size in range(1024, len(text), 1024):
        path.write_bytes(text[:size])
        outcome = read(path, "csv")

        complete = text[:size].count(b"\n") - 1
        assert outcome.orders[:complete] == whole[:complete]
        assert outcome.rows == complete + (not text[:size].endswith(b"\n"))
        for order in outcome.orders[complete:]:  # all cells were there, so nobody can know: it says so
            assert order.remarks == ["last_row_without_line_end"]


def test_half_an_order_number_at_the_cut_does_not_refuse_the_order_it_spells(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(orders(["Mug"] * 12).rpartition("1,S11")[0])

    outcome = read(path, "csv")

    assert [order.number for order in outcome.orders] == [f"N{place}" for place in range(11)]
    assert (outcome.codes, outcome.rejects[0].line) == (["row_too_short"], 13)


def test_a_compressed_file_is_read_and_one_cut_in_half_says_where(tmp_path: Path) -> None:
    packed = gzip.compress(orders([f"{title} {n}" for n in range(500) for title in SIMPLIFIED]).encode(), mtime=0)
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(packed)
    assert len(read(path, "csv").orders) == 3000

    path.write_bytes(packed[: len(packed) // 2])
    outcome = read(path, "csv")

    assert 0 < len(outcome.orders) < 3000
    assert outcome.codes == ["file_cut"]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for count in (10_000, 20_000):
        path = Path(tmp_path) / f"{count}.csv"
        path.write_text(orders(["Mug"] * count))
        tracemalloc.start()
        assert sum(1 for _ in find_format("csv").parser(str(path))) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2
