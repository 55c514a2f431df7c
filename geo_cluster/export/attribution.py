"""Who the data is owed to: `ATTRIBUTION.md`, from the registry of layers."""

from __future__ import annotations

import re

from geo_cluster.domain import LANGUAGES
from geo_cluster.export.csv_tables import SAMPLE
from geo_cluster.study import Study
from geo_cluster.world import rule_life, sources
from geo_cluster.world.layers import Layers, row_layers

TALLY = (
    "各表共 {rows:,} 行，逐行标注发布者、来源类别、时点与可信度，{share} 四项俱全；"
    "{copies:,} 行的网址是转载，只供核对；{unnamed:,} 行没有具名的发布者；{undated:,} 行时点未载。",
    "Each of {rows:,} rows is marked with publisher, class, date and confidence, and {share} know all four; "
    "of {copies:,} the address is a copy, for checking only; {unnamed:,} name no publisher; {undated:,} bear no date.",
)


def attribution(study: Study) -> str:
    """Markdown: every layer with producer, licence, date and hash; what is sample, what is assumed."""
    name = plain(f"{study.scenario.name.zh} / {study.scenario.name.en}")
    lines = [
        "# 数据来源与许可 / Data sources and licences",
        "",
        f"情景 / Scenario: {name} (`{study.scenario.id}`)",
        "",
    ]
    if study.scenario.is_sample:
        lines += [f"**{SAMPLE}**", ""]
    shares = study.observations["basis"].value_counts()
    counts = ", ".join(f"{basis} {count}" for basis, count in shares.items())
    lines += [
        f"依据 / Basis of the numbers used: {counts}.",
        "`assumed`：无人公布、按类别假定的区间 / priors of a class, confirmed by nobody.",
        "",
        *_rules(study),
        *_owed(study.layers),
    ]
    return "\n".join(lines) + "\n"


def _rules(study: Study) -> list[str]:
    """The day of the study, and what of the rules is not in force on it."""
    said = [f"- {one.zh} / {one.en}" for one in rule_life.warnings(study.day)]
    return [
        f"测算日期 / Day of the study: {study.day}. 规则及有效期见 rules.csv / rules and their lives: rules.csv.",
        *said,
        "",
    ]


def layers_attribution(layers: Layers) -> str:
    """Markdown: every registered layer, without any study."""
    return "\n".join(["# 数据来源与许可 / Data sources and licences", "", *_owed(layers)]) + "\n"


def _told(layers: Layers) -> list[str]:
    """How many rows say who published them and when: of tables, the base map and networks not counted."""
    found = sources.tally(layers.read(name) for name in row_layers(layers.registry))
    said = {**found._asdict(), "share": f"{found.complete / max(found.rows, 1):.1%}"}
    return [*(sentence.format(**said) for sentence in TALLY), ""]


def _owed(layers: Layers) -> list[str]:
    shipped = {layer.licence_url for layer in Layers().registry.values()}  # whose addresses may be links
    lines = [
        *_told(layers),
        "地图公开发布须送审并标注审图号。 / Publishing a map needs a map review number (审图号).",
        "",
        "| 图层 / layer | 提供者 / producer | 许可 / licence | 署名 / attribution | 时点 / as of | SHA-256 |",
        "|---|---|---|---|---|---|",
    ]
    for layer in layers.registry.values():
        producer = " / ".join(dict.fromkeys(layer.text_in("producer", language) for language in LANGUAGES))
        title = f"{layer.title_zh} / {layer.title_en}"
        cells = [plain(cell) for cell in (title, producer, layer.licence, layer.attribution_en, layer.as_of)]
        if layer.licence_url in shipped:
            cells[2] = f"[{cells[2]}]({layer.licence_url})"
        lines.append(f"| {' | '.join(cells)} | `{layer.sha256[:16]}…` |")
    return lines


def plain(text: str) -> str:
    """Text from data as a cell of a Markdown table that shows it as it is: no link, image, code or further cell."""
    line = re.sub(r"\s+", " ", text).replace("|", "/")
    apart = re.sub(r":(?=//)|@|(?<=www)(?=\.)", "\\g<0>\u2060", line, flags=re.IGNORECASE)
    return re.sub(r"[\\`*\[\]<>~$]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", apart)
