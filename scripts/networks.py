"""Roads and railways in and around Hubei, out of the world's networks that `scgraph-data` carries.

Its modules are read as text: to import one would build a graph of the whole world and need `scgraph`.
"""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pyproj
import shapely
from boundaries import package_dir
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MODULES = {"roads": "world_highways", "railways": "world_railways"}
MARGIN_M = 40_000.0
PLANE = pyproj.Transformer.from_crs("EPSG:4490", "EPSG:4547", always_xy=True)  # CGCS2000, 3-degree zone at 114° E

# What every edge says of itself; licence, attribution and the assumptions are in sources.toml.
ROW_SOURCE = {"source": "OpenStreetMap, scgraph-data 2.0.0", "source_class": "b", "confidence": "medium"}
ROW_SOURCE |= {"as_of": "2024", "notes": ""}

# The data carry no class of road. Short edges lie between the many junctions of towns and interchanges,
# long ones between motorway exits; sources.toml says how well the times that follow agree with known ones.
SPEED_KMH = ((2.0, 45), (5.0, 60), (np.inf, 100))  # edge shorter than so many km, assumed speed


def widen(polygon: shapely.Geometry, margin_m: float) -> shapely.Geometry:
    """The polygon (degrees) and `margin_m` around it."""
    plane = shapely.transform(polygon, PLANE.transform, interleaved=False)
    back = pyproj.Transformer.from_crs("EPSG:4547", "EPSG:4490", always_xy=True)
    return shapely.transform(plane.buffer(margin_m), back.transform, interleaved=False)


def read_network(module: str, region: shapely.Geometry) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes (lon, lat) of the world, and the edges (u, v) inside `region` with their lengths in km."""
    text = (package_dir("scgraph_data") / f"{module}.py").read_text(encoding="utf-8")
    graph, nodes_text = text.split("graph=[{", 1)[1].split("nodes=", 1)
    nodes = np.array(json.loads(nodes_text[: nodes_text.rindex("]]") + 2]))[:, ::-1]
    neighbours = graph.rstrip(" \n]}").split("}, {")
    shapely.prepare(region)
    inside = shapely.contains_xy(region, *nodes.T)
    rows = [
        (u, int(v), float(km))
        for u in np.flatnonzero(inside)
        for v, km in re.findall(r"(\d+): ([\d.]+)", neighbours[u])
        if inside[int(v)] and u < int(v)
    ]
    u, v, km = zip(*rows, strict=True)
    return nodes, np.column_stack([u, v]), np.array(km)


def keep_largest_part(
    nodes: np.ndarray, edges: np.ndarray, lengths: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drop all but the largest connected part; number its nodes from west to east."""
    graph = coo_array((np.ones(len(edges)), edges.T), shape=(len(nodes), len(nodes)))
    label = connected_components(graph, directed=False)[1]
    largest = np.bincount(label[edges[:, 0]]).argmax()
    kept = np.flatnonzero(label == largest)
    kept = kept[np.lexsort(nodes[kept].T[::-1])]
    number = np.full(len(nodes), -1)
    number[kept] = np.arange(len(kept))
    chosen = label[edges[:, 0]] == largest
    ends = np.sort(number[edges[chosen]], axis=1)
    order = np.lexsort(ends.T[::-1])
    return nodes[kept], ends[order], lengths[chosen][order]


def make_networks(province: shapely.Geometry) -> dict[str, tuple[pd.DataFrame, np.ndarray]]:
    """Edge tables and lines; a line is straight between its ends, `length_km` is that of the road or track."""
    region = widen(province, MARGIN_M)
    layers = {}
    for name, module in MODULES.items():
        nodes, edges, lengths = keep_largest_part(*read_network(module, region))
        table = pd.DataFrame({"u": edges[:, 0], "v": edges[:, 1], "length_km": lengths})
        if name == "roads":
            table["speed_kmh"] = np.select([lengths < limit for limit, _ in SPEED_KMH], [v for _, v in SPEED_KMH])
        layers[name] = table.assign(**ROW_SOURCE), shapely.linestrings(nodes[edges])
    return layers
