"""要素 · where it is: sites coloured by the likely value of one resource, and all that is known of the one clicked."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.site_maps import show_sites
from app.widgets import text_table
from geo_cluster.maps.site_map import Classes, Told
from geo_cluster.world import catalog

PICKED = "supply-picked"
MARKED = 10
"""So many numbers of the request list are marked on the map."""
CLASSES = 5


def show(rows: pd.DataFrame, resource: str) -> None:
    """The map of one resource.

    Parameters
    ----------
    rows : DataFrame
        The offers of the resource, as `offers.shown` gives them.
    resource : str
    """
    kind, language = catalog.resources()[resource], session.language()
    known = rows[rows["basis"] != ""]
    values: dict[str, float | None] = dict(zip(known["site"], known["likely"].astype(float), strict=True))
    told = Told(
        marks={row.site: str(row.ask) for row in known.itertuples() if not pd.isna(row.ask) and row.ask <= MARKED},
        rows={
            row.site: [
                (t("supply.span"), f"{row.low:,.0f} – {row.high:,.0f}"),
                (t("col.basis"), row.basis_label),
                (t("supply.from"), getattr(row, "_from", "")),
            ]
            for row in known.rename(columns={"from": "_from"}).itertuples()
        },
    )
    starts = breaks(known["likely"].astype(float).tolist())
    classes = Classes(kind.offer_title(language), starts)
    picked = session.kept(PICKED, "")
    with st.container(key="supply-map"):
        show_sites(
            values,
            classes,
            key=f"supply-where-map-{language}",
            told=told,
            chosen=picked if picked in values else "",
            height=480,
            on_pick=lambda site: session.keep(PICKED, site),
        )
    if picked in values:
        _one(picked)


def breaks(values: list[float]) -> tuple[float, ...]:
    """Lower bounds of at most `CLASSES` classes with about as many values each, rounded to a digit or two."""
    if not values:
        return (0.0,)
    at = pd.Series(values).quantile([n / CLASSES for n in range(1, CLASSES)])
    return tuple(sorted({0.0, *(_rounded(one) for one in at)}))


def _rounded(value: float) -> float:
    """Rounded down to one digit, two where it begins with 1."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(value))
    unit = unit / 10 if value < 2 * unit else unit
    return math.floor(value / unit + 1e-9) * unit


def _one(site: str) -> None:
    """All that one site has on offer."""
    language, declared = session.language(), catalog.resources()
    offers = cached.offers_of(state.scenario())
    rows = offers[(offers["site"] == site) & (offers["basis"] != "")]
    if rows.empty:
        return
    st.markdown("**" + t("supply.of_site", site=rows.iloc[0][f"site_{language}"].replace("*", "")) + "**")
    text_table(
        [t("supply.resource"), t("supply.likely"), t("supply.span"), t("supply.source")],
        [
            (
                declared[row["resource"]].offer_title(language),
                f"{row['likely']:,.0f}",
                f"{row['low']:,.0f} – {row['high']:,.0f}",
                row[f"source_{language}"],
            )
            for row in rows.to_dict("records")
        ],
        named=True,
    )
