"""Print the tables of docs/methods/access.md: each published time beside what the shipped network and services give.

python benchmarks/access_residuals.py
"""

import tomllib
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo_cluster.access import roads
from geo_cluster.access.road_calibration import calibrate
from geo_cluster.access.travel_cost import trips

ROOT = Path(__file__).parent.parent


def main() -> None:
    table = tomllib.loads((ROOT / "geo_cluster/tables/travel.toml").read_text(encoding="utf-8"))
    places = {}
    for layer in ("anchors", "sites", "stations", "ports", "airports"):
        rows = pd.read_csv(ROOT / f"data/geo/{layer}.csv")
        places |= {i: (x, y) for i, x, y in zip(rows["id"], rows["lon"], rows["lat"], strict=True)}
    network = roads.from_layer(gpd.read_file(ROOT / "data/geo/roads.geojson"))
    found = calibrate(network, table=table, places=places)
    print(f"minutes = {found.intercept_min:.1f} + {found.factor:.3f} x network minutes")
    print(f"interval: -{found.low_spread:.2f} to +{found.high_spread:.2f} times the square root of it\n")
    print("| mode | from | to | published | fitted | basis | network | model | residual |")
    print("|---|---|---|---|---|---|---|---|---|")
    for r in found.pairs.itertuples():
        published = f"{r.low_min:g}-{r.likely_min:g}-{r.high_min:g}"
        model = f"{r.network_min:.1f} | {r.fitted_min:.1f} | {r.residual_min:+.1f} |"
        print(f"| road | {r.origin} | {r.destination} | {published} | {'yes' if r.fit else 'no'} | {r.basis} | {model}")
    print("\n| mode | from | to | published | model low-likely-high | by | residual |\n|---|---|---|---|---|---|---|")
    for pair in table["rail"]["published"]:
        a, b = pair["origin"], pair["destination"]
        t = trips(network, found, table=table, places=places, origins=[a], destinations=[b]).iloc[0]
        low, likely, high = pair["minutes"]
        model = f"{t['rail_low_min']:.0f}-{t['rail_likely_min']:.0f}-{t['rail_high_min']:.0f}"
        told = f"{t['board']} → {t['alight']} | {t['rail_likely_min'] - likely:+.1f}"
        print(f"| rail | {a} | {b} | {low:g}-{likely:g}-{high:g} | {model} | {told} |")


if __name__ == "__main__":
    main()
