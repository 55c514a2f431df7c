"""Developable land of many parcels: geo_cluster against the obvious geopandas overlay chain, same run.

python benchmarks/land.py [--parcels 10000] [--exclusions 100000]
"""

from __future__ import annotations

import argparse
import resource
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster.supply.land import Exclusion, developable
from geo_cluster.supply.rectangle import largest_rectangles

CRS = 4547  # CGCS2000, 3-degree zone about 114 E
ORIGIN = np.array([500_000.0, 3_350_000.0])
RULES = {
    "farmland": (0.30, 0.0),
    "red_line": (0.15, 0.0),
    "water": (0.20, 50.0),
    "buildings": (0.30, 10.0),
    "pits": (0.05, 100.0),
}


def rings(rng: np.random.Generator, centres: np.ndarray, radius_m: np.ndarray, corners: int) -> np.ndarray:
    """Star-shaped polygons about the centres."""
    turn = 2 * np.pi * (np.arange(corners) + rng.uniform(-0.3, 0.3, (len(centres), corners))) / corners
    reach = radius_m[:, None] * rng.uniform(0.7, 1.0, turn.shape)
    points = np.stack([np.cos(turn), np.sin(turn)], axis=-1) * reach[..., None] + centres[:, None]
    return shapely.polygons(points)


def world(parcels: int, exclusions: int, seed: int = 1) -> tuple[gpd.GeoDataFrame, list[Exclusion]]:
    """Parcels of 5 to 20 ha on a loose grid, and exclusions spread over the same ground."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(parcels)))
    step = 600.0
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)[:parcels] * step
    centres = ORIGIN + grid + rng.uniform(-100, 100, grid.shape)
    sites = gpd.GeoDataFrame(geometry=rings(rng, centres, rng.uniform(150, 280, parcels), 8), crs=CRS)
    layers = []
    for name, (share, buffer_m) in RULES.items():
        count = int(exclusions * share)
        where = ORIGIN + rng.uniform(-300, side * step - 300, (count, 2))
        shapes = rings(rng, where, rng.gamma(2.0, 25.0, count) + 5.0, 10)
        layers.append(Exclusion(name, gpd.GeoSeries(shapes, crs=CRS), buffer_m))
    return sites, layers


def overlay_chain(sites: gpd.GeoDataFrame, rules: list[Exclusion]) -> pd.DataFrame:
    """What one would write: buffer, overlay, dissolve, rule by rule."""
    out = pd.DataFrame({"gross_ha": sites.area / 1e4})
    numbered = sites.assign(row=sites.index)
    net = numbered
    left = sites.area
    for rule in rules:
        layer = gpd.GeoDataFrame(geometry=rule.geometries.buffer(rule.buffer_m) if rule.buffer_m else rule.geometries)
        own = gpd.overlay(numbered, layer, how="intersection").dissolve(by="row").area
        out[f"total_{rule.name}_ha"] = own.reindex(sites.index, fill_value=0.0) / 1e4
        net = gpd.overlay(net, layer, how="difference")
        now = net.set_index("row").area.reindex(sites.index, fill_value=0.0)
        out[f"lost_{rule.name}_ha"] = (left - now) / 1e4
        left = now
    out["net_ha"] = left / 1e4
    return out


def dissolved_chain(sites: gpd.GeoDataFrame, rules: list[Exclusion]) -> pd.DataFrame:
    """The same with each layer dissolved first, so that its overlaps count once."""
    out = pd.DataFrame({"gross_ha": sites.area / 1e4})
    numbered = sites.assign(row=sites.index)
    net = numbered
    left = sites.area
    for rule in rules:
        union = rule.geometries.buffer(rule.buffer_m).union_all()
        layer = gpd.GeoDataFrame(geometry=[union], crs=sites.crs).explode(ignore_index=True)
        own = gpd.overlay(numbered, layer, how="intersection")
        own = own.area.groupby(own["row"]).sum()
        out[f"total_{rule.name}_ha"] = own.reindex(sites.index, fill_value=0.0) / 1e4
        net = gpd.overlay(net, layer, how="difference")
        now = net.set_index("row").area.reindex(sites.index, fill_value=0.0)
        out[f"lost_{rule.name}_ha"] = (left - now) / 1e4
        left = now
    out["net_ha"] = left / 1e4
    return out


def main() -> None:
    """Time all, compare every number, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=10_000)
    parser.add_argument("--exclusions", type=int, default=100_000)
    args = parser.parse_args()
    sites, rules = world(args.parcels, args.exclusions)
    print(f"{args.parcels:,} parcels x {args.exclusions:,} exclusion polygons in {len(rules)} rules")

    start = time.perf_counter()
    ours = developable(sites, rules, rectangles=False)
    ours_s = time.perf_counter() - start
    memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"developable                {ours_s:8.2f} s   peak memory {memory_gb:.2f} GB")
    for name, peer in (("overlay, then dissolve", overlay_chain), ("dissolve, then overlay", dissolved_chain)):
        start = time.perf_counter()
        theirs = peer(sites, rules)
        theirs_s = time.perf_counter() - start
        apart = max(float((ours[column] - theirs[column]).abs().max()) for column in theirs)
        print(f"{name}     {theirs_s:8.2f} s   ratio {theirs_s / ours_s:.1f}   areas within {apart:.1e} ha")

    some = ours.geometry.to_numpy()[:500]
    start = time.perf_counter()
    found = largest_rectangles(some)
    each_ms = (time.perf_counter() - start) / len(some) * 1e3
    corners = shapely.get_num_coordinates(some).mean()
    inside = shapely.covers(some, found.geometry) | shapely.is_empty(some)
    print(f"largest rectangle          {each_ms:8.1f} ms each of {len(some)} net parcels, {corners:.0f} vertices each")
    print(f"every rectangle lies inside: {inside.all()}")


if __name__ == "__main__":
    main()
