"""The layers of the answer, one function each: rows in WGS84, texts in the language of the edition."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster import toml
from geo_cluster.access.travel import route
from geo_cluster.domain import Language
from geo_cluster.maps.ground import reach
from geo_cluster.report import explanation, tables
from geo_cluster.report.tables import displayed_requests, words_of
from geo_cluster.study import Study
from geo_cluster.supply.land_survey import Survey
from geo_cluster.world import catalog
from geo_cluster.world.layers import CRS
from geo_cluster.world.layers import words as vocabulary

Answer = Callable[[Study, Language], gpd.GeoDataFrame]


def plan(study: Study, language: Language) -> gpd.GeoDataFrame:
    """One line a placed project, from the R&D anchor to its site, with the assignment's columns."""
    table, suffix = tables.assignment(study), "_en" if language == "en" else ""
    verdicts, segments = catalog.door_verdicts(), catalog.segments()
    names = study.region.names
    rows = pd.DataFrame(
        {
            "project": table["project"],
            "project_name": table["project_name"],
            "segment": [segments[key].name[language] for key in table["project"].map(study.projects["segment"])],
            "site": table["site"],
            "site_name": [names[one][language] for one in table["site"]],
            "city": _cities(study, table["site"], language),
        }
    )
    numbers = ["score", "low", "high", "rank", *_needs(), "trip_min", "investment_100m_yuan", "tax_100m_yuan", "jobs"]
    rows = rows.join(table[[*numbers, "from_year"]])
    rows["conditions"], rows["remark"] = table[f"conditions{suffix}"], table[f"remark{suffix}"]
    rows["standard_land"] = [verdicts[one][language] for one in table["standard_land"]]
    return gpd.GeoDataFrame(rows, geometry=_lines(study, table["site"]), crs=CRS)


def plan_sites(study: Study, language: Language) -> gpd.GeoDataFrame:
    """One point a site that takes projects, with what they need together."""
    rows = _by_site(study, language)
    return gpd.GeoDataFrame(rows, geometry=_at(study, rows["site"]), crs=CRS)


def flows(study: Study, language: Language) -> gpd.GeoDataFrame:
    """One line a site that takes projects, from the R&D anchor."""
    rows = _by_site(study, language)
    return gpd.GeoDataFrame(rows, geometry=_lines(study, rows["site"]), crs=CRS)


def routes(study: Study, language: Language) -> gpd.GeoDataFrame:
    """The way by road from the R&D anchor to each site that takes projects."""
    rows = _by_site(study, language)[["site", "site_name", "city", "projects", "trip_min"]]
    ways = [route(study.region.network, study.anchor.geometry, place) for place in _at(study, rows["site"])]
    rows["km"] = np.array([one.km for one in ways], dtype=float).round(1)
    return gpd.GeoDataFrame(rows, geometry=[one.line for one in ways], crs=CRS)


def isochrones(study: Study, language: Language) -> gpd.GeoDataFrame:
    """What is within so many minutes of the R&D anchor by road, door to door, the widest first."""
    found = reach(study.layers, study.anchor.geometry.x, study.anchor.geometry.y)
    said = toml.table("gis")["words"]["within"][language]
    rows = pd.DataFrame({"within_min": list(found), "anchor": study.anchor[f"name_{language}"]})
    rows["band"] = [said.format(n=minutes) for minutes in found]
    return gpd.GeoDataFrame(rows, geometry=list(found.values()), crs=CRS)


def ranking(study: Study, language: Language) -> gpd.GeoDataFrame:
    """Every project at every site, best first: score, interval, rank; where it may not go, why."""
    order = ["project", "eligible", "score"]
    table = tables.ranking(study).sort_values(order, ascending=[True, False, False], kind="stable", ignore_index=True)
    suffix, words = "_en" if language == "en" else "", toml.table("gis")["words"]
    rows = table[["project", "project_name", "site"]].copy()
    rows["site_name"] = [study.region.names[one][language] for one in table["site"]]
    rows["city"] = _cities(study, table["site"], language)
    rows["eligible"] = table["eligible"].map({True: words["yes"][language], False: words["no"][language]})
    rows = rows.join(table[["score", "low", "high", "chance_first"]])
    rows["rank"] = table["rank"].astype("Float64").to_numpy(float, na_value=np.nan)
    rows["reason"], rows["remark"] = table[f"reason{suffix}"], table[f"remark{suffix}"]
    return gpd.GeoDataFrame(rows, geometry=_at(study, table["site"]), crs=CRS)


def pools(study: Study, language: Language) -> gpd.GeoDataFrame:
    """Every pool with what it has, what is planned with, used and left, the fullest first; see `gauge_table`."""
    table = explanation.gauge_table(study)
    words = [words_of(one, language) for one in table["resource"]]
    rows = pd.DataFrame({"resource": [word for word, _ in words], "pool": table["pool"]})
    rows["pool_name"], rows["unit"] = table[f"pool_{language}"], [unit for _, unit in words]
    rows = rows.join(table[["low", "likely", "high", "planned", "used", "left", "share"]].round(4))
    rows["basis"] = _evidence(table["basis"], language)
    return _placed(study, rows, "pool", language)


def requests(study: Study, language: Language) -> gpd.GeoDataFrame:
    """The numbers to ask for, the most useful first."""
    table = displayed_requests(tables.requests(study))
    rows = pd.DataFrame({"subject": table["subject"], "subject_name": table[f"subject_{language}"]})
    for name in ("name", "question", "unit"):
        rows[name] = table[f"{name}_{language}"]
    rows["whom"] = [catalog.attributes()[key].whom[language] for key in table["attribute"]]
    rows = rows.join(table[["low", "likely", "high", "gain", "change", "projects"]])
    rows["basis"] = _evidence(table["basis"], language)
    return _placed(study, rows, "subject", language)


ANSWERS: dict[str, Answer] = {
    one.__name__: one for one in (plan_sites, flows, routes, plan, ranking, pools, requests, isochrones)
}
"""The layers that every study has, by name; a plan that places nobody has them empty."""


def surveyed(survey: Survey) -> dict[str, gpd.GeoDataFrame]:
    """`parcels`, their net land, and `rectangles`, the largest in each, of a land survey; in its CRS."""
    land = survey.land
    flat = pd.DataFrame(land.drop(columns=["geometry", "rectangle"])).round(4)
    flat["parcel"] = flat.get("parcel", pd.Series(land.index, index=land.index)).astype(str)
    halls = gpd.GeoSeries(land["rectangle"], crs=land.crs)
    found = gpd.GeoDataFrame(flat, geometry=halls, crs=land.crs)
    return {
        "parcels": gpd.GeoDataFrame(flat, geometry=land.geometry, crs=land.crs),
        "rectangles": found[~found.geometry.is_empty & found.geometry.notna()],
    }


def _by_site(study: Study, language: Language) -> pd.DataFrame:
    """Sites that take projects, in the order of their ids: how many, which, what they need, from when."""
    table = tables.assignment(study)
    groups, stop = table.groupby("site", sort=True), "、" if language == "zh" else ", "
    sites = pd.Series(list(groups.groups), dtype=object)
    rows = pd.DataFrame({"site": sites, "site_name": [study.region.names[one][language] for one in sites]})
    rows["city"] = _cities(study, sites, language)
    rows["projects"] = groups.size().to_numpy(int)
    rows["project_names"] = [stop.join(group["project_name"]) for _, group in groups]
    for need in _needs():
        rows[need] = groups[need].sum().round(3).to_numpy(float)
    rows["trip_min"] = groups["trip_min"].first().to_numpy(float)
    rows["from_year"] = groups["from_year"].min().to_numpy(int)
    return rows


def _needs() -> list[str]:
    return [kind.need for kind in catalog.resources().values()]


def _cities(study: Study, sites: Iterable[str], language: Language) -> list[str]:
    codes = study.sites.set_index("id")["prefecture_code"]
    return [study.region.names[codes[one]][language] for one in sites]


def _at(study: Study, sites: Iterable[str]) -> gpd.GeoSeries:
    return gpd.GeoSeries(study.sites.set_index("id").geometry.reindex(list(sites)).to_numpy(), crs=CRS)


def _lines(study: Study, sites: Iterable[str]) -> list[shapely.LineString]:
    return [shapely.LineString([study.anchor.geometry, end]) for end in _at(study, sites)]


def _evidence(basis: Iterable[str], language: Language) -> list[str]:
    words = vocabulary("basis")
    return [words[one][language] if one in words else one for one in basis]


def _placed(study: Study, rows: pd.DataFrame, column: str, language: Language) -> gpd.GeoDataFrame:
    """Rows about sites, stations, supply areas and cities where those are; else amid the sites that they are for."""
    layers, words = study.layers, toml.table("gis")["words"]
    known: dict[str, shapely.Point] = {}
    for name, key in (("prefectures", "code"), ("counties", "code"), ("substations", "id")):
        table = layers.read(name)
        if not isinstance(table, gpd.GeoDataFrame):
            continue
        table = table[table.geometry.notna()]
        known |= dict(zip(table[key], table.geometry.representative_point(), strict=True))
    known |= dict(zip(study.sites["id"], study.sites.geometry, strict=True))
    amid: dict[str, shapely.Point] = {}
    for resource in study.resources:
        for at, one in enumerate(resource.pools):
            drawing = study.sites.geometry[np.asarray(resource.pool) == at]
            if len(drawing) and one not in known:
                amid[one] = shapely.MultiPoint(drawing.tolist()).centroid
    places = [known.get(one, amid.get(one)) for one in rows[column]]
    rows["place"] = [words["at_subject" if one in known else "amid"][language] for one in rows[column]]
    return gpd.GeoDataFrame(rows, geometry=places, crs=CRS)
