"""How well messages are read, in both languages, and how fast."""

from __future__ import annotations

from bench.figures import Figure, seconds
from bench.ground import Ground


def measure(_ground: Ground) -> list[Figure]:
    """Macro-F1 over the intents that occur. English needs the data beside the project."""
    from makegood.conversations.triage.measuring import Measured, measure
    from makegood.conversations.triage.reading import read
    from tests.conftest import SHARED_DATA
    from tests.conversations.triage.reading_sentences import EN, chinese, english

    def figure(name: str, found: Measured, what: str) -> Figure:
        wrong = {f"{was} read as {said}": n for (was, said), n in found.confusion.items() if was != said}
        details = {
            "right": round(found.right / found.sentences, 3),
            "sure": round(found.sure / found.sentences, 3),
            "right where sure": round(found.sure_and_right / found.sure, 3),
            "f1": {intent: round(value, 3) for intent, value in found.f1.items()},
            "confusion": dict(sorted(wrong.items(), key=lambda pair: -pair[1])[:12]),
        }
        return Figure(name, found.macro_f1, f"{found.sentences} {what}", details)

    own = chinese()
    figures = [figure("triage.macro_f1_zh", measure(own), "own sentences, written apart from cues and training")]
    if (SHARED_DATA / EN).exists():
        theirs = english(SHARED_DATA)
        figures.append(figure("triage.macro_f1_en", measure(theirs), "messages of en-support, those with an odd id"))
    else:
        figures.append(Figure("triage.macro_f1_en", None, "not measured: en-support is not beside the project"))
    texts = [text for _intent, text in own]
    read(texts[0])
    rate = len(texts) / min(seconds(lambda: [read(text) for text in texts]) for _ in range(5))
    figures.append(Figure("triage.messages_per_second", rate, "own Chinese sentences, one process, best of five turns"))
    return figures
