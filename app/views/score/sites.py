"""选址: the map of the sites by score, and what each has to offer."""

from __future__ import annotations

import numpy as np

from app import cached, session, site_maps, state
from app.session import t
from app.views.score import case
from geo_cluster.intake.site_choice import Weighed
from geo_cluster.maps.site_map import Classes, Told
from geo_cluster.scoring.explain import significant
from geo_cluster.world import catalog

STARTS = (0, 50, 60, 70, 80)
"""Scores from which a site has the next colour."""


def sites_map(weighed: Weighed) -> None:
    """Sites coloured by score; a click puts one among those side by side or takes it out."""
    language, choice = session.language(), weighed.choice
    values: dict[str, float | None] = dict(zip(choice.sites, weighed.score.tolist(), strict=True))
    reasons = dict(zip(choice.refused["site"], choice.refused[f"reason_{language}"], strict=True))
    rank = {choice.sites[place]: str(at + 1) for at, place in enumerate(weighed.order)}
    low, high = weighed.interval
    rows = {
        site: [
            (t("col.interval"), f"{low[at]:.0f}–{high[at]:.0f}"),
            (t("col.acceptability"), f"{weighed.acceptability[at, 0]:.0%}"),
        ]
        for at, site in enumerate(choice.sites)
    }
    rows |= {site: [(t("score.not_eligible"), str(reason))] for site, reason in reasons.items()}
    side_by_side = case.chosen(weighed)
    first = choice.sites[weighed.order[0]] if choice.sites else ""
    site_maps.show_sites(
        values | dict.fromkeys(reasons),
        Classes(t("col.score"), STARTS, unknown=t("score.not_eligible")),
        key="score-sites-map",
        told=Told({site: rank[site] for site in side_by_side}, rows, tuple(reasons)),
        chosen=first,
        height=560,
        on_pick=lambda site: case.turn(weighed, site),
    )


def offered() -> dict[tuple[str, str], str]:
    """What sites have of land (floor where there is none) and power: low, likely, high, and on whose word."""
    language, stamp = session.language(), case.stamp()
    told, found = session.kept("score-offered", ("", {}))
    if told == (stamp, language):
        return found
    kinds, found = catalog.resources(), {}
    for row in cached.offers_of(state.scenario()).to_dict("records"):
        key = "land" if row["resource"] == "floor" else row["resource"]
        if row["subject"] == "" or np.isnan(row["likely"]):
            continue
        ends = dict.fromkeys(f"{significant(row[end], 2):,.12g}" for end in ("low", "likely", "high"))
        unit, basis = kinds[row["resource"]].unit[language], t(f"basis.{row['basis']}")
        found[row["site"], key] = f"{'–'.join(ends)} {unit} · {basis}"
    session.keep("score-offered", ((stamp, language), found))
    return found
