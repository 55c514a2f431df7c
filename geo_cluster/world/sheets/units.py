"""Units as people write them, declared in `tables/units.toml`."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from geo_cluster import toml
from geo_cluster.world.sheets.words import fold


@cache
def _kinds() -> dict[str, dict[str, float]]:
    return {
        kind: {_name(name): float(size) for name, size in row["units"].items()}
        for kind, row in toml.table("units")["kinds"].items()
    }


@lru_cache(maxsize=2000)
def _name(text: str) -> str:
    name = re.sub(r"[\s,]+", "", fold(text).lower()).replace("平方米", "m2").replace("平米", "m2").replace("^2", "2")
    return name.removeprefix("个") if name[1:2] in ("亿", "万", "百", "千") else name


def _without_year(name: str) -> str:
    for end in toml.table("units")["a_year"]:
        if name.endswith(end) and len(name) > len(end):
            return name.removesuffix(end)
    return name


@lru_cache(maxsize=5000)
def size(kind: str, unit: str) -> float | None:
    """How large a unit is in the first unit of a kind; None when it is none of that kind.

    >>> size("area", "万亩"), size("capacity", "kVA"), size("money", "亿美元"), size("price", "元/平方米")
    (6666666.666666666, 0.001, None, 1.0)
    """
    name = _name(unit)
    if kind == "price":
        over, _, under = name.partition("/")
        money, area = size("money", over), size("area", under) if under else None
        return money / area if money and area else None
    if kind not in _kinds():
        return None
    if kind not in ("time", "length", "voltage", "degrees"):
        name = _without_year(name)
    known = _kinds()[kind]
    if name in known:
        return known[name]
    prefixes = toml.table("units")["prefixes"]
    if kind in ("money", "count") and name in prefixes:
        return float(prefixes[name])
    for length in (2, 1):
        prefix, rest = name[:length], name[length:]
        if prefix in prefixes and rest in known:
            return float(prefixes[prefix]) * known[rest]
    return None


@lru_cache(maxsize=500)
def kind_of(unit: str) -> str:
    """Which kind a unit is of; '' when it is none that is known.

    >>> kind_of("万元/亩"), kind_of("MVA"), kind_of("t/h")
    ('price', 'capacity', '')
    """
    return next((kind for kind in (*_kinds(), "price") if size(kind, unit) is not None), "")


@lru_cache(maxsize=5000)
def factor(own: str, said: str) -> float | None:
    """How many of a column's own unit one of another is; None when one can't be turned into the other.

    >>> factor("亿元", "万元"), factor("MVA", "kVA"), factor("亩", "万元")
    (0.0001, 0.001, None)
    """
    if _name(own) == _name(said):
        return 1.0
    kind = kind_of(own)
    if not kind:
        return None
    mine, theirs = size(kind, own), size(kind, said)
    if theirs is None:
        drawn = toml.table("units")["by_power_factor"].get(kind, "")
        theirs = size(drawn, said) if drawn else None
        theirs = theirs / power_factor() if theirs is not None else None
    return None if mine is None or theirs is None else float(f"{theirs / mine:.12g}")


def by_power_factor(own: str, said: str) -> bool:
    """Whether turning one into the other takes the power factor, as kW into MVA does."""
    kind = kind_of(own)
    drawn = toml.table("units")["by_power_factor"].get(kind, "")
    return bool(drawn) and size(kind, said) is None and size(drawn, said) is not None


def power_factor() -> float:
    """The likely power factor of `tables/grid.toml`."""
    return float(toml.table("grid")["power_factor"]["likely"])


def prefix(text: str) -> float | None:
    """What a bare 万 or 亿 stands for; None for anything else."""
    found = toml.table("units")["prefixes"].get(_name(text))
    return None if found is None else float(found)


def known(own: str) -> list[str]:
    """Units that are understood where a column has `own`, in Chinese where there is a Chinese name; itself first."""
    kind = kind_of(own)
    declared = toml.table("units")["kinds"].get(kind, {}).get("units", {})
    drawn = toml.table("units")["by_power_factor"].get(kind, "")
    if drawn:
        declared = declared | toml.table("units")["kinds"][drawn]["units"]
    if kind == "price":
        declared = dict.fromkeys(("万元/亩", "元/平方米", "万元/公顷", "元/亩"))
    if kind == "money":
        declared = dict.fromkeys(("元", "万元", "百万元", "亿元"))
    return list(dict.fromkeys((own, *declared)))
