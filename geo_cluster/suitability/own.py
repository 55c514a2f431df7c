"""The spec of a screening of files that a planner brings.

It names files as they were brought, so that the command line gives the same answer with it beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import tomli_w

from geo_cluster import toml
from geo_cluster.suitability.pieces import Piece, legends, plain_name
from geo_cluster.suitability.uses import Ground, Use, area_bounds, sheet_of

WEIGHT = 8.0
LAYER_CRITERIA = ("rd_minutes", "supplier_access", "customer_access", "grid_km")


def row_of(pieces: Mapping[str, Piece], uses: Mapping[str, Use], ground: Ground) -> dict[str, Any]:
    """The spec of what was brought, as its tables; what it is made of has no faults (`misuses.faults`).

    Parameters
    ----------
    pieces, uses : mapping
        By key.
    ground : Ground
    """
    ours = toml.table("suitability")
    row: dict[str, Any] = {"name": {"zh": ground.name, "en": ground.name}, "anchor": ours["anchor"]}
    row |= {"grid": {"crs": ground.crs, "cell_m": ground.cell_m}, "sources": {}, "exclusions": {}, "criteria": {}}
    if ground.with_layers:
        row["exclusions"] |= ours["exclusions"]
        row["criteria"] |= {key: ours["criteria"][key] for key in LAYER_CRITERIA}
        named = {one["source"] for one in (*ours["exclusions"].values(), *row["criteria"].values()) if "source" in one}
        row["sources"] |= {key: one for key, one in ours["sources"].items() if key in named}
    for key, piece in pieces.items():
        use = uses[key]
        if use.role == "aside":
            continue
        row["sources"][key] = _source(piece, use)
        if use.role == "area":
            row["grid"]["area"] = key
            continue
        row["exclusions"] |= _rules(key, piece, use)
        row["criteria"] |= _criteria(key, piece, use)
    if ground.prefecture and "area" not in row["grid"]:
        row["grid"]["area"] = "area"
        row["sources"]["area"] = {
            "layer": "prefectures",
            "where": {"column": "code", "classes": [ground.prefecture]},
            "source": "图层 prefectures / layer prefectures",
            "licence": "见图层登记 / as registered",
        }
    if "area" not in row["grid"]:
        bounds = area_bounds(pieces, uses, ground.crs)
        assert bounds is not None  # `misuses.faults` saw to it
        row["grid"]["bounds"] = [float(round(one, 3)) for one in bounds]
    return row | {"need": ours["need"]}


def _source(piece: Piece, use: Use) -> dict[str, Any]:
    row: dict[str, Any] = {"file": piece.file}
    row |= {"crs": use.crs} if use.crs else {}
    row |= {"source": use.source.strip(), "licence": use.licence.strip() or "未注明 / not stated"}
    if piece.looked is None:
        return row | ({"sheet": sheet_of(piece, use)} if sheet_of(piece, use) and len(piece.layers or {}) > 1 else {})
    if use.unknown:
        row["nodata"] = "none" if use.unknown == "none" else float(use.unknown)
    row |= {"band": use.band} if use.band > 1 else {}
    if use.role == "slope":
        row |= {"unit": use.unit, "resampling": "bilinear"}
    if use.role == "number":
        row["resampling"] = "average"
    if use.role == "cover":
        there = sorted(int(one) for one in piece.classes)
        row["legend"] = [int(one) for one in legends()[use.legend]["classes"]] if use.legend else there
    return row


def _rules(key: str, piece: Piece, use: Use) -> dict[str, Any]:
    stem = PurePosixPath(piece.file).stem[:40]
    if use.role == "slope":
        name = {"zh": f"坡度大于 {use.steep:g}%（{stem}）", "en": f"Slope above {use.steep:g} % ({stem})"}
        return {key: {"source": key, "slope": True, "above": use.steep, "name": name}}
    if use.role not in ("cover", "mask"):
        return {}
    row: dict[str, Any] = {"source": key}
    row |= {"classes": list(use.takes)} if piece.looked else {}
    row |= {"buffer_m": use.buffer_m} if use.buffer_m else {}
    row |= {"takes_most": True} if use.takes_most else {}
    if use.role == "cover":
        return {key: row | {"name": {"zh": f"地表覆盖（{stem}）", "en": f"Land cover ({stem})"}}}
    return {key: row | {"name": {"zh": f"不得使用（{stem}）", "en": f"Not to be used ({stem})"}}}


def _criteria(key: str, piece: Piece, use: Use) -> dict[str, Any]:
    stem = PurePosixPath(piece.file).stem[:40]
    if use.role == "slope":
        about: dict[str, Any] = {
            "measure": "slope",
            "worst": max(use.steep, 1.0),
            "best": 0.0,
            "unit": {"zh": "%", "en": "%"},
        }
        about["name"] = {"zh": f"地面坡度（{stem}）", "en": f"Slope of the ground ({stem})"}
    elif use.role == "near":
        about = {"measure": "distance_km", "worst": use.worst, "best": use.best, "unit": {"zh": "公里", "en": "km"}}
        about["name"] = {"zh": f"到{stem}的距离", "en": f"Distance to {stem}"}
    elif use.role == "number":
        unit = use.unit_name.strip()[:20]
        about = {"measure": "number", "worst": use.worst, "best": use.best}
        about |= {"unit": {"zh": unit or "数值", "en": unit or "value"}, "name": {"zh": stem, "en": stem}}
    else:
        return {}
    return {key: {"source": key, "weight": WEIGHT, **about}}


def written(row: Mapping[str, Any]) -> bytes:
    """A spec as a TOML file."""
    head = (
        "# 由“找地”页按所拖入的文件生成。放在这些文件旁运行 geo-cluster suitability，得同样的结果。\n"
        "# Made on the page 找地 of the files dropped there. Beside them, geo-cluster suitability gives the same.\n\n"
    )
    return (head + tomli_w.dumps(row)).encode()


def kept_as(row: Mapping[str, Any], copies: Mapping[tuple[str, int], str]) -> dict[str, Any]:
    """The same spec with the copies that stand for the files here, each of one band.

    Parameters
    ----------
    row : mapping
    copies : mapping of str
        By file and band.
    """
    sources = {}
    for key, one in row["sources"].items():
        place = str(one.get("file", "")), one.get("band", 1)
        copied = place in copies
        sources[key] = {**one, "file": copies[place], "band": 1} if copied else dict(one)
    return {**row, "sources": sources}


def with_files(row: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    """A spec that somebody brings, its files by the names under which they are kept; see `misuses.brought_faults`."""
    sources = {
        key: {**one, "file": files[plain_name(str(one["file"]))]} if one.get("file") else one
        for key, one in row.get("sources", {}).items()
    }
    return {**row, "sources": sources} if sources else dict(row)
