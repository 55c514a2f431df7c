"""`geo-cluster policy`: what the policy pays, aims at and watches, as commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

policy = typer.Typer(
    help="推进：政策资金、目标、在推项目、补链。 Policy money, targets, projects under way, chain.",
    no_args_is_help=True,
)

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
