"""`geo-cluster policy`: what the policy pays, aims at and watches, as commands."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from geo_cluster import terminal
from geo_cluster.errors import Fault, InputError, refuse_if

policy = typer.Typer(
    help="推进：政策资金、目标、在推项目、补链。 Policy money, targets, projects under way, chain.",
    no_args_is_help=True,
)


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
    lang: Annotated[Literal["zh", "en"], typer.Option(help="结果的语言 / language of the results")] = "zh",
) -> None:
    """项目台账：核对、亮灯、三张清单、周报。 Check a ledger of projects under way: lights, lists, weekly paper."""
    from geo_cluster.export import bundle

    bundle.check_writable(out)
    made, told = _without_file(lang) if file is None else _weekly(file, before, _day(day), _rule(rule), lang)

    def write(folder: Path) -> None:
        for name, content in made.items():
            (folder / name).write_bytes(content)

    files = bundle.write_files(out, write)
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
    from geo_cluster.export.ledger_book import ledger_book
    from geo_cluster.export.weekly import WORDS, Week, weekly
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
    now = read[file].entries
    changed = lists.changes(read[before].entries, now, days=(week_ago, day), rule=rule) if before else []
    week = Week(now, changed, week_ago, day, where, rule)
    seen = Counter(lights.light(one, day, rule).colour for one in now.values())
    shown = " · ".join(f"{one[lang]} {seen[key]}" for key, one in lights.colours().items() if seen[key])
    listed = " · ".join(f"{WORDS[lang][key]} {len(found)}" for key, found in lists.the_three(now, day, rule).items())
    notes = [note[lang] for note in read[file].notes]
    return {"ledger.xlsx": ledger_book(week, lang), "weekly.docx": weekly(week, lang)}, [*notes, shown, listed]


def _day(text: str) -> datetime.date:
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


LanguageOption = Annotated[Literal["zh", "en"], typer.Option("--lang", help="语言 / language")]


@policy.command()
def chain(
    candidate: Annotated[str, typer.Option(help="省外企业编号或名称：招商一张表 / firm outside Hubei: its sheet")] = "",
    near: Annotated[str, typer.Option(help="园区、企业或工厂编号：上下游 / a place: suppliers and buyers")] = "",
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
    from geo_cluster.export import bundle, candidate_paper, chain_book
    from geo_cluster.policy import bom as bills
    from geo_cluster.policy import chain as gaps
    from geo_cluster.policy import links, why_here
    from geo_cluster.region import prepare
    from geo_cluster.scenarios import read_for_others

    settings = read_for_others(scenario)
    if out:
        bundle.check_writable(out)
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

        terminal.line(f"{len(bundle.write_files(out, make))} files → {out}")
