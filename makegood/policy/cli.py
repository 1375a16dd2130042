"""``makegood quote`` and ``makegood policy …``: faces over the same functions as the API; no database."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from makegood.kit.errors import DomainError, Malformed
from makegood.kit.postgres.connect import data_dir
from makegood.kit.signing import PublicKey, signing_keys
from makegood.policy import receipt as receipts
from makegood.policy.check import check_registry
from makegood.policy.explain import explain
from makegood.policy.facts import FactMalformed, Facts
from makegood.policy.outcome import Outcome
from makegood.policy.packs import Pack, load_pack
from makegood.policy.quote import checked_lang, outcome_of
from makegood.policy.registry import shipped_registry
from makegood.policy.scenarios import read_book

DONE, NO, UNREADABLE = 0, 1, 2
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
SIZE_MAX = 5_000_000

policy_app = typer.Typer(help="The policy packs: list, show, check.", no_args_is_help=True)


def quote_command(
    facts: Annotated[Path | None, typer.Argument(help="File of facts (JSON); - reads standard input.")] = None,
    pack: Annotated[list[str] | None, typer.Option("--pack", help="Pack to apply; may be given several times.")] = None,
    on: Annotated[str | None, typer.Option("--on", help="Day whose rules hold, YYYY-MM-DD.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="zh-Hans or en.")] = "en",
    explained: Annotated[bool, typer.Option("--explain", help="Say why, to the cent.")] = False,  # noqa: FBT002 - typer's way of writing a flag
    receipt: Annotated[Path | None, typer.Option("--receipt", help="Write a signed receipt here.")] = None,
    replayed: Annotated[Path | None, typer.Option("--replay", help="Check a receipt and decide it anew.")] = None,
    packs: Annotated[
        list[Path] | None,
        typer.Option("--packs", help="With --replay: files of packs, or a folder, to look in as well."),
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="With --replay: the public key, or a file of it.")] = None,
    as_json: AsJson = False,  # noqa: FBT002 - same
) -> None:
    """Say what is owed on these facts: exit code 0, or 1 where the answer is no. With --replay check a receipt."""
    if (facts is None) == (replayed is None):
        typer.echo("usage: give either a file of facts or --replay RECEIPT", err=True)
        raise typer.Exit(UNREADABLE)
    if replayed is not None:
        _replay(replayed, key, packs or [], as_json=as_json)
    try:
        checked_lang(lang)
        outcome = outcome_of(Facts.from_json(_read(facts or Path("-"))), pack_ids=pack, on=_day(on))
        if receipt is not None:
            _write_receipt(receipt, outcome, lang)
    except DomainError as error:
        _stop(error)
    if as_json:
        more = {"explanation": explain(outcome, lang).as_json()} if explained else {}
        _print_json(outcome.as_json(lang) | more)
    else:
        typer.echo("\n\n".join(explain(outcome, lang).prose) if explained else in_words(outcome, lang))
    raise typer.Exit(NO if outcome.verdict == "deny" else DONE)


def _write_receipt(file: Path, outcome: Outcome, lang: str) -> None:
    document = receipts.issue(
        facts=outcome.facts.as_json(),
        outcome=outcome.as_json(lang),
        about={"kind": "quote"},
        at=datetime.now(UTC),
        key=signing_keys(data_dir())[0],
    )
    try:
        file.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise FactMalformed(error.strerror, field=str(file), rule="a file that can be written") from None


def _replay(file: Path, key: str | None, packs: list[Path], *, as_json: bool) -> NoReturn:
    """Exit code 0: it comes out the same; 1: it differs or is forged; 2: it cannot be read or replayed here."""
    try:
        public = (
            PublicKey.read(Path(key).read_text(encoding="utf-8") if Path(key).is_file() else key, field="--key")
            if key
            else None
        )
        files = [found for path in packs for found in (sorted(path.rglob("pack*.yaml")) if path.is_dir() else [path])]
        checked = receipts.check(_read(file), key=public, packs=[load_pack(found) for found in files])
    except DomainError as error:
        _stop(error)
    if as_json:
        _print_json(checked.as_json())
    else:
        told = {
            "verified": f"The signature is that of the key {checked.key}.",
            "intact": f"The receipt is whole, signed by the key {checked.key}; whose key that is was not checked.",
            "forged": f"The signature is not that of the key {checked.key}: the receipt was changed or is another's.",
        }
        typer.echo(told[checked.signature])
        for one in checked.differences:
            typer.echo(f"  {one.path}: the receipt says {_short(one.receipt)}, the replay gives {_short(one.replay)}")
        if checked.signature != "forged":
            typer.echo("It comes out the same, bit for bit." if checked.is_equal else "It does not come out the same.")
    raise typer.Exit(DONE if checked.is_equal else NO)


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)[:200] if value is not None else "nothing"


@policy_app.command("list")
def list_packs(as_json: AsJson = False) -> None:  # noqa: FBT002 - same
    """List every pack and version."""
    packs = [_summary(pack) for pack in _registry_or_stop().packs]
    if as_json:
        _print_json({"packs": packs})
        return
    for pack in packs:
        typer.echo(
            f"{pack['id']:24} {pack['version']:12} {pack['kind']:9} {pack['rules']:4} rules  {pack['title']['en']}"
        )


@policy_app.command("show")
def show_pack(pack_id: str, as_json: AsJson = False) -> None:  # noqa: FBT002 - same
    """Show a pack's rules; the newest version."""
    try:
        pack = _registry_or_stop().versions(pack_id)[-1]
    except DomainError as error:
        _stop(error)
    if as_json:
        _print_json({**_summary(pack), "pack": pack.written.model_dump(mode="json", by_alias=True)})
        return
    typer.echo(f"{pack.id} {pack.version}  {pack.title.zh} / {pack.title.en}")
    for rule in pack.rules:
        told = " and ".join(f"{fact} {cell.words()}" for fact, cell in rule.cells if fact != "case.claimant")
        given = ", ".join(f"{remedy.kind} {remedy.written}" for remedy in rule.remedies) or rule.effect
        typer.echo(f"  {rule.id} [{', '.join(rule.kinds)}] {told or 'always'} -> {given}")


@policy_app.command("check")
def check_packs(pack_ids: Annotated[list[str] | None, typer.Argument()] = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - same
    """Check packs: they load, are cited and dated, speak both languages, and every rule can decide."""
    try:
        findings = check_registry(shipped_registry(), pack_ids)
    except DomainError as error:
        _stop(error, code=NO if isinstance(error, Malformed) else UNREADABLE)
    failed = any(finding.level == "error" for finding in findings)
    if as_json:
        _print_json({"ok": not failed, "findings": [finding.as_json() for finding in findings]})
    else:
        for finding in findings:
            typer.echo(finding.line())
        typer.echo("The packs have errors." if failed else "The packs are sound.")
    raise typer.Exit(NO if failed else DONE)


@policy_app.command("try")
def try_scenarios(
    files: Annotated[list[Path], typer.Argument(help="Files of scenarios.")],
    as_json: AsJson = False,  # noqa: FBT002 - same
) -> None:
    """Try scenarios: facts in, what must come out. Exit code 1 where one does not come out as expected."""
    try:
        scenarios = [scenario for file in files for scenario in read_book(file)]
        results = [(scenario, scenario.misses(scenario.outcome())) for scenario in scenarios]
    except DomainError as error:
        _stop(error)
    missed = [(scenario, misses) for scenario, misses in results if misses]
    if as_json:
        failed = [{"book": scenario.book, "name": scenario.name, "misses": misses} for scenario, misses in missed]
        _print_json({"scenarios": len(results), "passed": len(results) - len(missed), "failed": failed})
    else:
        for scenario, misses in missed:
            typer.echo(f"{scenario.book}: {scenario.name}: {'; '.join(misses)}")
        typer.echo(f"{len(results) - len(missed)} of {len(results)} scenarios come out as expected.")
    raise typer.Exit(NO if missed else DONE)


def in_words(outcome: Outcome, lang: str) -> str:
    """The answer as a few lines for a person."""
    told = outcome.as_json(lang)
    verdicts = {
        "grant": ("同意", "Granted"),
        "partly": ("部分同意", "Granted in part"),
        "deny": ("不同意", "Not granted"),
        "need_evidence": ("需要补充材料", "More is needed"),
        "refer": ("由人工处理", "A person decides"),
    }
    head = verdicts[told["verdict"]][0 if lang == "zh-Hans" else 1]
    lines = [f"{head}: {told['total']['amount']} {told['total']['currency']}"]
    for sign, part in (("+", "remedies"), ("-", "refused"), ("?", "evidence_needed"), ("~", "referred")):
        for entry in told[part]:
            cites = "; ".join(entry.get("cites", []))
            lines.append(f"  {sign} {entry['text']}" + (f"  [{entry.get('rule')}: {cites}]" if cites else ""))
    if told["appeal"]:
        until, to = told["appeal"]["until"], told["appeal"]["to"]
        lines.append(f"  申诉：{until} 前，{to}。" if lang == "zh-Hans" else f"  Appeal until {until} to {to}.")
    return "\n".join(lines)


def _summary(pack: Pack) -> dict[str, Any]:
    return {
        "id": pack.id, "version": pack.version, "kind": pack.kind, "hash": pack.hash, "rules": len(pack.rules),
        "title": {"zh-Hans": pack.title.zh, "en": pack.title.en},
        "valid_from": pack.valid_from.isoformat(), "valid_to": pack.valid_to.isoformat() if pack.valid_to else None,
    }  # fmt: skip


def _registry_or_stop() -> Any:
    try:
        return shipped_registry()
    except DomainError as error:
        _stop(error)


def _read(file: Path) -> Any:
    """The JSON document of a file. Raises FactMalformed, naming the place in the file."""
    try:
        raw = sys.stdin.buffer.read(SIZE_MAX + 1) if str(file) == "-" else file.read_bytes()
        if len(raw) > SIZE_MAX:
            raise FactMalformed(len(raw), field=str(file), rule=f"at most {SIZE_MAX} bytes")
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_unique)
    except OSError as error:
        raise FactMalformed(error.strerror, field=str(file), rule="a readable file") from None
    except json.JSONDecodeError as error:
        raise FactMalformed(error.msg, field=f"{file}:{error.lineno}:{error.colno}", rule="JSON") from None
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise FactMalformed(type(error).__name__, field=str(file), rule="JSON in UTF-8") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise FactMalformed(twice, field=twice, rule="each name once")
    return found


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FactMalformed(text, field="--on", rule="a date such as 2026-02-01") from None


def _print_json(document: object) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _stop(error: DomainError, code: int = UNREADABLE) -> NoReturn:
    """One line that says what and where, no traceback."""
    typer.echo(f"{error.code}: {error.sentence()}", err=True)
    raise typer.Exit(code)
