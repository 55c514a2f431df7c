"""A tiny made-up country whose numbers a person can check by hand.

One straight road: A --10 km, 10 min-- B --20 km, 20 min-- C. The engineers sit at A. Site X1 at B is a national
zone of 100 ha, so 1, 4 or 12 ha (15, 60, 180 mu) may be free; site X2 at C is a city area: 2, 10, 40 ha (30, 150,
600 mu). Substation G1 (220 kV) at B serves both: 15, 60, 160 MVA. The prefecture has 10,000, 30,000, 80,000 tce. A
plant at C welds by laser; makers of lasers and of components are at A.
"""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
from shapely import LineString

from geo_cluster.domain import Scenario
from geo_cluster.world import catalog, portfolio

A, B, C = (114.50, 30.50), (114.60, 30.50), (114.80, 30.50)
PREFECTURE = "420700"


def points(rows: list[dict]) -> gpd.GeoDataFrame:
    """Rows with `at` as a point layer with every common column."""
    common = {"source": "made up", "source_class": "c", "confidence": "low", "as_of": "2026", "notes": ""}
    table = pd.DataFrame([common | {"coord_uncertainty_m": 100.0} | row for row in rows])
    at = table.pop("at")
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(*zip(*at, strict=True)), crs="EPSG:4326")


def layers() -> dict[str, pd.DataFrame]:
    """Every layer that a study reads."""
    site = {"prefecture_code": PREFECTURE, "prefecture_zh": "鄂州市", "catalogue_industries_zh": "", "fit_grade": "A"}
    site |= {"fit_note_zh": "", "constraints": "", "constraints_checked": "yes", "stations": "G1"}
    sites = points(
        [
            site
            | {"id": "X1", "name_zh": "甲园", "name_en": "X one", "site_class": "national_zone"}
            | {"industries_zh": "激光、光电、装备", "at": B},
            site
            | {"id": "X2", "name_zh": "乙园", "name_en": "X two", "site_class": "city_area"}
            | {"industries_zh": "食品", "constraints": "lake;flood", "at": C},
        ]
    )
    station = {"id": "G1", "name_zh": "一号站", "name_en": "Station one"}
    station |= {
        "kind": "substation",
        "status": "operating",
        "voltage_kv": 220.0,
        "prefecture_code": PREFECTURE,
        "at": B,
    }
    chain = [
        {"id": "F1", "kind": "firm", "stage": "lasers", "segments": "fiber_laser", "at": A},
        {"id": "F2", "kind": "firm", "stage": "support", "segments": "", "at": A},
        {"id": "F3", "kind": "platform", "stage": "support", "segments": "", "at": A},
        {"id": "F4", "kind": "firm", "stage": "components", "segments": "", "at": A},
    ]
    roads = gpd.GeoDataFrame(
        {"u": [1, 2], "v": [2, 3], "length_km": [10.0, 20.0], "speed_kmh": [60.0, 60.0]},
        geometry=[LineString([A, B]), LineString([B, C])],
        crs="EPSG:4326",
    )
    observations = [("X1", "approved_ha", 100.0, 100.0, 100.0, "ha", "published", "catalogue", "2018", "b", "high")]
    columns = ["site_id", "attribute", "low", "likely", "high", "unit", "basis", "source", "as_of"]
    columns += ["source_class", "confidence"]
    return {
        "sites": sites,
        "substations": points([station]),
        "prefectures": pd.DataFrame({"code": [PREFECTURE], "name_zh": ["鄂州市"], "name_en": ["Ezhou"]}),
        "chain": points([firm | {"prefecture_code": "420100"} for firm in chain]),
        "anchors": points([{"id": "rd", "name_zh": "研发", "name_en": "R&D", "at": A}]),
        "roads": roads,
        "stations": points([{"id": "T99", "at": A}]),
        "ports": points([{"id": "Q1", "at": C}]),
        "airports": points([{"id": "EHU", "iata": "EHU", "at": B}]),
        "observations": pd.DataFrame(observations, columns=columns),
        "demand": points(
            [
                {
                    "id": "D1",
                    "name_zh": "甲厂",
                    "row_kind": "plant",
                    "industry_zh": "汽车零部件",
                    "laser_use": "welding",
                }
                | {"use_basis": "source", "at": C},
            ]
        ),
    }


def projects(count: int = 3, **given: str) -> pd.DataFrame:
    """Equal fibre-laser projects: 30 mu, 10 MVA, 1 GWh (122.9 tce) each, unless said otherwise."""
    row = {"segment": "fiber_laser", "output_100m_yuan": "5", "land_mu": "30", "power_mva": "10", "energy_gwh": "1"}
    return portfolio.check(pd.DataFrame([row | given] * count))


def scenario(**changes: object) -> Scenario:
    """The scenario of the tiny country."""
    row = {"name": {"zh": "小国", "en": "tiny"}, "anchor": "rd", "draws": 200, "time_limit_s": 10.0}
    return catalog.scenario_from(row | changes)


def price_known(site: str = "X1") -> dict:
    """What a scenario's `known` says where somebody asked what land costs."""
    bounds = dict.fromkeys(("low", "likely", "high"), 9)
    return {"subject": site, "attribute": "land_price_10k_yuan_per_mu", "source": "电话", **bounds}
