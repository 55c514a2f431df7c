"""A made-up site layer of any size: the shipped sites over and over, a little elsewhere, with numbers of their own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import tomli_w

from geo_cluster.world.layers import Layers

SAID = {"source": "https://example.org", "source_class": "b", "publisher": "示例", "source_is_copy": "no"}
SAID |= {"confidence": "low", "as_of": "2026-01", "notes": "示例：虚构"}
"""Who says so: nobody."""


def write_sites(count: int, folder: Path) -> Path:
    """Write `sites` and `observations` of `count` made-up sites, with their registry; nobody's plans.

    Parameters
    ----------
    count : int
    folder : Path
        Made where it isn't there.
    """
    rng, shipped = np.random.default_rng(2), Layers()
    some = pd.DataFrame(shipped.read("sites").drop(columns="geometry"))
    some = some[~some["site_class"].isin(["park_in_zone", "standard_factory"]) & (some["fit_grade"] != "X")]
    sites = some.iloc[np.arange(count) % len(some)].reset_index(drop=True)
    sites["id"] = [f"Z{n:05d}" for n in range(count)]
    sites["name_zh"], sites["name_en"] = (
        [f"示例园区{n}" for n in range(count)],
        [f"Sample site {n}" for n in range(count)],
    )
    sites[["zone_id", "catalogue_code"]] = ""
    for axis in ("lon", "lat"):
        sites[axis] = (sites[axis] + rng.uniform(-0.003, 0.003, count)).round(5)
    known = pd.DataFrame(shipped.read("observations"))
    land, price = (rng.uniform(low, high, count).round(1) for low, high in ((5, 120), (8, 30)))
    named = {"available_land_ha": (land, "ha"), "land_price_10k_yuan_per_mu": (price, "10k yuan/mu")}
    rows = [
        pd.DataFrame({"site_id": sites["id"], "attribute": key, "unit": unit}).assign(
            low=0.8 * likely, likely=likely, high=1.3 * likely
        )
        for key, (likely, unit) in named.items()
    ]
    more = pd.concat(rows, ignore_index=True).assign(basis="published", **SAID)
    observations = pd.concat([known[~known["site_id"].isin(some["id"])], more], ignore_index=True)
    return register(folder, sites=sites, observations=observations)


def register(folder: Path, **tables: pd.DataFrame) -> Path:
    """Write tables into a folder with a registry that agrees with them."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = {}
    for name, table in tables.items():
        content = table.to_csv(index=False, lineterminator="\n").encode()
        (folder / f"{name}.csv").write_bytes(content)
        about = {"file": f"{name}.csv", "sha256": hashlib.sha256(content).hexdigest()}
        about |= {"bytes": len(content), "rows": len(table)}
        rows[name] = Layers().registry[name].model_dump(mode="json") | about
    (folder / "sources.toml").write_text(tomli_w.dumps({"layers": rows}), encoding="utf-8")
    return folder
