"""选址: weights by sliders, by swings or by pairs, and at once what they do to the ranking."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from html import escape
from itertools import combinations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app import session
from app.session import t
from app.texts import short
from app.views.score import case
from app.views.score.link import METHODS
from app.widgets import refusals
from geo_cluster import toml
from geo_cluster.domain import Criterion
from geo_cluster.intake import site_choice
from geo_cluster.intake.site_choice import Weighed
from geo_cluster.report.spread import leading_cause, spread_table
from geo_cluster.scoring.spread import spread_shares
from geo_cluster.scoring.weights import Ahp, ahp, hierarchical
from geo_cluster.world import catalog

SCALE = (9, 8, 7, 6, 5, 4, 3, 2, 1, -2, -3, -4, -5, -6, -7, -8, -9)
"""Saaty's scale: how many times more important the first is; below 0, the second."""
SHOWN = 10
MOST = 50.0
"""End of a slider."""


@st.fragment
def weights(weighed: Weighed) -> None:
    """Set weights in one of three ways; nothing is kept before somebody says so."""
    with refusals():
        words = {method: t(f"score.{method}") for method in METHODS}
        method = st.segmented_control(
            t("score.method_of_weights"),
            METHODS,
            format_func=words.__getitem__,
            key=session.show("score-way", session.typed("score-way", case.method())),
            required=True,
        )
        method = method or METHODS[0]
        left, right = st.columns([1.1, 1], gap="large")
        with left:
            trial = {"sliders": _sliders, "swing": _swing, "ahp": _pairs}[method](weighed)
        with right:
            st.subheader(t("score.effect"), anchor=False)
            is_same = trial is None or np.allclose(
                site_choice.weigh(weighed.choice, trial).stated, weighed.stated, atol=1e-3
            )
            if trial is not None:
                _effect(weighed, site_choice.weigh(weighed.choice, trial))
            with st.container(horizontal=True):
                keep = st.button(t("score.keep_weights"), type="primary", disabled=is_same, key="weights-keep")
                reset = st.button(
                    t("score.declared"),
                    disabled=not case.scenario().weights,
                    key="weights-reset",
                    icon=":material/undo:",
                )
        if keep and trial is not None:
            case.keep_weights(trial, t("score.noted", method=words[method]))
            st.rerun()
        if reset:
            case.keep_weights({}, t("score.noted_declared"))
            st.rerun()
        _difference(weighed)
        case.into_address()


def _start(method: str, what: str, weighed: Weighed, start: float) -> str:
    """Key of a judgement's widget, which begins where an earlier look or a link left it, else at `start`."""
    key = _key(method, what, weighed)
    return session.show(key, session.typed(key, case.tried(method).get(what, start)))


def _tried(method: str, weighed: Weighed, starts: Mapping[str, float]) -> dict[str, float]:
    """The judgements that were moved from where they began; they are remembered."""
    now = {what: session.typed(_key(method, what, weighed), start) for what, start in starts.items()}
    moved = {what: value for what, value in now.items() if value != starts[what]}
    case.try_weights(method, moved)
    return moved


def _key(method: str, what: str, weighed: Weighed) -> str:
    """A widget's key; it begins anew when other weights are kept."""
    kept = hashlib.sha256(json.dumps(weighed.stated.round(6).tolist()).encode()).hexdigest()[:8]
    return f"weight-{method}-{what}-{kept}"


def _by_theme() -> dict[str, dict[str, Criterion]]:
    declared = catalog.criteria()
    return {theme: {key: one for key, one in declared.items() if one.theme == theme} for theme in catalog.themes()}


def _sliders(weighed: Weighed) -> dict[str, float] | None:
    """Relative weights; each label says its share of the total."""
    language, themes = session.language(), catalog.themes()
    st.caption(t("score.sliders_help"))
    stated = zip(catalog.criteria(), (100 * weighed.stated).round(1).tolist(), strict=True)
    start = {key: min(one, MOST) for key, one in stated}
    keys = {key: _start("sliders", key, weighed, start[key]) for key in start}
    now = {key: session.typed(keys[key], start[key]) for key in start}
    _tried("sliders", weighed, start)
    alike = weighed.choice.alike if any(now[key] for key in now.keys() - weighed.choice.alike) else frozenset()
    force = {key: 0.0 if key in alike else value for key, value in now.items()}
    total = sum(force.values())
    columns = st.columns(2, gap="medium")
    for at, (theme, criteria) in enumerate(_by_theme().items()):
        with columns[at % 2]:
            share = sum(force[key] for key in criteria) / total if total else 0.0
            st.markdown(f"**{themes[theme][language]} · {share:.0%}**")
            for key, one in criteria.items():
                label = f"{one.name[language]} · {force[key] / total if total else 0:.1%}"
                st.slider(label, 0.0, MOST, step=0.1, key=keys[key], format="%.1f")
                if key in alike:
                    st.caption(t("score.given_back", stated=f"{now[key]:.1f}"))
                if key in weighed.choice.notes:
                    st.caption(weighed.choice.notes[key][language])
    if not total:
        st.warning(t("score.zero"))
        return None
    return {key: round(value, 1) for key, value in now.items()}


def _swing(weighed: Weighed) -> dict[str, float] | None:
    """Swing weights: what moving each criterion from its worst to its best is worth, the most wanted 100."""
    language = session.language()
    st.caption(t("score.swing_help"))
    points = {}
    start = {
        key: round(100 * one / weighed.stated.max())
        for key, one in zip(catalog.criteria(), weighed.stated, strict=True)
    }
    columns = st.columns(2, gap="medium")
    for at, (key, one) in enumerate(catalog.criteria().items()):
        span = {"worst": f"{one.worst:g}", "best": one.amount(f"{one.best:g}", language)}
        points[key] = columns[at % 2].slider(
            t("score.swing_span", name=one.name[language], **span),
            0,
            100,
            key=_start("swing", key, weighed, start[key]),
        )
    _tried("swing", weighed, start)
    if max(points.values()) != 100:
        st.warning(t("score.swing_100", largest=max(points.values())))
        return None
    return {key: float(value) for key, value in points.items()}


def _pairs(weighed: Weighed) -> dict[str, float] | None:
    """The analytic hierarchy process: themes against each other, then criteria within each theme.

    Before anybody judged there is nothing to try: the scale has no judgement as fine as most weights.
    """
    language, themes = session.language(), catalog.themes()
    st.caption(t("score.ahp_help"))
    weight = dict(zip(catalog.criteria(), weighed.stated, strict=True))
    groups = _by_theme()
    shares = {theme: sum(weight[key] for key in criteria) for theme, criteria in groups.items()}
    starts = _starts("themes", shares)
    for theme, criteria in groups.items():
        starts |= _starts(theme, {key: weight[key] for key in criteria})
    moved = _tried("ahp", weighed, starts)
    if not moved:
        st.info(t("score.no_judgement"), icon=":material/balance:")
    with st.expander(t("score.ahp_themes"), expanded=True):
        names = {theme: name[language] for theme, name in themes.items()}
        between = _grid("themes", names, starts, weighed, told=bool(moved))
    within = {}
    for theme, criteria in groups.items():
        with st.expander(themes[theme][language]):
            names = {key: one.name[language] for key, one in criteria.items()}
            within[theme] = _grid(theme, names, starts, weighed, told=bool(moved))
    if not moved:
        return None
    found = hierarchical(between, within)
    return {key: round(100 * found[key], 3) for key in weight}


def _starts(group: str, weight: dict[str, float]) -> dict[str, float]:
    """The judgement of each pair of a group that is nearest to the present weights."""
    return {f"{group}-{one}-{other}": _nearest(weight[one], weight[other]) for one, other in combinations(weight, 2)}


def _grid(
    group: str, names: dict[str, str], starts: dict[str, float], weighed: Weighed, *, told: bool
) -> dict[str, float]:
    """Judge each pair of a group; `told`: the matrix that follows, its consistency, which judgement fits least."""
    ids = list(names)
    matrix = np.eye(len(ids))
    for i, j in combinations(range(len(ids)), 2):
        what = f"{group}-{ids[i]}-{ids[j]}"
        said = st.select_slider(
            t("score.pair", one=names[ids[i]], other=names[ids[j]]),
            SCALE,
            format_func=_words(),
            key=_start("ahp", what, weighed, starts[what]),
        )
        matrix[i, j] = said if said > 0 else -1 / said
        matrix[j, i] = 1 / matrix[i, j]
    found = ahp(matrix)
    weight = dict(zip(ids, found.weights.tolist(), strict=True))
    if not told:
        return weight
    row, column, implied = found.odd_judgement
    is_odd = found.consistency_ratio > 0.1
    st.html(_matrix(matrix, list(names.values()), (row, column) if is_odd else None, found))
    ratio = t("score.ratio", ratio=f"{found.consistency_ratio:.3f}")
    if is_odd:
        pair = {"one": names[ids[row]], "other": names[ids[column]]}
        st.warning(f"{ratio}\n\n" + t("score.odd", said=f"{matrix[row, column]:.2g}", implied=f"{implied:.2g}", **pair))
    else:
        st.caption(ratio)
    return weight


def _nearest(one: float, other: float) -> int:
    """The judgement nearest to the ratio of two weights."""
    one, other = max(one, 1e-9), max(other, 1e-9)
    times = min(round(max(one, other) / min(one, other)), 9)
    return times if one >= other or times == 1 else -times


def _words() -> Callable[[int], str]:
    """How each judgement reads, in the visitor's language."""
    text = {value: t("score.more", times=value) if value > 0 else t("score.less", times=-value) for value in SCALE}
    return (text | {1: t("score.equal")}).__getitem__


def _matrix(matrix: np.ndarray, names: list[str], odd: tuple[int, int] | None, found: Ahp) -> str:
    """The grid of judgements, the odd one framed and marked."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = ""
    for i, name in enumerate(names):
        cells = "".join(
            f'<td class="{"gc-odd" if odd in ((i, j), (j, i)) else ""}">{_ratio(matrix[i, j])}'
            f"{' ⚠' if odd in ((i, j), (j, i)) else ''}</td>"
            for j in range(len(names))
        )
        rows += f'<tr><th scope="row">{escape(name)}</th>{cells}<td><b>{found.weights[i]:.1%}</b></td></tr>'
    style = (
        "<style>.gc-grid{border-collapse:collapse;font-size:.82rem;width:100%;font-variant-numeric:tabular-nums}"
        ".gc-grid th,.gc-grid td{border:1px solid #dfe4e3;padding:.25rem .4rem;text-align:center;font-weight:400;"
        "overflow-wrap:anywhere}.gc-grid .gc-odd{outline:2px solid #b4541a;font-weight:700}</style>"
    )
    corner = f'<td aria-hidden="true"></td>{head}<th scope="col">{t("score.weight")}</th>'
    return f'{style}<table class="gc-grid"><thead><tr>{corner}</tr></thead><tbody>{rows}</tbody></table>'


def _ratio(value: float) -> str:
    return f"{value:.0f}" if value >= 1 else f"1/{1 / value:.0f}"


def _effect(kept: Weighed, trial: Weighed) -> None:
    """Who is first with the trial weights, how surely, and who moves."""
    if not kept.choice.sites:
        return
    language = session.language()
    old, new = int(kept.order[0]), int(trial.order[0])
    shares = {"before": f"{kept.acceptability[new, 0]:.0%}", "after": f"{trial.acceptability[new, 0]:.0%}"}
    key = "score.effect_same" if old == new else "score.effect_new"
    names = {"first": trial.name(new, language)} | ({} if old == new else {"old": kept.name(old, language)})
    moved = int((np.argsort(kept.order) != np.argsort(trial.order)).sum())
    text = t(key, **names, **shares) + " " + t("score.moved", n=moved)
    st.html(f'<div class="gc-told" role="status">{escape(text)}</div>')
    st.altair_chart(_effect_chart(kept, trial), width="stretch")


def _difference(weighed: Weighed) -> None:
    """What makes the difference between the project's sites: weights stated and in force, share of the spread."""
    language = session.language()
    share = spread_shares(weighed.points)
    table = spread_table(share, weighed.stated, weighed.weight, weighed.choice.notes)
    st.subheader(t("score.difference"), anchor=False)
    st.html(f'<div class="gc-told">{escape(leading_cause(table)[language])}</div>')
    shown = pd.DataFrame(
        {
            "name": table[f"name_{language}"],
            "stated": [f"{one:.1%}" for one in table["weight_stated"]],
            "force": [f"{one:.1%}" for one in table["weight"]],
            "share": [f"{one:.0%}" for one in table["share"]],
            "note": table[f"note_{language}"],
        }
    )
    columns = ("name", "stated", "force", "share", "note")
    config = {key: st.column_config.Column(t(f"score.difference_{key}")) for key in columns}
    st.dataframe(shown, hide_index=True, column_config=config, width="stretch")
    st.caption(t("score.difference_caption"))


def _effect_chart(kept: Weighed, trial: Weighed) -> alt.LayerChart:
    """Score of the best sites, before (hollow) and with the trial weights (filled)."""
    language, places = session.language(), trial.order[:SHOWN]
    rank = np.argsort(kept.order)
    labels = [f"{at + 1}. {short(trial.name(place, language))}" for at, place in enumerate(places)]
    moves = [f"{rank[place] + 1} → {at + 1}" for at, place in enumerate(places)]
    shown = pd.DataFrame({"site": labels, "now": kept.score[places], "trial": trial.score[places], "move": moves})
    page = toml.table("style")["page"]
    base = alt.Chart(shown).encode(y=alt.Y("site:N", sort=labels, title=None, axis=alt.Axis(labelLimit=160)))
    scale = alt.Scale(zero=False, nice=True)
    tips = [
        alt.Tooltip("site:N", title=t("col.site")),
        alt.Tooltip("now:Q", title=t("score.now"), format=".1f"),
        alt.Tooltip("trial:Q", title=t("score.trial"), format=".1f"),
        alt.Tooltip("move:N", title=t("score.place_name")),
    ]
    line = base.mark_rule(color="#9fb3b5", strokeWidth=2).encode(
        x=alt.X("now:Q", scale=scale, title=f"{t('score.now')} ○ → {t('score.trial')} ●"), x2="trial:Q"
    )
    before = base.mark_point(size=80, color=page["ink"], filled=False, strokeWidth=1.6).encode(x="now:Q", tooltip=tips)
    after = base.mark_circle(size=95, color=page["accent"], opacity=1).encode(x="trial:Q", tooltip=tips)
    return (line + before + after).properties(height=28 * max(len(labels), 2) + 40)
