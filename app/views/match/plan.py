"""The plan as a table in which a project is locked, ruled out of its site or sent elsewhere by a click."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.views.match import asking, edit, openings, parts, portfolio, to_ledger
from app.widgets import marked, sheet_links, text_table
from geo_cluster.domain import Pair, Scenario
from geo_cluster.report import explanation, tables, what_if
from geo_cluster.study import Study
from geo_cluster.world import catalog, splitting
from geo_cluster.world.portfolio import PER_MU

DECIDED = ["keep", "ban", "send"]
TRIED = "试算：为落地假定放宽，待核实 / supposed to let a project in, to be verified"
"""Source of a number that a placement option supposes; it shows wherever the number does."""


def table(study: Study) -> None:
    """Where each project goes, with a lock, a ban and another site to choose."""
    names = edit.site_names(study)
    now = _rows(study, names)
    rows, key = edit.opened(
        "plan",
        now,
        mark=f"{study.key}-{session.language()}",
        agrees=lambda edited: edited[DECIDED].fillna("").equals(now[DECIDED].fillna("")),
    )
    st.caption(t("match.lock_note"))
    shown = {"project": "match.project", "site": "col.site", "keep": "match.keep", "ban": "match.ban"}
    shown |= {"score": "col.score", "interval": "col.interval", "rank": "col.rank"}
    shown |= {"from_year": "col.from_year", "conditions": "col.conditions"}
    shown |= {"standard_land": "col.standard_land", "segment": "col.segment", "prefecture": "col.prefecture"}
    number, kinds = st.column_config.NumberColumn, catalog.resources().values()
    config: dict[str, Any] = {
        kind.need: number(kind.title(session.language()), format=f"%,.{kind.digits}f") for kind in kinds
    }
    config["trip_min"] = number(t("col.drive"), format="%.0f")
    config |= {key: st.column_config.Column(catalog.door_indicators()[key].title(session.language())) for key in PER_MU}
    order = [*shown, *config]
    config["standard_land"] = st.column_config.Column(t("col.standard_land"), help=t("col.standard_land_help"))
    config["conditions"] = st.column_config.Column(t("col.conditions"), help=t("col.conditions_help"), width="medium")
    config["from_year"] = number(t("col.from_year"), format="%d", width="small")
    config["score"] = st.column_config.ProgressColumn(t("col.score"), format="%.1f", min_value=0, max_value=100)
    config["keep"] = st.column_config.CheckboxColumn(t("match.keep"), help=t("match.keep_help"), width="small")
    config["ban"] = st.column_config.CheckboxColumn(t("match.ban"), help=t("match.ban_help"), width="small")
    config |= {key: st.column_config.Column(t(label)) for key, label in shown.items() if key not in config}
    st.data_editor(
        rows,
        key=key,
        hide_index=True,
        placeholder="—",
        column_order=order,
        column_config=config,
        disabled=[column for column in rows if column not in DECIDED] if portfolio.is_of(study) else True,
        height=min(36 * (len(rows) + 1) + 2, 440),
        on_change=edit.keep(lambda: _decide(study, rows, key)),
        alt=t("match.plan"),
    )
    _send(study, now, names)
    used = [site for site in dict.fromkeys(rows["at"]) if site]
    sheet_links({site: names[site] for site in used}, key="match-sheets")
    openings.plan_table(study)
    parts.plan_table(study)
    _standard_land(study, names)
    to_ledger.send(study)
    _decisions(study, names)


def _send(study: Study, rows: pd.DataFrame, names: dict[str, str]) -> None:
    """Send a project to another site: the sites that may take it, each with what it would score there."""
    which, where, act = st.columns([2, 3.4, 1], vertical_alignment="bottom")
    called = study.projects["name"]
    project = which.selectbox(
        t("match.send_project"), rows["id"], format_func=lambda one: called[one] or one, key=f"send-which-{study.key}"
    )
    ranking = tables.ranking(study)
    open_ = ranking[(ranking["project"] == project) & ranking["eligible"]].sort_values("rank", kind="stable")
    minutes = dict(zip(study.sites["id"], study.region.offers["trip_min"][:, 1], strict=True))
    at = rows.set_index("id")["at"].get(project, "")
    labels = {
        row.site: t("match.send_site", site=names[row.site], score=row.score, rank=row.rank, minutes=minutes[row.site])
        for row in open_.itertuples()
        if row.site != at
    }
    site = where.selectbox(
        t("match.send"),
        list(labels),
        index=None,
        format_func=lambda one: labels.get(one, one),
        placeholder=t("match.send_choose", n=len(labels)),
        help=t("match.send_help"),
        key=f"send-to-{study.key}-{project}",
    )
    position, ids = int((rows["id"] == project).to_numpy().argmax()), {names[one]: one for one in labels}
    edits = {"edited_rows": {position: {"send": names[site] if site else None}}}
    act.button(
        t("match.send_go"),
        icon=":material/lock:",
        width="stretch",
        disabled=site is None or not portfolio.is_of(study),
        on_click=edit.keep(lambda: _decide_by(study, decided(state.work().scenario, rows, edits, ids), names)),
        key="match-send-go",
    )


def _standard_land(study: Study, names: dict[str, str]) -> None:
    """Projects at sites whose standard-land thresholds are known: the verdict, by how much, by which rule."""
    said, known = f"standard_land_{session.language()}", tables.doors(study)
    with_doors = {site for site, is_known in zip(known.sites, known.known, strict=True) if is_known}
    plan = tables.assignment(study)
    rows: pd.DataFrame = plan[plan["site"].isin(with_doors)]
    if rows.empty:
        return
    failed = int((rows["standard_land"] == "fail").sum())
    with st.expander(t("match.standard_land", n=len(rows), failed=failed), icon=":material/rule:"):
        st.caption(t("col.standard_land_help"))
        order = rows["standard_land"].map({"fail": 0, "unknown": 1, "pass": 2}).sort_values(kind="stable").index
        text_table(
            [t("match.project"), t("col.site"), t("col.standard_land"), t("col.reason")],
            [
                (
                    row["project_name"],
                    names[row["site"]],
                    marked(row["standard_land"]),
                    row[said],
                )
                for row in rows.loc[order].to_dict("records")
            ],
        )


def _rows(study: Study, names: dict[str, str]) -> pd.DataFrame:
    """One row a project, those without a place last; what is decided comes from the work, not from the study."""
    language, scenario, projects = session.language(), state.work().scenario, study.projects
    plan = tables.assignment(study).set_index("project").reindex(projects.index)
    cities = cached.layer_table(state.layers(), "prefectures").set_index("code")[f"name_{language}"]
    city = study.sites.set_index("id")["prefecture_code"].map(cities)
    whole = splitting.whole_of(projects)  # what is decided of a project holds for each share
    locked = {pair.project: pair.site for pair in scenario.locked}
    locked |= {share: locked[one] for share, one in whole.items() if one in locked}
    banned = {(pair.project, pair.site) for pair in scenario.forbidden}
    banned |= {(share, s) for share, one in whole.items() for p, s in tuple(banned) if p == one}
    site = plan["site"].fillna("")
    segments, words = catalog.segments(), tables.stated_words(projects, language)
    rows = pd.DataFrame(
        {
            "id": projects.index,
            "at": site.to_numpy(),
            "project": projects["name"].to_numpy(),
            "site": [names.get(one, t("match.nowhere")) for one in site],
            "prefecture": [city.get(one, "") for one in site],
            "segment": [segments[key].name[language] for key in projects["segment"]],
            "score": plan["score"].to_numpy(),
            "interval": [
                "" if pd.isna(a) else f"{a:.0f}–{b:.0f}" for a, b in zip(plan["low"], plan["high"], strict=True)
            ],
            "rank": plan["rank"].to_numpy(),
            **{kind.need: plan[kind.need].to_numpy() for kind in catalog.resources().values()},
            "trip_min": plan["trip_min"].to_numpy(),
            "from_year": plan["from_year"].to_numpy(),
            "conditions": plan["conditions_en" if language == "en" else "conditions"].fillna("").to_numpy(),
            "standard_land": ["" if pd.isna(one) else marked(one) for one in plan["standard_land"]],
            **{key: words[key].to_numpy() for key in PER_MU},
            "keep": [bool(s) and locked.get(p) == s for p, s in site.items()],
            "ban": [(p, s) in banned for p, s in site.items()],
            "send": [names.get(locked[p]) if p in locked and locked[p] != s else None for p, s in site.items()],
        }
    )
    return rows.sort_values("at", key=lambda column: column == "", kind="stable", ignore_index=True)


def decided(scenario: Scenario, rows: pd.DataFrame, edits: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """Locked and forbidden pairs after the edits of a table whose rows have `id`, `at`, `keep`, `ban`, `send`.

    Only rows that were edited count. Of two choices that contradict each other the newer one stays.
    """
    locked = {pair.project: pair.site for pair in scenario.locked}
    banned = {(pair.project, pair.site): None for pair in scenario.forbidden}
    for position, cells in edits.get("edited_rows", {}).items():
        project, at = rows.loc[int(position), ["id", "at"]]
        was = {
            "keep": bool(at) and locked.get(project) == at,
            "ban": (project, at) in banned,
            "send": locked.get(project, "") if locked.get(project) != at else "",
        }
        wish: dict[str, Any] = {"send": ids.get(cells["send"] or "", "")} if "send" in cells else {}
        wish |= {key: bool(cells[key]) for key in ("keep", "ban") if key in cells and at}
        new = {key: value for key, value in wish.items() if value != was[key]}
        if "keep" in new or "send" in new:
            locked.pop(project, None)
            target = new.get("send") or (at if new.get("keep") else "")
            if target:
                locked[project] = target
                banned.pop((project, target), None)
        if "ban" in new:
            banned.pop((project, at), None)
            if new["ban"]:
                banned[project, at] = None
                if locked.get(project) == at:
                    del locked[project]
    return {
        "locked": [{"project": project, "site": site} for project, site in locked.items()],
        "forbidden": [{"project": project, "site": site} for project, site in banned],
    }


def _decide(study: Study, rows: pd.DataFrame, key: str) -> None:
    names = edit.site_names(study)
    scenario = state.work().scenario
    ids = {name: one for one, name in names.items()}
    _decide_by(study, decided(scenario, rows, session.edits(key), ids), names)


def _decide_by(study: Study, after: dict[str, Any], names: dict[str, str]) -> None:
    """Put decisions into the scenario, with a note that says which are new and which are gone."""
    scenario = state.work().scenario
    before = {(kind, pair.project, pair.site) for kind in after for pair in getattr(scenario, kind)}
    now = {(kind, pair["project"], pair["site"]) for kind, pairs in after.items() for pair in pairs}
    if before == now:
        return
    notes = [_decision(study, one, names, "match.did") for one in sorted(now - before)]
    notes += [_decision(study, one, names, "match.undid") for one in sorted(before - now)]
    state.change("；".join(notes[:3]) if session.language() == "zh" else "; ".join(notes[:3]), **after)


def _decision(study: Study, decision: tuple[str, str, str], names: dict[str, str], key: str) -> str:
    kind, project, site = decision
    name = study.projects["name"].get(project, project)
    return t(f"{key}_{kind}", project=name, site=names.get(site, site))


def _decisions(study: Study, names: dict[str, str]) -> None:
    """Everything decided, each to be taken back; what each lock costs on request."""
    scenario = state.work().scenario
    pairs = {
        f"{kind}·{pair.project}·{pair.site}": (kind, pair.project, pair.site)
        for kind in ("locked", "forbidden")
        for pair in getattr(scenario, kind)
    }
    if not pairs:
        return
    labels = {key: _decision(study, one, names, "match.did") for key, one in pairs.items()}
    note, widget = t("match.decisions_changed"), session.spoken("decisions")

    def less() -> None:
        left = [pairs[key] for key in session.chosen(widget)]
        state.change(
            note,
            **{kind: [{"project": p, "site": s} for k, p, s in left if k == kind] for kind in ("locked", "forbidden")},
        )

    st.multiselect(
        t("match.decisions"),
        list(pairs),
        format_func=lambda key: labels.get(key, key),
        key=session.show(widget, list(pairs)),
        on_change=edit.keep(less),
    )
    if not study.scenario.locked:
        return
    begin = st.button(t("match.lock_price"), icon=":material/sell:")
    if found := asking.ended(explanation.lock_table, study, begin=begin):
        prices = found.answer
        shown = prices.assign(site=prices["site"].map(names))[["project_name", "site", "loss"]]
        heads = [t("match.project"), t("match.locked_to"), t("match.lock_loss")]
        st.dataframe(shown.set_axis(heads, axis=1), hide_index=True)
        st.caption(t("match.lock_price_note"))


def unplaced(study: Study) -> None:
    """Who stays out and why, and for one of them the placement options, each to be tried."""
    if tables.unplaced(study).empty:
        st.success(t("match.all_placed"), icon=":material/check_circle:")
        return
    english = session.language() == "en"
    columns = ["project_name", "reason_en" if english else "reason", "later_en" if english else "later"]
    reasons, heads = tables.unplaced(study)[columns], [t("match.project"), t("col.reason"), t("col.later")]
    known = 3 if reasons[columns[-1]].ne("").any() else 2
    st.dataframe(reasons.set_axis(heads, axis=1).iloc[:, :known], hide_index=True)
    names = tables.unplaced(study).set_index("project")["project_name"]
    choose, find = st.columns([3, 1], vertical_alignment="bottom")
    project = choose.selectbox(t("match.options_for"), names.index, format_func=lambda one: f"{one} · {names[one]}")
    begin = find.button(t("match.options_run"), icon=":material/route:", width="stretch")
    found = asking.ended(explanation.placement_options_of, study, project, begin=begin)
    if found is None:
        return
    options = found.answer
    if not options:
        st.info(t("match.no_option"))
    st.caption(t("match.options"))
    for number, option in enumerate(options):
        row = explanation.option_row(study, option)
        what, act = st.columns([4, 1], vertical_alignment="center")
        what.text(row["way_en" if english else "way"] + ("" if option.proven else t("match.unproven")))
        note = t("match.option_used", project=names[project])
        settings = what_if.option_settings(study, option, source=TRIED)
        act.button(
            t("match.option_use"),
            key=f"way-{number}",
            help=t("match.option_use_help"),
            width="stretch",
            disabled=not portfolio.is_of(study),
            on_click=edit.keep(_change(note, settings)),
        )


def _change(note: str, settings: dict[str, Any]) -> Any:
    rows = {key: given if key == "weights" else [one.model_dump() for one in given] for key, given in settings.items()}
    return lambda: state.change(note, **rows)


def locks(pairs: tuple[Pair, ...]) -> list[dict[str, str]]:
    """Pairs as the scenario is given them."""
    return [pair.model_dump() for pair in pairs]
