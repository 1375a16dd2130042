"""History is parted from new words, as the programs people use mark it; nothing new is ever cut away."""

from __future__ import annotations

import pytest

from makegood.connectors.mail.quotes import cut

HISTORIES = {
    "gmail zh": "王小明 <wang@example.com> 于2026年11月16日周一 10:00写道：\n\n> 您好\n> 请补充照片",
    "gmail zh 在": "在 2026年11月16日周一 10:00，某店客服 <support@shop.example> 写道：\n\n> 您好",
    "gmail zh, folded": "某店客服 <\nsupport@shop.example> 于2026年11月16日周一 10:00写道：\n\n> 您好",
    "apple zh": "在 2026年11月16日，10:00，某店 <support@shop.example> 写道：\n\n您好，请补充照片",
    "netease": '在 2026-11-16 10:00:00，"某店" <support@shop.example> 写道：\n\n您好，请补充照片',
    "netease new": "---- 回复的原邮件 ----\n| 发件人 | 某店<support@shop.example> |\n| 主题 | 售后 |\n您好",
    "qq": (
        '------------------ 原始邮件 ------------------\n发件人: "某店" <support@shop.example>;\n'
        '发送时间: 2026年11月16日(星期一) 上午10:00\n收件人: "王小明";\n主题: 售后\n\n您好'
    ),
    "qq, bare": "------------------ 原始邮件 ------------------\n您好",
    "foxmail": "发件人： 某店\n发送时间： 2026-11-16 10:00\n收件人： wang@example.com\n主题： 售后\n\n您好",
    "outlook zh": (
        "________________________________\n发件人: 某店 <support@shop.example>\n发送时间: 2026年11月16日 10:00\n"
        "收件人: 王小明\n主题: 售后\n\n您好"
    ),
    "outlook zh, old": "-----原始邮件-----\n发件人: 某店\n\n您好",
    "outlook en": (
        "________________________________\nFrom: Shop <support@shop.example>\nSent: Monday, November 16, 2026\n"
        "To: Wang\nSubject: RE: order\n\nDear Wang"
    ),
    "outlook en, bold": (
        "*From:* Shop <support@shop.example>\n*Sent:* Monday\n*To:* Wang\n*Subject:* order\n\nDear Wang"
    ),
    "outlook en, old": "-----Original Message-----\nFrom: Shop\nSent: Monday\n\nDear Wang",
    "gmail en": ("On Mon, Nov 16, 2026 at 10:00 AM Shop <support@shop.example> wrote:\n\n> Dear Wang\n> > older"),
    "gmail en, folded": (
        "On Mon, Nov 16, 2026 at 10:00 AM Shop Support <\nsupport@shop.example> wrote:\n\n> Dear Wang"
    ),
    "apple en": "On 16 Nov 2026, at 10:00, Shop <support@shop.example> wrote:\n\nDear Wang",
    "bare": "> Dear Wang\n> please send a picture",
    "traditional": "客服 <support@shop.example> 於 2026年11月16日 週一 上午10:00寫道：\n\n> 您好",
    "japanese": "2026年11月16日(月) 10:00 Shop <support@shop.example>:\n\n> こんにちは",
    "german": "Am 16.11.2026 um 10:00 schrieb Shop <support@shop.example>:\n\n> Hallo",
}


@pytest.mark.parametrize("program", HISTORIES)
def test_the_history_of_this_program_is_cut_and_kept(program: str) -> None:
    fresh, quoted = cut(f"照片在附件里。\n谢谢\n\n{HISTORIES[program]}")

    assert fresh == "照片在附件里。\n谢谢"
    assert quoted == HISTORIES[program]


@pytest.mark.parametrize(
    "text",
    [
        "客服写道：不退。这是什么态度！",
        "You wrote: no refund.\nThat is not fair.",
        "From: the first day it was broken.\nI want my money.",
        "发件人说已经寄出，我没有收到",
        "Prices:\n- one > two\nthree",
        "---------- Forwarded message ---------\nFrom: Shop\nSubject: hello\n\nlook at this",
    ],
)
def test_what_only_looks_like_history_stays(text: str) -> None:
    assert cut(text) == (text, "")


def test_answers_between_quoted_lines_are_kept_in_their_order() -> None:
    fresh, quoted = cut("On 16 Nov 2026, Shop wrote:\n> Which colour?\nBlue.\n> Which size?\nLarge.")

    assert fresh == "Blue.\n[…]\nLarge."
    assert quoted == "On 16 Nov 2026, Shop wrote:\n> Which colour?\n> Which size?"


def test_a_mail_of_history_alone_shows_it() -> None:
    text = "> only\n> quoted"

    assert cut(text) == (text, "")
