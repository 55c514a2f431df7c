"""Reference projects beside the ranges of `tables/requirements.toml`: what was announced, and where a project lies.

Every figure of a reference project is a plan at signing or a filing, not a result.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import RangeBasis, Segment, Text
from geo_cluster.world import catalog, plant_needs
from geo_cluster.world.layers import Layers, by_content, words

LAYER = "reference_projects"
DECISIONS = "siting_decisions"
"""Layer of real decisions, whose ids a range may name too."""


@dataclass(frozen=True)
class Ratio:
    """A figure in which plants of different size are compared."""

    column: str
    """Of the layer."""
    basis: str
    """Key in a segment's `basis`."""
    name: Text
    unit: Text


RATIOS = {
    "land": Ratio(
        "mu_per_100m_output", "land_mu", Text(zh="用地", en="Land"), Text(zh="亩/亿元", en="mu per 100 M yuan")
    ),
    "floor": Ratio(
        "m2_per_100m_output", "plot_ratio", Text(zh="建筑面积", en="Floor"), Text(zh="m²/亿元", en="m² per 100 M yuan")
    ),
    "plot_ratio": Ratio("plot_ratio", "plot_ratio", Text(zh="容积率", en="Plot ratio"), Text(zh="1", en="1")),
}
"""What a range and a reference project have in common. No reference project states its power or energy."""

_ABOUT = ("id", "name_zh", "place_zh", "year", "status_zh", "use_for_ranges", "use_note_zh")
_MORE = ("investment_10k_yuan_per_mu", "investment_per_output", "publisher", "as_of", "confidence", "notes")


def references(layers: Layers, segment: str) -> pd.DataFrame:
    """Reference projects of a segment that may be held against a range, and those that its ranges rest on.

    Columns of the layer, and `behind`: keys of the ranges that rest on it, `;`-separated. Projects that a range rests
    on come first, then those marked `yes`, then `weak`.
    """
    resting: dict[str, list[str]] = {}
    for key, basis in catalog.segments()[segment].basis.items():
        for one in (*basis.references, *basis.siting):
            resting.setdefault(one, []).append(key)
    table = pd.concat([pd.DataFrame(layers.read(LAYER)), _decisions(layers, resting)], ignore_index=True)
    table = table.assign(behind=[";".join(resting.get(one, ())) for one in table["id"]])
    usable = (table["segment"] == segment) & table["use_for_ranges"].isin(["yes", "weak"])
    found = table[usable | (table["behind"] != "")]
    order = np.lexsort((found["use_for_ranges"].map({"yes": 0, "weak": 1}).fillna(2), found["behind"] == ""))
    ratios = [ratio.column for ratio in RATIOS.values()]
    return found.iloc[order].reset_index(drop=True)[[*_ABOUT, *ratios, *_MORE, "behind"]]


def _decisions(layers: Layers, ids: Collection[str]) -> pd.DataFrame:
    """Siting decisions that a range rests on, with the columns of reference projects."""
    table = pd.DataFrame(layers.read(DECISIONS))
    table = table[table["id"].isin(list(ids))]
    land, floor, output, invested = (
        table[name].astype(float) for name in ("land_mu", "floor_m2", "output_100m_yuan", "investment_100m_yuan")
    )
    return table.assign(
        segment="",
        place_zh=table["city_zh"].fillna("") + table["county_zh"].fillna(""),
        year=table["announced"].astype(str).str[:4],
        status_zh=[words("decision_status")[one]["zh"] for one in table["status"]],
        use_for_ranges="yes",
        use_note_zh="",
        mu_per_100m_output=(land / output).round(2),
        m2_per_100m_output=(floor / output).round(),
        plot_ratio=(floor / land / plant_needs.M2_PER_MU).round(2),
        investment_10k_yuan_per_mu=(invested * 1e4 / land).round(),
        investment_per_output=(invested / output).round(2),
    )


def ranges(segment: str) -> pd.DataFrame:
    """Low, likely, high of each of `RATIOS`; what it rests on: `kind`, `sample`, `thin`, sentences."""
    one = catalog.segments()[segment]
    spans = {
        "land": plant_needs.spread([one.needs["land_mu"]])[0],
        "floor": plant_needs.floor_m2([one])[0],
        "plot_ratio": plant_needs.spread([one.plot_ratio])[0],
    }
    rows = []
    for key, ratio in RATIOS.items():
        basis = basis_of(one, ratio.basis)
        said, thin = basis_words(basis), is_thin(basis)
        if key == "floor":
            said, thin = Text(zh="用地×容积率", en="land × plot ratio"), thin or is_thin(basis_of(one, "land_mu"))
        ends = dict(zip(("low", "likely", "high"), spans[key].tolist(), strict=True))
        rows.append({"ratio": key, **ends, "kind": basis.kind, "sample": basis.sample, "thin": thin})
        rows[-1] |= {f"basis_{language}": said[language] for language in ("zh", "en")}
    return pd.DataFrame(rows)


def basis_of(segment: Segment, key: str) -> RangeBasis:
    """What a range of a segment rests on; an engineering estimate where the table says nothing."""
    return segment.basis.get(key, RangeBasis(kind="estimate"))


def is_thin(basis: RangeBasis) -> bool:
    """Fewer reference projects than can make a range, or none that has the figure itself."""
    return basis.kind == "derived" or basis.sample < toml.table("requirements")["thin_below"]


def basis_words(basis: RangeBasis) -> Text:
    """What a range rests on in a few words: kind, size of the sample, which."""
    kind = toml.table("requirements")["basis"][basis.kind]
    sample = Text(zh="无参考样本", en="no sample")
    if basis.sample:
        many = Text(zh=f"样本{basis.sample}个", en=f"sample of {basis.sample}")
        few = Text(zh=f"样本少（{basis.sample}个）", en=f"thin sample ({basis.sample})")
        sample = few if is_thin(basis) else many
    zh, en = [kind["zh"], sample.zh, basis.zh], [kind["en"], sample.en, basis.en]
    return Text(zh="，".join(filter(None, zh)), en="; ".join(filter(None, en)))


def own_ratios(projects: pd.DataFrame) -> pd.DataFrame:
    """Of each checked project the ratios that it states or is taken to have: `land`, likely; nan where nobody says."""
    land = projects["land_mu_likely"] / projects["output_100m_yuan"]
    return pd.DataFrame({"land": land}, index=projects.index).reindex(columns=list(RATIOS))


def beside(layers: Layers, projects: pd.DataFrame) -> pd.DataFrame:
    """A row for each project, ratio and reference project that has it: range, own and reference figure, publisher.

    `place` says where the reference figure lies (`below`, `within`, `above` the range); a ratio that no reference
    project has is one row without one.
    """
    own, parts = own_ratios(projects)[list(RATIOS)].to_numpy(float).round(4), []
    for segment, at in projects.groupby("segment", sort=False).indices.items():
        table = of_segment(layers, str(segment))
        ratio = table["ratio"].map(list(RATIOS).index).to_numpy()
        which, row = np.repeat(at, len(table)), np.tile(np.arange(len(table)), len(at))
        front = pd.DataFrame({"project": projects.index[which], "segment": segment})
        front["own"] = own[which, ratio[row]]
        given = projects["land_mu_given"].to_numpy(bool)[which]
        front["own_given"] = (table["ratio"] == "land").to_numpy()[row] & given
        parts.append(front.join(table.iloc[row].reset_index(drop=True)))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


@by_content(LAYER, DECISIONS, most=64)
def of_segment(layers: Layers, segment: str) -> pd.DataFrame:
    """A row for each ratio of a segment and reference project that has it; see `beside`."""
    found = references(layers, segment)
    rows = [_row(span, RATIOS[span["ratio"]], found) for span in ranges(segment).to_dict("records")]
    return pd.concat(rows, ignore_index=True)


def _row(span: dict, ratio: Ratio, found: pd.DataFrame) -> pd.DataFrame:
    has = found[found[ratio.column].notna()]
    table = pd.DataFrame(index=range(max(len(has), 1))).assign(**span)
    table[["low", "likely", "high"]] = table[["low", "likely", "high"]].round(4)
    named = has.reset_index(drop=True).rename(columns={"id": "reference", ratio.column: "figure"})
    columns = ["reference", *_ABOUT[1:], "figure", "publisher", "as_of", "confidence"]
    table = table.join(named[columns])
    figure = table["figure"].astype(float)
    where = np.select([figure.isna(), figure < span["low"], figure > span["high"]], ["", "below", "above"], "within")
    return table.assign(figure=figure, place=where, plan_zh="签约或申报时的规划值，不是结果")
