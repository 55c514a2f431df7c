"""From a planner's own files of parcels and exclusions to developable land, and to numbers that a scenario can use.

The parcels are a vector file with a `site` column (and the columns of `supply.parcels` where they are known); the
rules are a CSV with `name`, `layer` and `buffer_m`, in the order in which ground is charged, whose layers lie in one
GeoPackage. `data/sample/` shows them (示例).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import tomli_w
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from geo_cluster import toml
from geo_cluster.box import door
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.supply.land import Exclusion, developable
from geo_cluster.supply.parcels import fitting, offered, parcel_faults
from geo_cluster.world import catalog, spreadsheet, tabular
from geo_cluster.world.coordinates import MU_PER_HA

ROUNDED_HA = 1e-4
"""What rounding may add to a column of `land.csv`."""


@dataclass(frozen=True)
class Survey:
    """What the ground of some sites gives.

    Attributes
    ----------
    land : GeoDataFrame
        One row a parcel: its own columns and those of `developable`; geometry is the net land.
    sites : DataFrame
        Net hectares on offer by site, the largest piece, and how much rests on unknown ground.
    fits : GeoDataFrame
        Parcels and unions of adjoining ones that hold the project asked about; empty when none was.
    """

    land: gpd.GeoDataFrame
    sites: pd.DataFrame
    fits: gpd.GeoDataFrame


def survey(
    parcels: gpd.GeoDataFrame,
    rules: list[Exclusion],
    *,
    land_mu: float | None = None,
    hall_m: tuple[float, float] | None = None,
) -> Survey:
    """Subtract the rules from the parcels, sum up by site, and look for room for one project.

    Parameters
    ----------
    parcels : GeoDataFrame
        With `site`, and the columns of `supply.parcels` where they are known.
    rules : list of Exclusion
        In the order in which ground is charged.
    land_mu : float, optional
        Land that the project needs, mu.
    hall_m : (width, length), optional
        Its largest hall, metres.

    Returns
    -------
    Survey

    Raises
    ------
    InputError
        With every fault of the parcels or the rules.
    """
    table = toml.table("land")
    check(parcels)
    found = developable(parcels, rules)
    own = parcels.drop(columns=parcels.geometry.name)
    land = found.join(own[[column for column in own if column not in found]])
    free = land[offered(parcels, land=table)]
    fits = fitting(free, land_mu, hall=hall_m, land=table) if land_mu else gpd.GeoDataFrame(geometry=[], crs=land.crs)
    return Survey(land, totals(free), fits)


def totals(land: pd.DataFrame) -> pd.DataFrame:
    """Land on offer summed up by site.

    Parameters
    ----------
    land : DataFrame
        Of a survey: `site` and the columns of `developable`.

    Returns
    -------
    DataFrame
        One row a site: `net_ha`, `unknown_ha`, what each rule took (``lost_<name>_ha``), `largest_piece_ha`, `net_mu`.
    """
    lost = [column for column in land if str(column).startswith("lost_")]
    wanted = {column: (column, "sum") for column in ("net_ha", "unknown_ha", *lost)}
    sites = land.groupby("site", sort=True).agg(**wanted, largest_piece_ha=("largest_piece_ha", "max"))
    sites["net_mu"] = sites["net_ha"] * MU_PER_HA
    return sites.round(4).reset_index()


def check(parcels: gpd.GeoDataFrame) -> None:
    """Refuse parcels that can't be surveyed.

    Parameters
    ----------
    parcels : GeoDataFrame
        Counted from 1.

    Raises
    ------
    InputError
        With every fault, before any rule is read.
    """
    missing = [] if "site" in parcels else [Fault("supply.site_missing", Place("parcels", column="site"))]
    refuse_if(missing + parcel_faults(parcels, land=toml.table("land")))


def read_rules(rules: Path, layers: Path) -> list[Exclusion]:
    """Open the rules and the layers that they name.

    Parameters
    ----------
    rules : Path
        CSV of `name`, `layer`, `buffer_m`, in the order in which ground is charged.
    layers : Path
        GeoPackage of the layers.

    Returns
    -------
    list of Exclusion

    Raises
    ------
    InputError
        With every fault of both files: columns missing, a rule without a layer or a number.
    """
    faults: list[Fault] = []
    contents = []
    for path in (rules, layers):
        try:
            contents.append(door.content_of(path))
        except InputError as refusal:
            faults += refusal.faults
    refuse_if(faults)
    return rules_of(contents[0], rules.name, contents[1], layers.name)


def rules_of(rules: bytes, rules_name: str, layers: bytes, layers_name: str) -> list[Exclusion]:
    """Exclusion rules and their layers from the bytes of both files; see `read_rules`.

    Parameters
    ----------
    rules, layers : bytes
        Both files.
    rules_name, layers_name : str
        What they are called in the faults; the ending of `layers_name` says what it is.

    Returns
    -------
    list of Exclusion

    Raises
    ------
    InputError
        With every fault of both files.
    """
    faults: list[Fault] = []
    table, found = pd.DataFrame(), door.Shapes({}, {})
    try:
        table = tabular.read(rules, rules_name)
    except InputError as refusal:
        faults += refusal.faults
    wanted = sorted(set(table["layer"])) if "layer" in table and not table.columns.duplicated().any() else []
    try:
        found = door.shapes({door.suffix(layers_name): layers}, layers_name, layers=wanted)
    except InputError as refusal:
        faults += refusal.faults
    refuse_if(faults)
    for column in ("name", "layer", "buffer_m"):
        here, count = Place(rules_name, column=column), int((table.columns == column).sum())
        if not count:
            faults.append(Fault("supply.rule_column_missing", here))
        if count > 1:
            faults.append(Fault("supply.rule_column_twice", here))
    refuse_if(faults)
    buffers = pd.to_numeric(table["buffer_m"], errors="coerce")
    known = sorted(found.layers)
    faults += [
        Fault("supply.rule_layer_unknown", Place(rules_name, row=int(row)), layer=layer, file=layers_name, known=known)
        for row, layer in table["layer"].items()
        if layer not in found.layers
    ]
    faults += [
        Fault("supply.buffer_no_number", Place(rules_name, row=int(row), column="buffer_m"), value=cell)
        for row, cell in table["buffer_m"][buffers.isna()].items()
    ]
    refuse_if(faults)
    return [
        Exclusion(name, found.read[layer], float(metres))
        for name, layer, metres in zip(table["name"], table["layer"], buffers, strict=True)
    ]


def tables(found: Survey) -> dict[str, bytes]:
    """`land.csv`, a row a parcel, and `sites.csv`, a row a site, as bytes."""
    flat = pd.DataFrame(found.land.drop(columns=["geometry", "rectangle"])).round(4)
    rows = {"land.csv": flat, "sites.csv": found.sites}
    return {name: spreadsheet.as_csv(table) for name, table in rows.items()}


def write(found: Survey, folder: Path, *, source: str) -> None:
    """Write `land.csv`, `sites.csv`, `land.gpkg` and `known.toml` (entries for a scenario) into a folder.

    Parameters
    ----------
    found : Survey
    folder : Path
        One that is there.
    source : str
        Where the numbers come from, for `known.toml`.

    Raises
    ------
    OSError
        The files can't be written or the disk is full.
    """
    for name, content in tables(found).items():
        (folder / name).write_bytes(content)
    try:
        _write_package(found, folder / "land.gpkg")
    except (DataSourceError, DataLayerError, FeatureError) as problem:
        raise OSError(str(problem)) from problem
    (folder / "known.toml").write_text(tomli_w.dumps({"known": known(found.sites, source)}), encoding="utf-8")


def _write_package(found: Survey, package: Path) -> None:
    found.land.drop(columns="rectangle").to_file(package, layer="net_land")
    halls = found.land.drop(columns="geometry").set_geometry("rectangle", crs=found.land.crs)
    halls[~halls.geometry.is_empty].to_file(package, layer="largest_rectangle")
    if len(found.fits):
        fits = found.fits.assign(parcels=[", ".join(map(str, labels)) for labels in found.fits["parcels"]])
        fits.to_file(package, layer="fits")
    spreadsheet.undate_package(package)


def known(sites: pd.DataFrame, source: str) -> list[dict[str, Any]]:
    """Scenario entries of net land and the largest piece, hectares.

    Unknown ground is in the interval, not in the number; the largest piece is exact or nothing.

    Parameters
    ----------
    sites : DataFrame
        As `totals` gives it.
    source : str
        Where the numbers are from.

    Returns
    -------
    list of dict
        Fields of `domain.KnownBetter`.
    """
    rows = []
    for row in sites.itertuples():
        net, least = round(float(row.net_ha), 3), round(max(float(row.net_ha - row.unknown_ha), 0.0), 3)
        piece = round(float(row.largest_piece_ha), 3)
        for attribute, low, high in (("available_land_ha", least, net), ("largest_piece_ha", piece, piece)):
            entry = {"subject": str(row.site), "attribute": attribute, "low": low, "likely": high, "high": high}
            rows.append(entry | {"basis": "derived", "source": source})
    return rows


def read_land(content: bytes) -> pd.DataFrame:
    """Read a `land.csv` that `write` wrote.

    Parameters
    ----------
    content : bytes
        Of the file.

    Returns
    -------
    DataFrame

    Raises
    ------
    InputError
        For what is no such table.
    """
    try:
        return spreadsheet.read_csv(content, dtype={"site": str})
    except (ValueError, pd.errors.ParserError) as problem:
        reason = (str(problem).splitlines() or [type(problem).__name__])[0]
        raise InputError(Fault("supply.land_unreadable", "land.csv", reason=reason)) from None


def on_offer(land: pd.DataFrame) -> pd.Series:
    """Net land by site that can be given to a project.

    Parameters
    ----------
    land : DataFrame
        A survey's parcels, or the `land.csv` that was written of them.

    Returns
    -------
    Series
        mu by site.
    """
    free = land[offered(land, land=toml.table("land"))]
    sites = land["site"].astype(str)
    return free.groupby(sites, sort=True)["net_ha"].sum().reindex(sorted(set(sites)), fill_value=0.0) * MU_PER_HA


def losses(land: pd.DataFrame) -> pd.DataFrame:
    """What each rule took of each site.

    Parameters
    ----------
    land : DataFrame
        A survey's parcels, or the `land.csv` that was written of them.

    Returns
    -------
    DataFrame
        One row a site and step, in the order in which ground is charged: `site`, `step` (``gross``, each rule's
        name, ``net``), `ha` (gross, lost, net) and `left_ha`, what is left after the step. Granted parcels count.

    Raises
    ------
    InputError
        When columns are missing, or gross is not net and losses.
    """
    rules = [column for column in land if column.startswith("lost_") and column.endswith("_ha")]
    missing = [column for column in ("site", "gross_ha", "net_ha") if column not in land]
    refuse_if([Fault("supply.land_column_missing", Place("land.csv", column=column)) for column in missing])
    columns = ["gross_ha", *rules, "net_ha"]
    numbers = land[columns].apply(pd.to_numeric, errors="coerce")
    spoilt = numbers.isna().any(axis=1) | (
        (numbers["gross_ha"] - numbers["net_ha"] - numbers[rules].sum(axis=1)).abs() > ROUNDED_HA * len(columns)
    )
    rows = (int(row) + 2 for row in spoilt.to_numpy().nonzero()[0])
    refuse_if([Fault("supply.land_adds_up_wrong", Place("land.csv", row=row)) for row in rows])
    steps = numbers.groupby(land["site"].astype(str), sort=True).sum()
    left = steps["gross_ha"].to_numpy()[:, None] - steps[rules].cumsum(axis=1).to_numpy()
    names = ["gross", *(column.removeprefix("lost_").removesuffix("_ha") for column in rules), "net"]
    return pd.DataFrame(
        {
            "site": steps.index.repeat(len(names)),
            "step": names * len(steps),
            "ha": steps.to_numpy().ravel(),
            "left_ha": np.column_stack([steps["gross_ha"], left, steps["net_ha"]]).ravel(),
        }
    )


def sample() -> Survey:
    """Survey the shipped sample pack (示例): two invented parks."""
    folder = catalog.sample_dir()
    rules = read_rules(folder / "sample_rules.csv", folder / "sample_exclusions.gpkg")
    found = door.shapes({".geojson": (folder / "sample_parcels.geojson").read_bytes()}, "sample_parcels.geojson")
    (parcels,) = found.read.values()
    parcels.index = pd.RangeIndex(1, len(parcels) + 1)
    return survey(gpd.GeoDataFrame(parcels), rules)
