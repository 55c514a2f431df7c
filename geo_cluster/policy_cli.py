"""`geo-cluster policy`: what the policy pays, aims at and watches, as commands."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from geo_cluster import terminal
from geo_cluster.errors import Fault, InputError, Place, refuse_if

if TYPE_CHECKING:
    from geo_cluster.domain import Text
    from geo_cluster.policy.entries import Entries
    from geo_cluster.study import Study
    from geo_cluster.world.layers import Layers

policy = typer.Typer(
    help="推进：政策资金、目标、在推项目、补链。 Policy money, targets, projects under way, chain.",
    no_args_is_help=True,
)

LanguageOption = Annotated[Literal["zh", "en"], typer.Option("--lang", help="界面语言 / language")]
ScenarioArgument = Annotated[
    str,
    typer.Argument(
        help="情景名或 TOML 文件，算方案的项目；空则只算企业 / scenario whose plan counts; none: firms alone"
    ),
]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="输出文件夹 / folder for the tables")]
UntilOption = Annotated[int, typer.Option(help="算到哪年，0 为今后三年 / last year, 0: three from now")]
EnteredOption = Annotated[Path | None, typer.Option(help="填报的企业、产品、项目 CSV/XLSX / firms, products, projects")]


@policy.command()
def money(
    scenario: ScenarioArgument = "",
    firm: Annotated[list[str] | None, typer.Option(help="只看这些企业，编号或名称 / only these firms")] = None,
    entered: EnteredOption = None,
    reading: Annotated[list[str] | None, typer.Option(help="读法=选项，如 revenue=entity / reading=option")] = None,
    until: UntilOption = 0,
    out: OutOption = None,
    lang: LanguageOption = "zh",
) -> None:
    """What the policy pays firms and projects by year, who pays, what is not known. 政策资金测算。"""
    from geo_cluster.export import all_or_none, policy_tables
    from geo_cluster.policy import summary
    from geo_cluster.policy.money import money as worked_out
    from geo_cluster.policy.rules import chosen, known_option
    from geo_cluster.world.layers import Layers

    choices = dict(known_option(one) for one in reading or ())
    chosen(choices)
    if out:
        all_or_none.check_writable(out)
    study = _study(scenario)
    layers = Layers(study.scenario.layers if study else "")
    entries, notes = _entries(layers, study, entered, firm or [])
    how: dict[str, Any] = {"on": _day(study), "until": until or None, "choices": choices}
    found = worked_out(entries, **how)
    for one in summary.by_government(found, layers).to_dict("records"):
        terminal.line(
            f"{one[f'government_{lang}']}: {summary.amounts(one['low'], one['likely'], one['high'])} {_UNIT[lang]}"
        )
    rules = found.rules
    for one in summary.by_subject(found, entries.names).head(20).to_dict("records"):
        row = rules[one["rule"]].row
        years = summary.span_of_years(one["first_year"], one["last_year"])
        what = f"{one[f'name_{lang}']} · {row['short'][lang]} · {years}"
        terminal.line(f"  {what}: {summary.amounts(one['low'], one['likely'], one['high'])}")
    gaps = summary.asked(found, entries.names)
    for one in gaps.head(_SHOWN).to_dict("records"):
        terminal.line(f"? {one[f'name_{lang}']}: {one[f'gap_{lang}']}")
    if len(gaps) > _SHOWN:
        terminal.line(f"? … {len(gaps) - _SHOWN}")
    for doubt in found.doubts:
        terminal.line(f"! {doubt.words(lang)}")
    for note in notes:
        terminal.line(f"! {note[lang]}")
    if out:
        costs = summary.reading_costs(entries, **how)
        files = policy_tables.money_files(found, entries, costs, layers, day=_day(study), language=lang, notes=notes)
        _write(files, out)


@policy.command()
def targets(
    scenario: ScenarioArgument = "",
    entered: EnteredOption = None,
    actual: Annotated[Path | None, typer.Option(help="目标的实际值 CSV/XLSX / actual values of the targets")] = None,
    scope: Annotated[str, typer.Option(help="营收口径 / whose revenue: consolidated, entity, laser")] = "consolidated",
    until: UntilOption = 0,
    out: OutOption = None,
    lang: LanguageOption = "zh",
) -> None:
    """The policy's targets beside actual values, and which firms could climb. 政策目标与实际。"""
    from geo_cluster.box import door
    from geo_cluster.export import all_or_none, policy_tables
    from geo_cluster.policy import targets as aims
    from geo_cluster.policy.rules import chosen
    from geo_cluster.world.layers import Layers

    chosen({"revenue": scope})
    if out:
        all_or_none.check_writable(out)
    study = _study(scenario)
    layers = Layers(study.scenario.layers if study else "")
    entries, notes = _entries(layers, None, entered, [])
    notes = notes if study is None else (*notes, *_sample(study))
    actuals = aims.NO_ACTUALS if actual is None else aims.read(door.content_of(actual), actual.name)
    table = aims.targets(layers, entries, actuals, scope=scope)
    climbers = aims.climbers(entries, until=until or _day(study).year + 10, scope=scope)
    others, added = aims.others(layers, actuals), None if study is None else aims.added(study)
    for one in table.to_dict("records"):
        tier = f" ≥{one['tier']:g}" if one["tier"] == one["tier"] else ""
        actual_value = "?" if one["low"] != one["low"] else f"{one['low']:g}–{one['high']:g}"
        what = f"{one[f'scope_{lang}']} {one[f'name_{lang}']}{tier} {one['year']}"
        terminal.line(
            f"{what}: {actual_value} / {one['aim']:g} {one[f'unit_{lang}']} · {aims.STATES[one['state']][lang]}"
        )
    for one in climbers[climbers["earliest"].notna()].to_dict("records"):
        last = "…" if one["latest"] != one["latest"] else f"{one['latest']:.0f}"
        terminal.line(f"  {one[f'name_{lang}']} → {one['tier']:g}: {one['earliest']:.0f}–{last}")
    for one in others.to_dict("records"):
        what = f"{one['name_zh']} {one['metric_zh']} {one['year']}: {one['value']:g} {one['unit_zh']}"
        terminal.line(f"≠ {what}（{one[f'why_{lang}']}）")
    for note in notes:
        terminal.line(f"! {note[lang]}")
    if out:
        _write(policy_tables.targets_files(table, others, climbers, added=added, language=lang, notes=notes), out)


_UNIT = {"zh": "万元", "en": "x 10,000 yuan"}
_SHOWN = 10


def _study(scenario: str) -> Study | None:
    """The plan of a scenario; None where none is named."""
    from geo_cluster import study as pipeline
    from geo_cluster.scenarios import read_scenario

    if not scenario:
        return None
    settings, projects = read_scenario(scenario)
    return pipeline.run(settings, projects=projects)


def _day(study: Study | None) -> datetime.date:
    return study.day if study else datetime.date.today()


def _sample(study: Study) -> tuple[Text, ...]:
    from geo_cluster.export.policy_tables import WORDS

    return (WORDS["sample"],) if study.scenario.is_sample else ()


def _entries(
    layers: Layers, study: Study | None, entered: Path | None, firms: list[str]
) -> tuple[Entries, tuple[Text, ...]]:
    """What money is worked out from: shipped firms, what was entered, the plan's projects; and what to say of it."""
    from geo_cluster.box import door
    from geo_cluster.policy import entries as entry
    from geo_cluster.policy import known

    names = known.names(layers)
    found = known.firms(layers)
    if entered is not None:
        found = found.with_(entry.read(door.content_of(entered), entered.name, names))
    notes = tuple(found.notes)
    if firms:
        wanted = {names.firms.get(entry.folded(one), one) for one in firms}
        there = {*found.rows["subject"]}
        refuse_if(
            [
                Fault("policy.no_firm", Place("--firm"), value=one, known=sorted(there)[:20])
                for one in sorted(wanted - there)
            ]
        )
        return found.of(wanted), notes
    if study is not None:
        found, notes = found.with_(known.projects(study)), (*notes, *_sample(study))
    return found, notes


def _write(files: dict[str, bytes], out: Path) -> None:
    from geo_cluster.export import all_or_none

    def make(folder: Path) -> None:
        for name, content in files.items():
            (folder / name).write_bytes(content)

    terminal.line(f"{len(all_or_none.write_files(out, make))} files → {out}")


@policy.command()
def ledger(
    file: Annotated[
        Path | None, typer.Argument(help="台账 XLSX/CSV；不写则给模板与公开进展 / the ledger; without it the template")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / folder for the results")] = Path("ledger"),
    before: Annotated[
        Path | None, typer.Option(help="上周的台账，比较变化 / last week's ledger, to compare with")
    ] = None,
    day: Annotated[str, typer.Option(help="截至日期，如 2026-11-30；空为今天 / as of a day; today when empty")] = "",
    rule: Annotated[str, typer.Option(help="亮灯口径 / rule of the lights: wuhan, yinchuan, sanya")] = "wuhan",
    lang: LanguageOption = "zh",
) -> None:
    """项目台账：核对、亮灯、三张清单、周报。 Check a ledger of projects under way: lights, lists, weekly paper."""
    from geo_cluster.export import all_or_none

    all_or_none.check_writable(out)
    made, told = _without_file(lang) if file is None else _weekly(file, before, _written_day(day), _rule(rule), lang)

    def write(folder: Path) -> None:
        for name, content in made.items():
            (folder / name).write_bytes(content)

    files = all_or_none.write_files(out, write)
    for line in told:
        terminal.line(line)
    terminal.line(f"{len(files)} files → {out}")


def _without_file(lang: Literal["zh", "en"]) -> tuple[dict[str, bytes], list[str]]:
    """The template, and what was said in public of the policy's projects."""
    from geo_cluster.export.ledger_book import statements_book
    from geo_cluster.imports.under_way import template

    return {"ledger_template.xlsx": template(lang), "policy_projects.xlsx": statements_book(lang)}, []


def _weekly(
    file: Path, before: Path | None, day: datetime.date, rule: str, lang: Literal["zh", "en"]
) -> tuple[dict[str, bytes], list[str]]:
    """The ledger with lights and lists, the weekly paper, and lines to print."""
    from collections import Counter

    from geo_cluster.box import door
    from geo_cluster.imports.under_way import LedgerFile, read_ledger
    from geo_cluster.policy import lights, lists
    from geo_cluster.policy.places import places
    from geo_cluster.world.layers import Layers

    where, week_ago = places(Layers()), day - datetime.timedelta(days=7)
    read: dict[Path, LedgerFile] = {}
    faults: list[Fault] = []
    for path in filter(None, (before, file)):
        then = week_ago if path is before else day
        known = read[before].entries if path is file and before in read else {}
        read[path] = read_ledger(door.content_of(path), path.name, places=where, day=then, known=known)
        faults += read[path].faults
    refuse_if(faults)
    from geo_cluster.export.ledger_book import ledger_book
    from geo_cluster.export.weekly import WORDS, Week, weekly

    now = read[file].entries
    changed = lists.changes(read[before].entries, now, days=(week_ago, day), rule=rule) if before else None
    week = Week(now, changed, week_ago, day, where, rule)
    seen = Counter(lights.light(one, day, rule).colour for one in now.values())
    shown = " · ".join(f"{one[lang]} {seen[key]}" for key, one in lights.colours().items() if seen[key])
    listed = " · ".join(f"{WORDS[lang][key]} {len(found)}" for key, found in lists.the_three(now, day, rule).items())
    notes = [note[lang] for note in read[file].notes]
    return {"ledger.xlsx": ledger_book(week, lang), "weekly.docx": weekly(week, lang)}, [*notes, shown, listed]


def _written_day(text: str) -> datetime.date:
    """The day that somebody wrote, or today."""
    if not text:
        return datetime.date.today()
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise InputError(Fault("policy.not_a_date", "--day", value=text)) from None


def _rule(key: str) -> str:
    """A rule of the lights."""
    from geo_cluster.policy.lights import rules

    if key not in rules():
        raise InputError(Fault("policy.unknown_rule", "--rule", rule=key, known=list(rules())))
    return key


@policy.command()
def chain(
    candidate: Annotated[str, typer.Option(help="省外企业编号或名称：招商一张表 / firm outside Hubei: its sheet")] = "",
    near: Annotated[
        str, typer.Option(help="园区、企业或工厂的编号或名称：上下游 / a place by id or name: its partners")
    ] = "",
    bom: Annotated[
        Path | None, typer.Option(help="物料清单 CSV/XLSX：本地配套率 / bill of materials: local rate")
    ] = None,
    minutes: Annotated[float, typer.Option(min=1, help="公路分钟，多少算够得着 / minutes within reach")] = 120,
    output: Annotated[float, typer.Option(help="测算年产值，亿元 / assumed output, 100 M yuan")] = 1.0,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="输出文件夹 / folder for the files")] = None,
    scenario: Annotated[str, typer.Option(help="情景名或 TOML 文件 / shipped scenario or TOML file")] = "default",
    lang: LanguageOption = "zh",
) -> None:
    """Links that are missing, who could come, suppliers and buyers, local rate. 补链对接。"""
    from geo_cluster import terminal
    from geo_cluster.box import door
    from geo_cluster.export import all_or_none
    from geo_cluster.scenarios import read_for_others

    settings = read_for_others(scenario)
    if out:
        all_or_none.check_writable(out)
    from geo_cluster.export import candidate_paper, chain_book
    from geo_cluster.policy import bom as bills
    from geo_cluster.policy import chain as gaps
    from geo_cluster.policy import links, why_here
    from geo_cluster.region import prepare

    region = prepare(settings)
    files: dict[str, bytes] = {}
    if bom:
        rate = bills.read(door.content_of(bom), bom.name, region.layers)
        terminal.line(bills.sentence(rate)[lang])
        files["rate.xlsx"] = chain_book.rate_book(rate, lang)
    if candidate:
        sheet = why_here.why_here(region, candidate, output_100m_yuan=output)
        made = candidate_paper.outline_of(sheet, lang, day=str(settings.date))
        for line in [made.title, *made.about, *(f"{part.title}: {part.message}" for part in made.parts)]:
            terminal.line(line)
        files[f"{sheet.candidate['id']}.docx"] = candidate_paper.candidate_paper(
            sheet, language=lang, day=str(settings.date)
        )
    if near:
        found = links.linkage(region, links.focus_of(region, near))
        terminal.line(links.sentence(found, minutes)[lang])
        files["links.xlsx"] = chain_book.links_book(found, lang)
    if not (bom or candidate or near):
        for said in gaps.sentences(region.layers):
            terminal.line(said[lang])
        files["chain.xlsx"] = chain_book.chain_book(region.layers, lang)
    if out:

        def make(folder: Path) -> None:
            for name, content in files.items():
                (folder / name).write_bytes(content)

        terminal.line(f"{len(all_or_none.write_files(out, make))} files → {out}")
