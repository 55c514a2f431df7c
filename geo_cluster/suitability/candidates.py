"""A region as a candidate site of a scenario: own layers with one site more, and what is derived of it.

From there it is scored and matched as any other site. Its land is what no rule of the screening takes; that somebody
offers it, nobody has said, so the interval of what is available begins at nothing.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import tomli_w

from geo_cluster import scratch
from geo_cluster.domain import Scenario
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.suitability.headroom import county_of
from geo_cluster.suitability.spec import Spec
from geo_cluster.world import spreadsheet
from geo_cluster.world.layers import SOURCES, Layers

CLASS = "screened_land"
ATTRIBUTES = ("available_land_ha", "largest_piece_ha")
MADE_BY = "geo-cluster suitability"


def as_sites(scenario: Scenario, regions: gpd.GeoDataFrame, spec: Spec, folder: Path) -> Scenario:
    """Put regions into a scenario as candidate sites.

    Parameters
    ----------
    scenario : Scenario
    regions : GeoDataFrame
        Rows of `regions.find`.
    spec : Spec
        What they were found by; its rules stand in what is said of their constraints.
    folder : Path
        New folder for the scenario's own layers, with what it has of them already.

    Returns
    -------
    Scenario
        With these layers, and the sites among its own where it names any.

    Raises
    ------
    InputError
        A region lies in no county of the layers.
    """
    base = Layers(scenario.layers)
    where = county_of(base, regions["lon"].to_numpy(), regions["lat"].to_numpy())
    refuse_if(
        [
            Fault("suitability.region_without_county", Place("", entry=f"{row.lat:.4f}, {row.lon:.4f}"))
            for row, county in zip(regions.itertuples(), where["code"], strict=True)
            if pd.isna(county)
        ]
    )
    sites = base.read("sites")
    added = _sites(regions.reset_index(drop=True), where, spec, set(sites["id"]))
    numbers = _observations(added, regions.reset_index(drop=True), spec)
    tables = {
        "sites": pd.concat([pd.DataFrame(sites.drop(columns="geometry")), added], ignore_index=True),
        "observations": pd.concat([base.read("observations"), numbers], ignore_index=True),
    }
    _register(base, tables, folder)
    sha256 = hashlib.sha256((folder / SOURCES).read_bytes()).hexdigest()
    chosen = (*scenario.sites, *added["id"]) if scenario.sites else ()
    return scenario.model_copy(update={"layers": str(folder), "layers_sha256": sha256, "sites": chosen})


def listed(scenario: Scenario) -> gpd.GeoDataFrame:
    """The listed parks of a scenario that have a place: its sites, but for land that a screening made one."""
    sites = Layers(scenario.layers).read("sites")
    sites = sites[(sites["site_class"] != CLASS) & sites.geometry.notna()]
    return sites[sites["id"].isin(scenario.sites)] if scenario.sites else sites


def made_of(scenario: Scenario, regions: gpd.GeoDataFrame) -> list[str]:
    """Id of the site of a scenario that each region became, by its place; '' for those that didn't."""
    sites = Layers(scenario.layers).read("sites")
    sites = sites[sites["site_class"] == CLASS]
    at = {(row.lon, row.lat): str(row.id) for row in sites.itertuples()}
    return [at.get((round(row.lon, 6), round(row.lat, 6)), "") for row in regions.itertuples()]


def _sites(regions: gpd.GeoDataFrame, where: pd.DataFrame, spec: Spec, there: set[str]) -> pd.DataFrame:
    free = (name for number in range(1, 10_000) if (name := f"L{number:02d}") not in there)
    ids = [next(free) for _ in range(len(regions))]
    rules = "、".join(rule.name.zh for rule in spec.exclusions.values())
    county = where["name_zh"]
    sample = ("示例 ", "Sample: ") if spec.name.zh.startswith("示例") else ("", "")  # made-up ground says so everywhere
    return pd.DataFrame(
        {
            "id": ids,
            "name_zh": [f"{sample[0]}初筛地块 {one}（{place}）" for one, place in zip(ids, county, strict=True)],
            "name_en": [
                f"{sample[1]}Screened land {one} ({place})" for one, place in zip(ids, where["name_en"], strict=True)
            ],
            "site_class": CLASS,
            "prefecture_code": where["prefecture_code"],
            "prefecture_zh": where["prefecture_zh"],
            "county_code": where["code"],
            "county_zh": county,
            "lon": regions["lon"].round(6),
            "lat": regions["lat"].round(6),
            "coord_basis": "region of a screening",
            "coord_uncertainty_m": np.sqrt(regions["area_ha"] * 1e4 / np.pi).round(),
            "constraints_checked": "partly",
            "constraints_checked_note_zh": f"只按初筛规则查过：{rules}",
            **_about(spec),
        }
    )


def _observations(sites: pd.DataFrame, regions: gpd.GeoDataFrame, spec: Spec) -> pd.DataFrame:
    rows = [
        {"site_id": site, "attribute": attribute, "low": 0.0, "likely": area, "high": area, "unit": "ha"}
        for site, area in zip(sites["id"], regions["area_ha"].round(2), strict=True)
        for attribute in ATTRIBUTES
    ]
    note = "初筛规则未排除的连片面积；是否可供未查，下限为 0"
    return pd.DataFrame(rows).assign(basis="derived", **{**_about(spec), "notes": note})


def _about(spec: Spec) -> Mapping[str, str]:
    """Common columns: the screening is the source."""
    return {
        "source": f"找地初筛“{spec.name.zh}” / screening {spec.name.en}",
        "source_class": "b",
        "publisher": "geo_cluster",
        "source_is_copy": "no",
        "confidence": "low",
        "as_of": datetime.date.today().isoformat(),
        "notes": "",
    }


def _register(base: Layers, tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write tables with a registry, beside the layers of one's own that there are already."""
    if folder.exists() and any(folder.iterdir()):
        raise InputError(Fault("suitability.folder_in_use", folder))
    rows = {}
    for name, layer in base.own.items():
        scratch.write(folder / layer.file, base.content(name))
        rows[name] = layer.model_dump(mode="json")
    for name, table in tables.items():
        content, shipped = spreadsheet.as_csv(table), base.registry[name]
        file = f"{name}.csv"
        scratch.write(folder / file, content)
        rows[name] = shipped.model_dump(mode="json") | {
            "file": file,
            "title_zh": f"{shipped.title_zh}（含初筛地块）",
            "title_en": f"{shipped.title_en} (screened land added)",
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "rows": len(table),
            "made_by": MADE_BY,
        }
    scratch.write(folder / SOURCES, tomli_w.dumps({"layers": rows}).encode())
