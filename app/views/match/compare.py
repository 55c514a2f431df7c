"""Plans of any age side by side: those of this visit and those kept with works; two in detail, several as a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.texts import short
from app.views.match import change
from app.widgets import clock, plain, text_table
from geo_cluster import toml
from geo_cluster.errors import GeoClusterError
from geo_cluster.export.plans_book import plans_book
from geo_cluster.region import pool_name
from geo_cluster.report import comparison, plans
from geo_cluster.report.plans import Plan
from geo_cluster.report.tables import words_of
from geo_cluster.study import Study
from geo_cluster.workspace.repository import PROJECTS, ListedPlan
from geo_cluster.world import layers, portfolio

NOW, BEFORE = "now", "before"
ROWS = 200
"""Projects that the matrix shows; the spreadsheet has all."""
MOST = 8
"""Plans side by side."""


def compare(study: Study) -> None:
    """Choose plans; their numbers, who goes where in each, what each city gets, and two of them in detail."""
    kept = {f"{one.work}:{one.id}": one for one in state.desk().plans() if not _is_shown(one, study)}
    before = state.previous_study()
    there = [NOW, *([BEFORE] if before is not None and before.key != study.key else []), *kept]
    st.caption(t("plans.note"))
    if len(there) < 2:
        st.info(t("plans.one"), icon=":material/compare_arrows:")
        return
    labels = {key: _label(key, study, kept) for key in there}
    choose, name = st.columns([5, 1], vertical_alignment="bottom")
    chosen = choose.multiselect(
        t("plans.choose"),
        there,
        default=there[:2],
        format_func=lambda key: labels.get(key, key),
        max_selections=MOST,
        key=session.spoken("plans-chosen"),
    )
    if len(chosen) < 2:
        st.info(t("plans.two"), icon=":material/compare_arrows:")
        return
    with name.popover(t("plans.name"), icon=":material/edit:", width="stretch", key="plans-names"):
        called = _names(chosen, labels)
    several = _loaded(chosen, called, study, kept)
    if len(several) > 1:
        _draw(study, several)


def _is_shown(one: ListedPlan, study: Study) -> bool:
    """Whether a kept plan is the one that the page shows."""
    saved = state.saved()
    return saved is not None and one.work == saved.id and one.scenario_id == study.scenario.id


def _label(key: str, study: Study, kept: Mapping[str, ListedPlan]) -> str:
    """Which plan it is: name, what was done last, level, how many are placed, when."""
    language, levels = session.language(), layers.words("planning_level")
    if key in (NOW, BEFORE):
        shown = study if key == NOW else state.previous_study() or study
        at, (placed, of) = state.run_at(shown), shown.counts
        parts = [t(f"plans.{key}"), shown.scenario.name[language], levels[shown.scenario.planning_level][language]]
        return " · ".join([*parts, f"{placed}/{of}", *([clock(at)] if at else [])])
    one = kept[key]
    level = levels.get(one.level, {}).get(language, one.level)
    note = one.note if len(one.note) <= 24 else f"{one.note[:23]}…"
    return " · ".join(filter(None, (one.name[language], note, level, f"{one.placed}/{one.of}", clock(one.at))))


def _names(chosen: Sequence[str], labels: Mapping[str, str]) -> dict[str, str]:
    """What each plan is called here, to be typed over; no two alike."""
    kept: dict[str, str] = session.kept("plan-names") or {}
    called: dict[str, str] = {}
    for number, key in enumerate(chosen):
        default = kept.get(key) or t("plans.called", letter=t("plans.letters")[number])
        typed = (
            st.text_input(plain(labels[key]), value=default, max_chars=40, key=f"plan-name-{key}").strip() or default
        )
        if typed != default:
            kept = kept | {key: typed}
        called[key] = typed if typed not in called.values() else f"{typed} {number + 1}"
    session.keep("plan-names", kept)
    return called


def _loaded(
    chosen: Sequence[str], called: Mapping[str, str], study: Study, kept: Mapping[str, ListedPlan]
) -> list[Plan]:
    """The plans, kept ones checked anew; of one whose data is other now, only who goes where."""
    found, older = [], []
    place = st.empty()
    for number, key in enumerate(chosen):
        own = {NOW: study, BEFORE: state.previous_study()}.get(key)
        if own is None:
            place.progress(number / len(chosen), t("plans.reading", name=plain(called[key])))
            try:
                plan = state.desk().plan(kept[key].work, kept[key].id)
                own = cached.study_again(plan)
            except GeoClusterError:
                st.warning(t("plans.unreadable", name=plain(called[key])), icon=":material/error:")
                continue
            if own is None:
                content = plan.work.files.get(PROJECTS) or portfolio.path_of(plan.work.scenario.portfolio).read_bytes()
                checked, _ = cached.projects_faults(content)
                known = {one: one for one in plan.placed} if checked is None else checked["name"].to_dict()
                city = study.sites.set_index("id")["prefecture_code"].to_dict()
                found.append(Plan(called[key], known, plan.placed, city))
                older.append(called[key])
                continue
        found.append(plans.plan_of(own, called[key]))
    place.empty()
    if older:
        st.info(t("plans.other_data", names=plain(t("comma").join(older))), icon=":material/history:")
    return found


def _draw(study: Study, several: list[Plan]) -> None:
    language = session.language()
    names = {key: one[language] for key, one in study.region.names.items()}
    choices = plans.choices_table(several)
    robust = plans.robust_table(choices)
    same = int(robust["same"].sum())
    st.markdown(t("plans.robust", n=same, of=len(robust), plans=len(several), moved=len(robust) - same))
    _numbers(several)
    colours = _colours(choices)
    _matrix(several, choices, robust, names, colours)
    _cities(several, choices, names, colours)
    st.download_button(
        t("plans.take"),
        lambda: plans_book(several, names, language),
        file_name=f"plans_{study.day}.xlsx",
        icon=":material/download:",
        on_click="ignore",
        key="plans-book",
    )
    _two(several)


def _numbers(several: list[Plan]) -> None:
    """A row a plan: what it comes to."""
    language, levels = session.language(), layers.words("planning_level")
    rows = []
    for one in plans.numbers_table(several).itertuples():
        known = one.status != ""
        proof = t("match.optimal") if one.status == "optimal" else t("match.gap_of", gap=one.gap) if known else "—"
        rows.append(
            (
                one.plan,
                f"{one.placed} / {one.of}",
                f"{one.mean_score:.1f}" if known else "—",
                f"{one.objective:,.1f}" if known else "—",
                levels[one.level][language] if known else "—",
                proof,
                str(one.elsewhere),
            )
        )
    heads = ["plans.plan", "match.placed", "match.mean_score", "match.objective", "match.level", "match.proof"]
    text_table([*(t(key) for key in heads), t("plans.elsewhere")], rows, named=True)


def _colours(choices: pd.DataFrame) -> dict[str, str]:
    """Prefecture -> colour, in the order in which they come."""
    codes, known = sorted(one for one in set(choices["prefecture"]) if one), list(toml.table("style")["stage"].values())
    return {code: known[number % len(known)] for number, code in enumerate(codes)}


def _matrix(
    several: list[Plan],
    choices: pd.DataFrame,
    robust: pd.DataFrame,
    names: Mapping[str, str],
    colours: Mapping[str, str],
) -> None:
    """Projects × plans: site and score, tinted by city; what differs comes first."""
    order = robust.sort_values(["same"], kind="stable").head(ROWS)
    cells = choices.set_index(["project", "plan"])
    body = []
    for row in order.itertuples():
        line = [f'<th scope="row">{escape(row.project_name or row.project)}</th>']
        for plan in several:
            cell = cells.loc[(row.project, plan.name)]
            where = short(names.get(cell["site"], cell["site"])) or t(
                "match.nowhere" if cell["known"] else "plans.unknown"
            )
            points = "" if pd.isna(cell["score"]) else f" <small>{cell['score']:.1f}</small>"
            tint = f' style="background:{colours[cell["prefecture"]]}22"' if cell["prefecture"] else ' class="gc-none"'
            line.append(f"<td{tint}>{escape(where)}{points}</td>")
        agreed = t(
            "plans.same" if row.same else "plans.apart" if row.count == 1 else "plans.most", n=row.count, of=row.of
        )
        body.append(f"<tr>{''.join(line)}<td>{escape(agreed)}</td></tr>")
    heads = [t("match.project"), *(plan.name for plan in several), t("plans.agreed")]
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    chips = "".join(
        f'<span class="gc-chip"><i style="background:{colour}"></i>{escape(names.get(code, code))}</span>'
        for code, colour in colours.items()
    )
    st.html(
        f'<div class="gc-chips">{chips}</div><div class="gc-scroll" tabindex="0" role="region" '
        f'aria-label="{escape(t("plans.matrix"), quote=True)}"><table class="gc-plans"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )
    if len(robust) > ROWS:
        st.caption(t("plans.more", n=len(robust) - ROWS))


def _cities(several: list[Plan], choices: pd.DataFrame, names: Mapping[str, str], colours: Mapping[str, str]) -> None:
    """City by city: projects of each plan and their share of the placed ones."""
    shares = plans.shares_table(several, choices).set_index(["prefecture", "plan"])
    rows = []
    for code in colours:
        line = [names.get(code, code)]
        for plan in several:
            one = shares.loc[(code, plan.name)]
            line.append("—" if pd.isna(one["share"]) else f"{one['projects']:g} · {one['share']:.0%}")
        rows.append(line)
    st.subheader(t("plans.cities"), anchor=False)
    text_table([t("cities.city"), *(plan.name for plan in several)], rows, named=True)


def _two(several: list[Plan]) -> None:
    """Two plans in detail: who moved and why, and which pools that changes."""
    st.subheader(t("plans.detail"), anchor=False)
    called = [plan.name for plan in several]
    first, second = called[0], called[1]
    if len(several) > 2:
        left, right = st.columns(2)
        first = left.selectbox(t("plans.from"), called, index=0, key=f"plans-from-{called}")
        second = right.selectbox(t("plans.to"), called, index=1, key=f"plans-to-{called}")
    old, new = (several[called.index(one)].study for one in (first, second))
    if first == second or old is None or new is None:
        st.caption(t("plans.no_detail"))
        return
    table = comparison.difference_table(old, new)
    st.markdown(t("plans.differ", n=len(table), placed=change.placed(old, new)))
    change.show(table, old, new)
    _pools(new, plans.pools_difference(old, new))


def _pools(study: Study, table: pd.DataFrame) -> None:
    """Pools whose use or room differs."""
    if table.empty:
        return
    language, rows = session.language(), []
    for one in table.head(20).itertuples():
        offer, unit = words_of(one.resource, language)
        name = f"{pool_name(study.region, one.resource, one.pool)[language]} · {offer}"
        amounts = [
            f"{a:,.1f} → {b:,.1f}"
            for a, b in ((one.used_before, one.used_after), (one.planned_before, one.planned_after))
        ]
        rows.append((name, *amounts, unit))
    heads = [t("col.pool"), t("col.used"), t("col.planned"), t("plans.unit")]
    text_table(heads, rows, named=True)
