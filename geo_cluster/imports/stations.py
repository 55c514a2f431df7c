"""Which station a row means: one that is known under another name, one that stands twice, one whose id is another's."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from geo_cluster.domain import Text
from geo_cluster.errors import Fault
from geo_cluster.imports.cells import plain
from geo_cluster.imports.headings import Rows
from geo_cluster.imports.observations import SUBJECTS, subjects

_VOLTAGE = re.compile(r"[±]?\d+(?:\.\d+)?\s*(?:千伏|kv)(?:特高压)?", re.IGNORECASE)
_BRACKET = re.compile(r"\([^()]*\)")
_KIND = re.compile(r"(?:输变电工程|变电工程|变电站|变电\u6240|换流站|升压站|变|站)+$")

SAME_KM = 5.0
"""Stations of one name farther apart than this, and than the doubt of their positions, are two."""

BESIDE_KM = 0.3
"""A new station nearer than this to a known one of its voltage may be that one."""


def spoken_name(name: str) -> str:
    """What a station is called without its voltage and kind.

    >>> spoken_name("220kV蒲团变"), spoken_name("蒲团220千伏变电站")
    ('蒲团', '蒲团')
    """
    short = _KIND.sub("", _BRACKET.sub("", _VOLTAGE.sub("", plain(name))).strip()).strip()
    return (short or plain(name)).lower().replace(" ", "")


def by_spoken_name(base: pd.DataFrame) -> dict[tuple[str, float], str]:
    """Id of known stations by what they are called and their voltage; '' where two share both."""
    out: dict[tuple[str, float], str] = {}
    for one in base.itertuples():
        key = (spoken_name(str(one.name_zh)), float(one.voltage_kv))
        out[key] = "" if key in out else str(one.id)
    return out


def id_faults(rows: Rows) -> Iterator[Fault]:
    """Ids that a site or a prefecture has."""
    everyone = subjects(rows.context.region).query("kind != 'substation'")
    kinds = {str(one.id).lower(): one.kind for one in everyone.itertuples()}
    for row, cell in rows.text["id"].items():
        if kind := kinds.get(str(cell).lower()):
            yield Fault("imports.id_of_another", rows.at(int(str(row)), "id"), id=str(cell), kind=SUBJECTS[kind])


def position_faults(rows: Rows, stations: pd.DataFrame, base: pd.DataFrame) -> Iterator[Fault]:
    """Which of the `stations` in `rows` update one of the `base` by its name, and lie elsewhere."""
    known = base.set_index("id")
    for row, one in stations[~stations["is_new"]].iterrows():
        if str(rows.text.loc[row, "id"]).lower() == str(one["id"]).lower() or pd.isna(one["lon"]):
            continue
        old = known.loc[one["id"]]
        doubt = 0.0 if pd.isna(old["coord_uncertainty_m"]) else float(old["coord_uncertainty_m"]) / 1000
        km = float(np.hypot((one["lon"] - old["lon"]) * 96.0, (one["lat"] - old["lat"]) * 111.0))
        if km > SAME_KM + doubt:
            yield Fault("imports.same_name_elsewhere", rows.at(int(str(row)), "name"), id=one["id"], km=km)


def notes(rows: Rows, stations: pd.DataFrame, spare: pd.DataFrame, base: pd.DataFrame) -> Iterator[Text]:
    """Which `stations` were recognised, which stand beside a known one, and which N-1 leaves nothing.

    Parameters
    ----------
    rows : Rows
        As they are written.
    stations, spare : DataFrame
        Read from them; what each has to spare.
    base : DataFrame
        Stations that are known.
    """
    renamed = [
        f"{one['name']} → {one['id']}"
        for row, one in stations[~stations["is_new"]].iterrows()
        if str(rows.text.loc[row, "id"]).lower() != str(one["id"]).lower()
    ]
    if renamed:
        yield Text(
            zh=f"认作已有的站，按更新计：{'、'.join(renamed[:8])}。",
            en=f"Known stations that are updated: {', '.join(renamed[:8])}.",
        )
    placed = base[base["lon"].notna()]
    fresh = stations[stations["is_new"] & stations["lon"].notna()]
    if len(placed) and len(fresh):
        east = np.subtract.outer(fresh["lon"].to_numpy(float), placed["lon"].to_numpy(float)) * 96.0
        north = np.subtract.outer(fresh["lat"].to_numpy(float), placed["lat"].to_numpy(float)) * 111.0
        level = fresh["voltage_kv"].to_numpy()[:, None] == placed["voltage_kv"].to_numpy(float)[None, :]
        near = (np.hypot(east, north) < BESIDE_KM) & level
        for k, j in zip(*np.nonzero(near), strict=True):
            name, id_ = fresh["name"].iloc[k], placed["id"].iloc[j]
            yield Text(
                zh=f"新站“{name}”就在已有的 {id_} 旁且电压相同：若是同一座，请写编号 {id_}。",
                en=f"The new station {name} stands beside {id_}, of the same voltage; "
                f"write the id {id_} if it is the same.",
            )
    alone = stations[
        (spare["by"] == "N-1") & (spare["high"] <= 0) & ~rows.text["transformers_mva"].str.contains(r"[x+]")
    ]
    if len(alone):
        listed = "、".join(alone["name"].head(8))
        yield Text(
            zh=f"只有一台主变，按 N-1 可开放容量为 0：{listed}。若是多台合计，请写台数×容量，如 2x63。",
            en=f"One transformer leaves nothing under N-1: {listed}. "
            "If it is the sum of several, write number x rating, e.g. 2x63.",
        )
