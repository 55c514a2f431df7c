"""Who the data is owed to: `ATTRIBUTION.md`, from the registry of layers."""

from __future__ import annotations

from geo_cluster import catalog
from geo_cluster.domain import LANGUAGES
from geo_cluster.export.tables import SAMPLE
from geo_cluster.study import Study


def attribution(study: Study) -> str:
    """Markdown: every layer with producer, licence, date and hash; what is sample, what is assumed."""
    lines = [
        "# 数据来源与许可 / Data sources and licences",
        "",
        f"情景 / Scenario: {study.scenario.name.zh} / {study.scenario.name.en} (`{study.scenario.id}`)",
        "",
    ]
    if study.scenario.is_sample:
        lines += [f"**{SAMPLE}**", ""]
    shares = study.observations["basis"].value_counts()
    told = ", ".join(f"{basis} {count}" for basis, count in shares.items())
    lines += [
        f"依据 / Basis of the numbers used: {told}.",
        "`assumed`：无人公布、按类别假定的区间 / priors of a class, confirmed by nobody.",
        "",
        *_owed(study.scenario.layers),
    ]
    return "\n".join(lines) + "\n"


def layers_attribution(folder: str = "") -> str:
    """Markdown: every registered layer, those in `folder` in place of the shipped ones, without any study."""
    return "\n".join(["# 数据来源与许可 / Data sources and licences", "", *_owed(folder)]) + "\n"


def _owed(folder: str) -> list[str]:
    lines = [
        "地图公开发布须送审并标注审图号。 / Publishing a map needs a map review number (审图号).",
        "",
        "| 图层 / layer | 提供者 / producer | 许可 / licence | 署名 / attribution | 时点 / as of | SHA-256 |",
        "|---|---|---|---|---|---|",
    ]
    for layer in catalog.registry(folder).values():
        licence = f"[{layer.licence}]({layer.licence_url})" if layer.licence_url else layer.licence
        producer = " / ".join(dict.fromkeys(layer.said("producer", language) for language in LANGUAGES))
        title = f"{layer.title_zh} / {layer.title_en}"
        cells = (title, producer, licence, layer.attribution_en, layer.as_of)
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + f" | `{layer.sha256[:16]}…` |")
    return lines
