"""Nobody meets a sentence in a language they did not choose."""

from __future__ import annotations

import re
from pathlib import Path

from django.utils.translation import gettext, override

from makegood.config import words
from tests.config.wording import ROOT, sentences

ZH = ROOT / "locale" / "zh_Hans"
_PLACE = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def test_every_sentence_is_said_in_chinese() -> None:
    said = words.read_words(ZH)
    missing = [(module, text) for text, module in sorted(sentences().items()) if text not in said]

    stubs = "\n".join(f'# {module}.po\nmsgid "{text}"\nmsgstr ""\n' for module, text in missing)
    assert not missing, f"{len(missing)} sentences are missing in makegood/locale/zh_Hans:\n{stubs}"


def test_translations_keep_the_places_to_be_filled_in() -> None:
    wrong = []
    for message in words.read_words(ZH):
        source = message.id if isinstance(message.id, str) else message.id[0]
        told = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
        # A Chinese sentence may leave a place out, but not invent one.
        if not set(_PLACE.findall(told)) <= set(_PLACE.findall(source)):
            wrong.append((source, told))
    assert wrong == []


def test_no_translation_is_left_in_english() -> None:
    chinese = re.compile(r"[一-鿿]")
    bare = {"", "{field}: {value} ({rule})", "{value}: {rule}", "{field}: rule {in_rule}: {cell}: {problem}"}

    left = [m.id for m in words.read_words(ZH) if str(m.id) not in bare and not chinese.search(str(m.string))]
    assert left == []


def test_words_added_to_a_file_are_compiled_at_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "zh_Hans"
    folder.mkdir()
    (folder / "kit.po").write_text('msgid "tea"\nmsgstr "茶"\n')
    words.compile_words(tmp_path)
    made = folder / "LC_MESSAGES" / "django.mo"
    first = made.read_bytes()

    words.compile_words(tmp_path)
    assert made.read_bytes() == first
    (folder / "orders.po").write_text('msgid "cup"\nmsgstr "杯"\n')
    words.compile_words(tmp_path)

    assert "茶".encode() in made.read_bytes()
    assert "杯".encode() in made.read_bytes()


def test_django_finds_them() -> None:
    with override("zh-hans"):
        assert gettext("Not found") == "未找到"
