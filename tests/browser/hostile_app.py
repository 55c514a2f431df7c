"""The app for a visitor whose own projects, sites and sources have hostile names. Run by streamlit, not by pytest."""

import hashlib
import runpy
import sys
from pathlib import Path

import pandas as pd
import tomli_w

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # streamlit runs this file as a script

from app import cached, session, state
from geo_cluster.world import catalog, portfolio
from geo_cluster.world.layers import Layers
from tests.browser.hostile import NAMES


def projects() -> bytes:
    """A portfolio whose names and notes are hostile."""
    rows = [
        {"id": f"H{n}", "name": name, "segment": "光纤激光器", "output_100m_yuan": "2", "notes": name}
        for n, name in enumerate(NAMES)
    ]
    return pd.DataFrame(rows).rename(columns=portfolio.columns()).to_csv(index=False).encode()


def own_sites() -> dict[str, bytes]:
    """The shipped sites under hostile names, registered as a planner's own layer."""
    layer = Layers().registry["sites"]
    table = pd.read_csv(catalog.data_dir() / layer.file, dtype=str, keep_default_na=False)
    for language in ("zh", "en"):
        first = table["id"].tolist().index("E01")  # the best site of most has the worst name
        names = [NAMES[(n - first) % len(NAMES)] for n in range(len(table))]
        table[f"name_{language}"] = [f"{name} {site}" for name, site in zip(names, table["id"], strict=True)]
    content = table.to_csv(index=False, lineterminator="\n").encode()
    row = layer.model_dump() | {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    row |= {"producer": NAMES[0], "title_zh": NAMES[1], "title_en": NAMES[1], "notes": NAMES[3]}
    registry = tomli_w.dumps({"layers": {"sites": row}}).encode()
    return {"layers/sources.toml": registry, f"layers/{layer.file}": content}


if not session.kept("hostile"):
    session.keep("hostile", True)
    sites = pd.read_csv(catalog.data_dir() / Layers().registry["sites"].file)["id"]
    known = [
        {"subject": site, "attribute": "available_land_ha", "low": 20, "likely": 30, "high": 40, "source": name}
        for site, name in zip(sites, NAMES, strict=False)
    ]
    for n, name in enumerate(NAMES):
        state.change(name, time_limit_s=20.0 + n)  # each is in the history
    state.rename_work("www.evil.example https://evil.example a@evil.example")
    state.change(NAMES[0], known=known)
    state.attach(NAMES[1], **{"projects.csv": projects()}, **own_sites())
    state.take_study(cached.study_of(state.scenario()))
runpy.run_path(str(Path(cached.__file__).with_name("main.py")))
