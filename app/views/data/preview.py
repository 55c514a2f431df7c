"""Part of 数据: what a checked file says, beside what holds now; and where it is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from geo_cluster.imports.checked import Checked, fault_table
from geo_cluster.world import catalog, layers
from geo_cluster.world.coordinates import MU_PER_HA

MOST_ROWS = 500
"""Rows shown; all are checked and all are accepted."""


def preview(checked: Checked) -> None:
    """Old beside new, and whose ranking would change."""
    {"observations": _numbers, "parcels": _parcels, "substations": _stations, "projects": _projects}[checked.kind](
        checked
    )
    if len(checked.preview) > MOST_ROWS:
        st.caption(t("data.import.more", shown=MOST_ROWS, all=len(checked.preview)))
    if checked.kind != "projects":
        _effect(checked)


def faulty(checked: Checked) -> None:
    """The rows with faults as they came, the cells marked."""
    if checked.table.empty:
        return
    faults = fault_table(checked.faults)
    marks = set(zip(faults["row"], faults["column"], strict=True))
    rows = [row for row in checked.table.index if row in set(faults["row"])][:MOST_ROWS]
    table = checked.table.loc[rows] if rows else checked.table.head(20)
    table = table.loc[:, ~table.columns.duplicated()]

    def mark(part: pd.DataFrame) -> pd.DataFrame:
        style = "background-color: #f9d9d9; color: #7a1020"
        cells = [[style if (row, head) in marks else "" for head in part.columns] for row in part.index]
        return pd.DataFrame(cells, index=part.index, columns=part.columns)

    st.caption(t("data.import.marked"))
    st.dataframe(table.rename_axis(t("data.fault.row")).style.apply(mark, axis=None))


def _span(low: float, likely: float, high: float, digits: int) -> str:
    if pd.isna(likely):
        return "—"
    likely_text = f"{likely:,.{digits}f}"
    return likely_text if low == high else f"{likely_text} ({low:,.{digits}f}–{high:,.{digits}f})"


def _name(subject: str) -> str:
    text = cached.region(state.scenario()).names.get(subject)
    return f"{subject} {text[session.language()]}" if text else subject


def _numbers(checked: Checked) -> None:
    language, bases = session.language(), layers.words("basis")
    rows = []
    for one in checked.preview.head(MOST_ROWS).itertuples():
        attribute = catalog.attributes()[one.attribute]
        times, unit = attribute.display_unit()
        digits = max(attribute.digits, 1)
        old = _span(one.old_low * times, one.old_likely * times, one.old_high * times, digits)
        new = _span(one.low * times, one.likely * times, one.high * times, digits)
        rows.append(
            {
                "subject": _name(one.subject),
                "attribute": f"{attribute.name[language]} ({unit[language]})",
                "old": f"{old} · {bases[one.old_basis][language]}" if one.old_basis else old,
                "new": f"{new} · {bases[one.basis][language]}",
                "effect": t(f"data.effect.{one.effect}"),
            }
        )
    _shown(rows)


def _shown(rows: Sequence[Mapping[str, object]]) -> None:
    table = pd.DataFrame(rows)
    _table(table.rename(columns={key: t(f"data.preview.{key}") for key in table}))


def _table(table: pd.DataFrame) -> None:
    """A table whose first column can be read; a pinned one would be grey on grey."""
    first = {table.columns[0]: st.column_config.TextColumn(width=220)}
    st.dataframe(table, hide_index=True, column_config=first)


def _parcels(checked: Checked) -> None:
    sites, where = checked.extra["sites"], checked.extra.get("belongs")
    lost = [column for column in sites if str(column).startswith("lost_")]
    rows = [
        {
            "site": _name(row["site"]),
            "net_mu": f"{row['net_mu']:,.0f}",
            "unknown_mu": f"{row['unknown_ha'] * MU_PER_HA:,.0f}",
            "largest_mu": f"{row['largest_piece_ha'] * MU_PER_HA:,.0f}",
            **{rule: f"−{row[rule] * MU_PER_HA:,.0f}" for rule in lost},
        }
        for row in sites.to_dict("records")
    ]
    names = {key: t(f"data.preview.{key}") for key in ("site", "net_mu", "unknown_mu", "largest_mu")}
    names |= {rule: t("data.preview.lost", rule=str(rule).removeprefix("lost_").removesuffix("_ha")) for rule in lost}
    _table(pd.DataFrame(rows).rename(columns=names))
    _numbers(checked)
    if where is not None:
        by = [
            {
                "said": row.said or "—", "site": _name(row.site), "by": t(f"data.by.{row.by}"),
                "parcels": row.parcels, "km": round(row.km, 1),
            }
            for row in where.itertuples()
        ]  # fmt: skip
        with st.expander(t("data.import.where"), expanded=bool((where["by"] != "name").any())):
            _shown(by)
            _drawn(checked)


def _drawn(checked: Checked) -> None:
    """Parcels of the first few sites, with the land that the rules leave."""
    sums = checked.extra["sites"]
    drawn = cached.parcel_charts(checked, checked.sha256, sums.to_csv(index=False))
    for k, (site, chart) in enumerate(list(drawn.items())[:4]):
        if k % 2 == 0:
            sides = st.columns(2)
        with sides[k % 2]:
            st.text(_name(site))
            st.altair_chart(chart, width="stretch")
    if drawn:
        st.caption(t("data.import.legend"))


def _stations(checked: Checked) -> None:
    rows = [
        {
            "station": f"{one.id} {one.name}",
            "state": t("data.preview.added") if one.is_new else t("data.preview.updated"),
            "voltage": f"{one.voltage_kv:g}",
            "old": _span(one.old_low, one.old_likely, one.old_high, 0),
            "new": _span(one.low, one.likely, one.high, 0),
            "by_what": t(f"data.spare.{'stated' if one.by == 'stated' else 'n1' if one.by else 'none'}"),
            "feeds": one.sites or "—",
        }
        for one in checked.preview.head(MOST_ROWS).itertuples()
    ]
    _shown(rows)


def _projects(checked: Checked) -> None:
    segments, language = catalog.segments(), session.language()
    rows = []
    for one in checked.preview.head(MOST_ROWS).to_dict("records"):
        row = {
            "project": f"{one['id']} {one['name']}",
            "segment": segments[one["segment"]].name[language],
            "output": f"{one['output_100m_yuan']:g}",
        }
        for asked in (kind.asked for kind in catalog.resources().values()):
            need, title = asked.column, asked.title(language)
            low, likely, high = (one[f"{need}_{end}"] for end in ("low", "likely", "high"))
            row[title] = (
                f"{_span(low, likely, high, 1)} · {t('data.stated' if one[f'{need}_given'] else 'data.estimated')}"
            )
        rows.append(row)
    names = {key: t(f"data.preview.{key}") for key in ("project", "segment", "output")}
    _table(pd.DataFrame(rows).rename(columns=names))


def _effect(checked: Checked) -> None:
    """How many projects would rank their sites otherwise, and the first few of them."""
    found = cached.import_effect(checked, state.scenario(), state.work())
    if not checked.known:
        return
    firsts = found[found["first_before"] != found["first_after"]]
    counts = {"order": int(found["order_changes"].sum()), "first": len(firsts), "all": len(found)}
    most = found["most_points"].max()
    st.markdown(t("data.import.effect", **counts, points=f"{0 if pd.isna(most) else most:.1f}"))
    if len(firsts):
        rows = [
            {
                "project": f"{key} {row['name']}",
                "old": _name(row["first_before"]) or "—",
                "new": _name(row["first_after"]) or "—",
            }
            for key, row in firsts.head(20).iterrows()
        ]
        _shown(rows)
