"""Parcels that may be something else: too large, far from their site, of another area than they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster.domain import Text
from geo_cluster.errors import Fault
from geo_cluster.imports.cells import spans, unit_factor
from geo_cluster.imports.checked import Kind
from geo_cluster.imports.headings import Rows, calls_of, columns_of, key_of
from geo_cluster.supply.layer import zones_of
from geo_cluster.supply.parcels import Sliver

LARGEST_HA = 3000.0
"""A parcel larger than this is none: the largest area that was approved for a whole zone of ours has 2,003 ha."""

SMALLEST_HA = 0.02
"""Outlines smaller than this, 200 m2, are named: no plant stands on one, and a drawing in another scale has many."""

DIFFERS = 0.05
"""Part of its area by which an outline may differ from the area that its row says."""

AREA_UNITS = ("亩", "公顷", "平方米")
"""What a column of areas without a unit may be in."""

LISTED = 5


def hectares(parcels: gpd.GeoDataFrame) -> pd.Series:
    """Area of each outline, each in the zone of its longitude."""
    out = pd.Series(np.nan, index=parcels.index)
    zones = pd.Series(zones_of(parcels), index=parcels.index)
    for zone, rows in zones.groupby(zones).groups.items():
        shapes = parcels.geometry[rows]
        out[rows] = shapely.area((shapes.to_crs(int(zone)) if zone else shapes).to_numpy()) / 1e4
    return out


def size_faults(rows: Rows, area: pd.Series) -> Iterator[Fault]:
    """Outlines larger than any parcel is."""
    for row, one in area[area > LARGEST_HA].items():
        yield Fault("imports.parcel_too_large", rows.at(int(str(row)), "parcel"), km2=float(one) / 100)


def small_notes(area: pd.Series) -> Iterator[Text]:
    """Outlines smaller than any plot is, of a drawing in another scale or a scrap of one."""
    small = area[area < SMALLEST_HA]
    if len(small):
        rows = "、".join(str(row) for row in small.index[:LISTED])
        yield Text(
            zh=f"{len(small)} 个边界不足 200 平方米，仍计入（第 {rows} 行{'等' if len(small) > LISTED else ''}，"
            f"最小 {small.min() * 1e4:,.1f} 平方米）：请核对比例和单位，碎片请删去。",
            en=f"{len(small)} outlines have less than 200 m2 and count all the same (row {rows}; the least "
            f"{small.min() * 1e4:,.1f} m2): check scale and unit, and delete scraps.",
        )


def area_notes(rows: Rows, area: pd.Series) -> Iterator[Text]:
    """Rows whose outline has another area than their column says, which is in hectares by now."""
    bounds, bad = spans(rows.text["area"])
    said = pd.Series(np.where(bad, np.nan, bounds[:, 1]), index=area.index)
    differs = ((said - area).abs() > DIFFERS * area) & said.notna()
    if differs.any():
        shown = [
            (f"第 {row} 行 {said[row]:.2f} 对 {area[row]:.2f}", f"row {row} {said[row]:.2f} against {area[row]:.2f}")
            for row in area.index[differs][:LISTED]
        ]
        yield Text(
            zh=f"{int(differs.sum())} 块地所写面积与边界不符（公顷）：{'；'.join(zh for zh, _ in shown)}。"
            "按边界计，请核对。",
            en=f"{int(differs.sum())} parcels say another area than their outline has (ha): "
            f"{'; '.join(en for _, en in shown)}. The outline counts; check it.",
        )


def with_unit(table: pd.DataFrame, shapes: gpd.GeoSeries) -> pd.DataFrame:
    """A table of parcels with outlines whose column of areas says its unit: the one in which most outlines agree.

    A column that says none and agrees in none is of something else, and steps aside.
    """
    kind: Kind = "parcels"
    heading = next((key for key in table if key_of(kind, key) == "area"), None)
    if heading is None or calls_of(kind).of(heading).unit or any(key_of(kind, key) == "unit" for key in table):
        return table
    bounds, _ = spans(table[heading])
    area = hectares(gpd.GeoDataFrame(geometry=shapes)).to_numpy()
    is_said = np.isfinite(bounds[:, 1]) & (bounds[:, 1] > 0)
    for unit in AREA_UNITS:
        said = bounds[:, 1] * (unit_factor("available_land_ha", unit) or np.nan)
        if is_said.any() and (np.abs(said - area) <= DIFFERS * area)[is_said].mean() >= 0.5:
            return table.rename(columns={heading: f"{columns_of(kind)['area']['zh']}({unit})"})
    return table.drop(columns=heading)


def sliver_notes(slivers: Sequence[Sliver], names: Sequence[str]) -> Iterator[Text]:
    """Strips that neighbours share, which are let pass."""
    if slivers:
        most = max(slivers, key=lambda one: one.m2)
        pair = f"{names[most.one]}、{names[most.other]}"
        yield Text(
            zh=f"{len(slivers)} 处相邻地块重叠不足 0.1 米宽，未作处理；最大 {most.m2:,.0f} 平方米（{pair}）。",
            en=f"{len(slivers)} neighbours overlap by less than 0.1 m and are let pass; "
            f"the most is {most.m2:,.0f} m2 ({pair}).",
        )


def far_notes(groups: pd.DataFrame, near_km: float) -> Iterator[Text]:
    """Parcels that lie some way from the site that they name."""
    for row in groups[(groups["by"] != "place") & (groups["beyond"] > near_km)].itertuples():
        yield Text(
            zh=f"写明属于 {row.site} 的地块中，最远的离该园区 {row.km:.0f} 公里，请核对。",
            en=f"Of the parcels said to belong to {row.site} the farthest lies {row.km:.0f} km from it; check it.",
        )


def sum_notes(sums: pd.DataFrame, sites: pd.DataFrame) -> Iterator[Text]:
    """Sites with more land on offer than was approved for all of their zone."""
    approved = pd.to_numeric(sites.set_index("id")["approved_ha"], errors="coerce")
    for row in sums.itertuples():
        most = float(approved.get(row.site, np.nan))
        if row.net_ha > most:
            yield Text(
                zh=f"{row.site} 的可供用地 {row.net_ha:,.0f} 公顷超过公告核准面积 {most:,.0f} 公顷，"
                "请核对是否含已供地或区外地块。",
                en=f"{row.site} has {row.net_ha:,.0f} ha on offer, more than the {most:,.0f} ha approved for its zone; "
                "see whether granted land or land outside is among it.",
            )
