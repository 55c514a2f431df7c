"""The screening that stays with a study's layers, as maps, papers and slides show it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyproj

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.study import Study, once
from geo_cluster.suitability import kept, picture
from geo_cluster.suitability.exclusions import OUTSIDE
from geo_cluster.suitability.headroom import interval
from geo_cluster.suitability.kept import Kept

SAMPLE: dict[Language, str] = {"zh": "（示例栅格，非真实地面）", "en": " (made-up rasters, not the real ground)"}


@once
def screening(study: Study) -> Kept | None:
    """The screening whose regions are sites of the layers; None where there is none, or no such site is left."""
    found, there = kept.opened(study.layers.folder), set(study.layers.read("sites")["id"])
    return found if found is not None and there & set(found.regions["site"]) else None


@once
def span(study: Study) -> tuple[float, float]:
    """From which to which score the colours run."""
    found = _there(study)
    return picture.classes(found.likely, count=len(look()["ramp"]))


def look() -> dict[str, Any]:
    """Colours of the surface in `tables/style.toml`."""
    return toml.table("style")["surface"]


def colour_of(study: Study, score: float | None) -> str:
    """The colour of a score; '' for none."""
    if score is None:
        return ""
    ramp, (low, high) = look()["ramp"], span(study)
    return str(ramp[min(max(int((score - low) / (high - low) * len(ramp)), 0), len(ramp) - 1)])


def drawn(study: Study, crs: int, bounds: tuple[float, float, float, float], shape: tuple[int, int]) -> bytes:
    """The surface as a PNG that covers a window.

    Parameters
    ----------
    study : Study
        With a screening.
    crs : int
        EPSG code of the window.
    bounds : (west, south, east, north)
        Of the window in that system.
    shape : (height, width)
        In pixels.
    """
    found, west, south, east, north = _there(study), *bounds
    cell = picture.cells_of(found.grid, crs, bounds, shape)
    layout, colours = picture.Layout(cell, ((south, west), (north, east))), look()
    how = {"colours": colours["ramp"], "taken": colours["taken"], "unknown": colours["unknown"]}
    return picture.drawn(layout, found.code, found.likely, span=span(study), **how)


def corners(study: Study) -> np.ndarray:
    """(n, 2) degrees: the edge of the window that holds the area."""
    found = _there(study)
    rows, columns = np.nonzero(found.code != OUTSIDE)
    grid = found.grid
    west, east = grid.west + columns.min() * grid.cell_m, grid.west + (columns.max() + 1) * grid.cell_m
    north, south = grid.north - rows.min() * grid.cell_m, grid.north - (rows.max() + 1) * grid.cell_m
    share = np.linspace(0, 1, 9)
    x = np.concatenate([west + share * (east - west)] * 2 + [np.full(9, west), np.full(9, east)])
    y = np.concatenate([np.full(9, south), np.full(9, north)] + [south + share * (north - south)] * 2)
    return np.column_stack(pyproj.Transformer.from_crs(grid.crs, 4326, always_xy=True).transform(x, y))


def sources(study: Study, language: Language) -> list[str]:
    """Whom the screening's data are owed to, with the licence of each file, each once."""
    registry, told = study.layers.registry, []
    for row in _there(study).about["sources"].values():
        layer = registry.get(row["layer"])
        licence = f"（{row['licence']}）" if language == "zh" else f" ({row['licence']})"
        told.append(
            getattr(layer, f"attribution_{language}") if layer else f"{spoken(row['source'], language)}{licence}"
        )
    return list(dict.fromkeys(told))


def spoken(said: str, language: Language) -> str:
    """What a spec says once for all readers, Chinese / English, in a language where it has both."""
    chinese, _, english = said.partition(" / ")
    return english if english and language == "en" else chinese


def summary(study: Study, language: Language) -> pd.DataFrame:
    """The screening in one row: what is free, what was needed, the best region; nothing where there is none."""
    found = screening(study)
    if found is None:
        return pd.DataFrame()
    first = found.regions.iloc[0]
    row = {
        "free_share": found.free_share,
        "rules": len(found.about["rules"]),
        "regions": len(found.regions),
        "need_mu": found.about["need"]["land_mu"],
        "first": first[f"county_{language}"] or "—",
        "best": float(first["score"]),
        "low": float(first["score_low"]),
        "high": float(first["score_high"]),
        "made": int((found.regions["site"] != "").sum()),
        "note": SAMPLE[language] if found.is_sample else "",
    }
    return pd.DataFrame([row])


def regions(study: Study, language: Language) -> pd.DataFrame:
    """The regions of the screening: number, county, site that it became, land, score, power; nothing without one."""
    found = screening(study)
    rows = [] if found is None else found.regions.to_dict("records")
    return pd.DataFrame(
        {
            "region": [str(row["rank"]) for row in rows],
            "where": [str(row[f"county_{language}"] or "—") for row in rows],
            "became": [row["site"] or "—" for row in rows],
            "land_mu": [float(row["land_mu"]) for row in rows],
            "score": [float(row["score"]) for row in rows],
            "screen_band": [f"{row['score']:.1f} ({row['score_low']:.1f}–{row['score_high']:.1f})" for row in rows],
            "spare": [interval(row) if "mva_high" in row else "—" for row in rows],
        }
    )


def _there(study: Study) -> Kept:
    found = screening(study)
    assert found is not None  # nobody asks without one
    return found
