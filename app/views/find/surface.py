"""找地 · the map: the surface of scores, the regions by number, the cell that was clicked."""

from __future__ import annotations

import json
from typing import Any

import folium
from folium.template import Template
from streamlit_folium import st_folium

from app import cached_find, session, state
from app.cached_find import Ground, Surface
from app.finding import Found
from app.session import t
from app.web.tickets import ticketed
from app.web.tiles import Pyramid
from geo_cluster import toml
from geo_cluster.maps import canvas
from geo_cluster.maps import page as maps_page

CLICKED = "find-clicked"
"""Where the last click of the visit is kept, as longitude and latitude."""


class _Laid(folium.FeatureGroup):
    """Hands what is to be shown to `assets/surface.js`; the map stays, the picture changes."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "var {{ this.get_name() }} = L.featureGroup();"
        "geoClusterSurface({{ this._parent.get_name() }}, {{ this.base }}, {{ this.told }});"
        "{% endmacro %}"
    )

    def __init__(self, base: str, told: dict[str, Any]):
        super().__init__()
        self.base, self.told = json.dumps(base), maps_page.as_json(told)


def show(ground: Ground, surface: Surface, found: Found | None, exact: Pyramid | None, *, height: int) -> None:
    """Draw the map; a click is remembered for the story.

    Parameters
    ----------
    ground : Ground
    surface : Surface
    found : Found, optional
        Its regions are drawn by number, the listed parks in the colour of the land around them.
    exact : Pyramid, optional
        Tiles of the surface at its own cells, in place of the picture.
    height : int
        Pixels.
    """
    base = cached_find.base_map(state.layers(), session.language(), ground)
    address, scripts, held = base
    session.keep("find-files", [held, surface.source.file, exact])  # as long as the page shows them
    key = f"find-map-{address.rpartition('/')[2][:12]}"
    _hear(key)
    look = toml.table("style")["surface"]
    told = {
        "picture": ticketed(surface.source.address),
        "tiles": _tiles(exact),
        "bounds": ground.layout.bounds,
        "ramp": look["ramp"],
        "taken": look["taken"],
        "unknown": look["unknown"],
        "region": look["region"],
        "span": [f"{one:g}" for one in surface.span],
        "regions": _features(found.regions if found else None),
        "sites": _sites(found, surface),
        "clicked": _at(),
        "words": {key: t(f"find.map_{key}") for key in ("score", "opacity", "taken", "unknown", "map")},
    }
    ours = f"{scripts[-1].rpartition('/')[0]}/surface.js"
    st_folium(
        canvas.canvas_of(scripts=[*scripts, ours]),
        key=key,
        height=height,
        feature_group_to_add=_Laid(ticketed(address), told),
        use_container_width=True,
        returned_objects=["last_clicked"],
    )


def _tiles(exact: Pyramid | None) -> str:
    """Where the map, in its frame, finds the tiles of a surface."""
    if exact is None:
        return ""
    address, _, ticket = ticketed(exact.address).partition("?")
    return f"../../{address}/{{z}}/{{x}}/{{y}}.png?{ticket}"


def _hear(key: str) -> None:
    """Remember a new click on the map of this key; the map says its last one again at every run."""
    at = (session.typed(key, None) or {}).get("last_clicked")
    if at and session.kept("find-heard") != (key, at):
        session.keep("find-heard", (key, at))
        session.keep(CLICKED, (float(at["lng"]), float(at["lat"])))


def _at() -> list[float] | None:
    clicked = session.kept(CLICKED)
    return [clicked[1], clicked[0]] if clicked else None


def _features(regions: Any) -> dict[str, Any]:
    """Outlines in degrees, each with its number and the place for it."""
    if regions is None or regions.empty:
        return {"type": "FeatureCollection", "features": []}
    shown = regions[["rank", "geometry"]].assign(at=[[row.lat, row.lon] for row in regions.itertuples()])
    return json.loads(shown.to_crs(4326).to_json())


def _sites(found: Found | None, surface: Surface) -> dict[str, Any]:
    """The listed parks on the ground, in the surface's colours, as a map of sites takes its values."""
    ramp, (low, high) = toml.table("style")["surface"]["ramp"], surface.span
    told: dict[str, Any] = {}
    for row in found.parks.to_dict("records") if found else []:
        known = row["score"] == row["score"]
        at = int((row["score"] - low) / (high - low) * len(ramp)) if known else 0
        text = t("find.park_score", score=row["score"]) if known else t("find.park_none")
        colour = ramp[min(max(at, 0), len(ramp) - 1)] if known else ""
        told[row["id"]] = {"color": colour, "text": text, "mark": "", "rows": [], "muted": False}
    return {"title": t("find.map_parks"), "legend": [], "sites": told, "chosen": ""}
