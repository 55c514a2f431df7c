"""选址: the ranges behind an estimate, with the reference projects and this project on them."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import session, state
from app.session import t
from geo_cluster import toml
from geo_cluster.intake import references
from geo_cluster.world import catalog
from geo_cluster.world.layers import words

STYLE = """
<style>
.gc-strip { margin: .1rem 0 .7rem; font-size: .88rem; }
.gc-strip p { margin: 0 0 .15rem; overflow-wrap: anywhere; line-height: 1.45; }
.gc-strip small { color: #56636c; }
.gc-strip .gc-line { position: relative; height: 22px; background: #f1f4f4; border-radius: 4px; margin: 0 8px; }
.gc-strip .gc-line i { position: absolute; top: 5px; height: 12px; background: #b9d5d6; border-radius: 3px; }
.gc-strip .gc-line u { position: absolute; top: 2px; width: 2px; height: 18px; background: #0b6e75; margin-left: -1px; }
.gc-strip .gc-line b { position: absolute; top: 6px; width: 10px; height: 10px; margin-left: -5px; border-radius: 50%;
  background: #b4541a; border: 1px solid #fff; box-sizing: border-box; }
.gc-strip .gc-line b.weak { background: #fff; border: 2px solid #b4541a; }
.gc-strip .gc-line em { position: absolute; top: 4px; width: 12px; height: 12px; margin-left: -6px; background: #1d2b36;
  transform: rotate(45deg); border: 1px solid #fff; box-sizing: border-box; }
.gc-key { color: #56636c; font-size: .84rem; margin: 0 0 .6rem; line-height: 1.7; }
.gc-key span { white-space: nowrap; margin-right: 1.1rem; }
.gc-key i, .gc-key b, .gc-key em { display: inline-block; width: 10px; height: 10px; margin-right: .35rem;
  box-sizing: border-box; vertical-align: -1px; }
.gc-key i { width: 22px; background: #b9d5d6; border-radius: 3px; }
.gc-key b { background: #b4541a; border-radius: 50%; }
.gc-key b.weak { background: #fff; border: 2px solid #b4541a; }
.gc-key em { background: #1d2b36; transform: rotate(45deg); }
</style>
"""


def beside(project: pd.DataFrame) -> None:
    """Each range as a strip with reference projects and this one on it, and who published what."""
    language, segment = session.language(), str(project["segment"].iloc[0])
    found = references.references(state.layers(), segment)
    st.caption(t("score.references_note", n=toml.table("requirements")["thin_below"]))
    own, spans = references.own_ratios(project).iloc[0], references.ranges(segment).to_dict("records")
    is_given = bool(project["land_mu_given"].iloc[0])
    strips = "".join(_strip(span, found, own[span["ratio"]], is_given=is_given) for span in spans)
    st.html(STYLE + _key() + strips)
    if reason := catalog.segments()[segment].reason:
        st.caption(t("score.plot_ratio_reason", reason=reason[language]))
    if found.empty:
        st.caption(t("score.references_none"))
    else:
        _table(found)


def _key() -> str:
    marks = {"range": "<i></i>", "yes": "<b></b>", "weak": '<b class="weak"></b>', "own": "<em></em>"}
    said = (f"<span>{mark}{escape(t(f'score.reference_{name}'))}</span>" for name, mark in marks.items())
    return f'<p class="gc-key">{"".join(said)}</p>'


def _strip(span: dict[str, Any], found: pd.DataFrame, own: float, *, is_given: bool) -> str:
    """One range: a bar on a logarithmic line, a dot a reference project, a diamond this project."""
    language, ratio = session.language(), references.RATIOS[span["ratio"]]
    has = found[found[ratio.column].notna()]
    figures = has[ratio.column].astype(float).tolist()
    seen = [span["low"], span["high"], *figures, *([] if np.isnan(own) else [own])]
    start, end = np.log(min(seen) / 1.15), np.log(max(seen) * 1.15)

    def at(value: float) -> str:
        return f"{100 * (np.log(value) - start) / (end - start):.1f}%"

    width = f"{100 * np.log(span['high'] / span['low']) / (end - start):.1f}%"
    marks = f'<i style="left:{at(span["low"])};width:{width}"></i><u style="left:{at(span["likely"])}"></u>'
    for row, figure in zip(has.itertuples(), figures, strict=True):
        shade = "" if row.use_for_ranges == "yes" else ' class="weak"'
        marks += f'<b{shade} style="left:{at(figure)}" title="{row.id} {figure:g}"></b>'
    if not np.isnan(own):
        marks += f'<em style="left:{at(own)}" title="{escape(t("score.reference_own"))} {_number(own)}"></em>'
    unit = "" if ratio.unit.en == "1" else f" {ratio.unit[language]}"
    head = f"{ratio.name[language]} {_number(span['low'])}–{_number(span['high'])}{unit}"
    said = [span[f"basis_{language}"]]
    if not np.isnan(own):
        said.append(
            f"{t('score.reference_own')} {_number(own)} ({t('score.stated' if is_given else 'score.estimated')})"
        )
    said += [f"{row.id} {_number(figure)}" for row, figure in zip(has.itertuples(), figures, strict=True)]
    line = f"<p><b>{escape(head)}</b> <small>{escape(' · '.join(said))}</small></p>"
    return f'<div class="gc-strip">{line}<div class="gc-line" aria-hidden="true">{marks}</div></div>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _figures(column: pd.Series) -> list[str]:
    return [t("score.reference_unsaid") if np.isnan(one) else _number(one) for one in column.astype(float)]


def _table(found: pd.DataFrame) -> None:
    language, uses = session.language(), words("use_for_ranges")
    use = [uses[one][language] for one in found["use_for_ranges"]]
    behind = found["behind"] != ""
    table = pd.DataFrame(
        {
            t("score.reference_project"): found["id"] + " " + found["name_zh"],
            references.RATIOS["land"].unit[language]: _figures(found["mu_per_100m_output"]),
            references.RATIOS["floor"].unit[language]: _figures(found["m2_per_100m_output"]),
            references.RATIOS["plot_ratio"].name[language]: _figures(found["plot_ratio"]),
            t("score.reference_invested"): _figures(found["investment_10k_yuan_per_mu"]),
            t("score.reference_use"): np.where(behind, t("score.reference_behind") + "；" + pd.Series(use), use),
            t("score.reference_publisher"): found["publisher"],
            t("score.reference_date"): found["as_of"],
            t("score.reference_place"): found["place_zh"],
            t("score.reference_status"): found["status_zh"].fillna(""),
        }
    )
    st.dataframe(table, hide_index=True, height=min(36 * (len(table) + 1) + 2, 290))
