"""Layers of shapes as the rows of a table: outlines or points that count, what they say as text, what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster.box.outlines import closed
from geo_cluster.domain import Text
from geo_cluster.imports.cells import plain
from geo_cluster.imports.checked import Kind
from geo_cluster.imports.files import Layered
from geo_cluster.imports.headings import columns_of, key_of
from geo_cluster.world import layers

WEAK = ("name", "Name", "NAME", "Layer", "layer")
"""Headings that a format adds by itself: they name a parcel or a station only where no other column does."""

TRACK_GAP = 0.02
"""How far apart the ends of a GPS track may be, as a part of its length, when somebody walked around a parcel."""

GPX = {"waypoints", "routes", "tracks"}
"""Layers that every GPX has, mostly empty."""

LISTED = 5
"""So many rows or layers are named in a note."""

LEFT_OUT = {
    "GroundOverlay": Text(zh="贴图", en="pictures on the ground"),
    "ScreenOverlay": Text(zh="屏幕图片", en="pictures on the screen"),
    "PhotoOverlay": Text(zh="照片", en="photographs"),
    "NetworkLink": Text(zh="指向其他文件的链接", en="links to other files"),
    "Model": Text(zh="三维模型", en="models of bodies"),
    "Tour": Text(zh="游览路线", en="tours"),
    "paper": Text(zh="图纸空间中的图形", en="shapes on the sheets of the drawing"),
    "elsewhere": Text(
        zh="外部参照（图形在别的图纸里，请绑定后再存）", en="references to other drawings (bind them and save again)"
    ),
    "unread_in_drawing": Text(
        zh="CAD 专有对象（代理对象、面域、实体，须先分解）", en="objects of CAD programs alone (explode them)"
    ),
}
"""What a file may hold besides shapes, by the key that the box gives it."""


def usable(found: Layered, kind: Kind, *, is_track: bool = False) -> tuple[gpd.GeoDataFrame, list[Text]]:
    """The shapes that count for a kind, with their row numbers, and what was made of the others.

    Parameters
    ----------
    found : Layered
    kind : str
        Parcels have outlines, substations points; observations and projects take what there is.
    is_track : bool
        Lines were walked: their ends may be some way apart.
    """
    notes = list(_told(found))
    frame = found.frame
    if kind != "parcels":
        is_there = ~shapely.is_missing(frame.geometry.to_numpy()) & ~shapely.is_empty(frame.geometry.to_numpy())
        is_line = np.isin(shapely.get_type_id(frame.geometry.to_numpy()), (1, 2, 5))
        notes += _rows_left(found, ~is_there, Text(zh="没有图形，未计", en="without a shape are left out"))
        notes += _rows_left(found, is_line, Text(zh="是线，未计", en="are lines and left out"))
        return frame[is_there & ~is_line], notes
    shapes, made = closed(frame.geometry.to_numpy(), gap=TRACK_GAP if is_track else 1e-6)
    shapes = _areas(shapes)
    if made.any():
        notes.append(
            Text(
                zh=f"{int(made.sum())} 条首尾相接的线按边界读取。",
                en=f"{int(made.sum())} lines whose ends meet are read as outlines.",
            )
        )
    flat = shapely.is_missing(shapes)
    was = frame.geometry.to_numpy()
    nothing = shapely.is_missing(was) | shapely.is_empty(was)
    notes += _layers_left(found, flat & ~nothing)
    notes += _rows_left(found, nothing, Text(zh="没有边界，未计", en="without an outline are left out"))
    again = _again(shapes)
    notes += _rows_left(
        found,
        again,
        Text(zh="与前面的地块边界完全相同，只计一次", en="have the outline of an earlier one, which counts once"),
    )
    kept = ~flat & ~again
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))[kept], notes


def _areas(shapes: np.ndarray) -> np.ndarray:
    """The parts of shapes that have an area; None where there are none."""
    out = shapes.copy()
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == 7)
    for k in mixed:
        parts = shapely.get_parts(shapes[k])
        parts = parts[np.isin(shapely.get_type_id(parts), (3, 6))]
        out[k] = shapely.multipolygons(shapely.get_parts(parts)) if len(parts) else None
    out[(shapely.get_dimensions(out) < 2) | shapely.is_empty(out)] = None
    return out


def _again(shapes: np.ndarray) -> np.ndarray:
    """Which shapes are those of earlier rows, to a tenth of a millimetre in metres."""
    is_there = ~shapely.is_missing(shapes)
    grid = 1e-9 if np.nanmax(np.abs(shapely.total_bounds(shapes)), initial=0.0) <= 400 else 1e-4
    seen, out = set(), np.zeros(len(shapes), dtype=bool)
    where = np.flatnonzero(is_there)
    rounded = shapely.normalize(shapely.set_precision(shapes[where], grid, mode="pointwise"))
    for k, mark in zip(where, shapely.to_wkb(rounded), strict=True):
        out[k] = mark in seen
        seen.add(mark)
    return out


def _told(found: Layered) -> Iterable[Text]:
    """What the file holds that is no shape, and which of its layers were not chosen."""
    for key, words in LEFT_OUT.items():
        if count := found.told.get(key, 0):
            yield Text(
                zh=f"{count} 个{words.zh}不是边界，未计。", en=f"Left out: {count} {words.en}, which are no outlines."
            )
    if count := found.told.get("closed", 0):
        yield Text(zh=f"{count} 条首尾相接的线按边界读取。", en=f"{count} lines whose ends meet are read as outlines.")
    if count := found.told.get("joined", 0):
        yield Text(
            zh=f"{count} 个边界由多段线首尾拼成，请核对。",
            en=f"{count} outlines are put together of several lines; check them.",
        )
    if count := found.told.get("hidden", 0):
        yield Text(
            zh=f"{count} 个图形在文件中隐藏、关闭或冻结，仍计入；若已作废，请去掉其图层。",
            en=f"{count} shapes are hidden, off or frozen in the file and count all the same; "
            "leave out their layer if they are void.",
        )
    others = {key: count for key, count in found.told.items() if key.startswith(".")}
    if others:
        listed = [f"{key} ×{count}" for key, count in others.items()]
        yield Text(
            zh=f"压缩包里还有未读的文件：{'、'.join(listed)}，请单独导入。",
            en=f"The archive holds other files that were not read: {', '.join(listed)}. Give them by themselves.",
        )
    read = [layer for layer in found.layers if layer.is_read and layer.rows]
    empty = [layer.name or "—" for layer in found.layers if layer.is_read and not layer.rows]
    rest = [layer.name or "—" for layer in found.layers if not layer.is_read]
    if len(read) > 1:
        each = [f"{layer.name or '—'}（{layer.rows}）" for layer in read]
        yield Text(
            zh=f"读取 {len(read)} 个图层：{'、'.join(each[:12])}{'等' if len(each) > 12 else ''}。",
            en=f"{len(read)} layers are read: {', '.join(each[:12])}{' and others' if len(each) > 12 else ''}.",
        )
    if empty and not {*empty} <= GPX:
        yield Text(zh=f"空图层：{'、'.join(empty[:12])}。", en=f"Layers without rows: {', '.join(empty[:12])}.")
    if rest:
        yield Text(zh=f"未读取的图层：{'、'.join(rest[:12])}。", en=f"Layers not read: {', '.join(rest[:12])}.")


def _layers_left(found: Layered, which: np.ndarray) -> list[Text]:
    """Points and lines that were left out, whole layers by name and single rows by number."""
    out = []
    entire = [name for name, rows in found.of.groupby(found.of, sort=False).groups.items() if which[rows - 1].all()]
    layers_there = len(found.of.unique())
    if entire and len(entire) < layers_there:
        names = "、".join(str(name) or "—" for name in entire[:LISTED])
        out.append(
            Text(zh=f"图层 {names} 只有点或线，未计。", en=f"Layers of points or lines alone are left out: {names}.")
        )
        which = which & ~found.of.isin(entire).to_numpy()
    return out + _rows_left(found, which, Text(zh="是点或线，没有面积，未计", en="are points or lines and left out"))


def _rows_left(found: Layered, which: np.ndarray, what: Text) -> list[Text]:
    if not which.any():
        return []
    several = len(found.of.unique()) > 1
    rows = [
        f"{found.of[number]} {found.row[number]}" if several else str(number)
        for number in found.frame.index[which][:LISTED]
    ]
    count = int(which.sum())
    return [
        Text(
            zh=f"{count} 个图形{what.zh}（第 {'、'.join(rows)} {'行等' if count > LISTED else '行'}）。",
            en=f"{count} shapes {what.en} (row {', '.join(rows)}{' and others' if count > LISTED else ''}).",
        )
    ]


# ---- what they say ------------------------------------------------------------------------------------------


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns without the shapes as text: whole numbers without a point, days without a time, '' for nothing."""
    out = {}
    for key in frame.columns:
        if isinstance(frame, gpd.GeoDataFrame) and key == frame.geometry.name:
            continue
        values = frame[key]
        if pd.api.types.is_float_dtype(values):
            out[key] = values.map(lambda one: "" if pd.isna(one) else f"{one:.15g}")
        elif pd.api.types.is_datetime64_any_dtype(values):
            out[key] = values.dt.strftime("%Y-%m-%d").fillna("")
        else:
            out[key] = values.astype(object).where(values.notna(), "").astype(str)
    return pd.DataFrame(out, index=frame.index, dtype=object)


def headed(table: pd.DataFrame, kind: Kind, cut: Iterable[str] = ()) -> pd.DataFrame:
    """The same under headings that can be matched: those cut off are completed, those a format adds step back.

    Parameters
    ----------
    table : DataFrame
        Text.
    kind : str
    cut : sequence of str
        Headings whose end is missing.
    """
    table = table.rename(columns={key: _completed(key, kind) for key in cut if key in table})
    target = {"parcels": "parcel", "substations": "name"}.get(kind)
    if target is None:
        return table
    meant = {key: key_of(kind, key) for key in table.columns}
    weak = [key for key in table.columns if key in WEAK]
    strong = [key for key, one in meant.items() if one == target and key not in weak]
    if not weak or strong:
        return table.drop(columns=weak) if strong else table
    label = next((key for key in weak if key.lower() == "name"), None)
    names = table[label] if label else pd.Series("", index=table.index, dtype=object)
    layer = next((key for key in weak if key.lower() == "layer"), None)
    if layer:
        names = names.where(names != "", table[layer])
    heading = columns_of(kind)[target]["zh"]
    return table.drop(columns=weak).assign(**{heading: numbered(names) if kind == "parcels" else names})


def numbered(names: pd.Series) -> pd.Series:
    """Names with a number where several are the same.

    >>> numbered(pd.Series(["甲", "甲", "乙", ""])).tolist()
    ['甲-1', '甲-2', '乙', '']
    """
    many = names.duplicated(keep=False) & (names != "")
    return names.where(~many, names + "-" + (names.groupby(names).cumcount() + 1).astype(str))


def _completed(heading: str, kind: Kind) -> str:
    """A heading whose end is missing as the one declared heading that begins so; itself where that isn't clear."""
    if key_of(kind, heading):
        return heading
    calls: dict[str, str] = {}
    for key, column in columns_of(kind).items():
        for call in (column["zh"], column["en"], *column.get("aliases", ())):
            if plain(call).lower().startswith(plain(heading).lower()):
                calls.setdefault(key, call)
    return next(iter(calls.values())) if len(calls) == 1 else heading


def points_of(frame: gpd.GeoDataFrame, table: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """A `table` of points, with `lon` and `lat` in WGS 84 from `frame` instead of columns of its `kind` that say so."""
    points = frame.geometry.to_crs(layers.CRS).representative_point()
    stale = [key for key in table.columns if key_of(kind, key) in ("lon", "lat")]
    return table.drop(columns=stale).assign(lon=points.x.map("{:.7f}".format), lat=points.y.map("{:.7f}".format))


def site_by_layer(found: Layered, calls: Mapping[str, str]) -> pd.Series:
    """The site that a row's layer or folder is named after; '' where it is none."""

    def site(layer: str) -> str:
        return next((part for part in reversed(str(layer).split("/")) if calls.get(plain(part).lower())), "")

    by = {layer: site(layer) for layer in found.of.unique()}
    return found.of.map(by)
