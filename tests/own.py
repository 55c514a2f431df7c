"""Layers of one's own, as a planner would lay them into a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import tomli_w

from geo_cluster.world.layers import Layers

SITE = "Z01"
"""Id of the site that `sites` adds."""


def sites(name: str = "自有园区") -> pd.DataFrame:
    """The shipped sites, and one more beside E08."""
    table = pd.DataFrame(Layers().read("sites").drop(columns="geometry"))
    beside = table[table["id"] == "E08"].assign(id=SITE, name_zh=name, name_en="Own site")
    return pd.concat([table, beside], ignore_index=True)


def register(folder: Path, **tables: pd.DataFrame) -> Path:
    """Write tables into a folder with a registry that agrees with them."""
    folder.mkdir(exist_ok=True)
    rows = {}
    for name, table in tables.items():
        content = table.to_csv(index=False, lineterminator="\n").encode()
        (folder / f"{name}.csv").write_bytes(content)
        about = {"file": f"{name}.csv", "sha256": hashlib.sha256(content).hexdigest()}
        about |= {"bytes": len(content), "rows": len(table)}
        rows[name] = Layers().registry[name].model_dump(mode="json") | about
    (folder / "sources.toml").write_text(tomli_w.dumps({"layers": rows}), encoding="utf-8")
    return folder


def scenario(path: Path, *more: str) -> Path:
    """A scenario file that names the folder `own` beside it, with further lines."""
    lines = ['name = { zh = "自有", en = "own" }', 'layers = "own"', "draws = 200", *more]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
