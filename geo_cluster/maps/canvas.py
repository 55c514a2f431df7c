"""The canvas that the app shows a payload on: a folium map, drawn on by the script of `page`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import folium
from branca.element import Element, Figure
from folium.template import Template

from geo_cluster.maps.page import CENTRE, ZOOM, ZOOMS, as_json, styles


def canvas_of(*, scripts: Iterable[str]) -> folium.Map:
    """A folium map with nothing on it yet (`FetchedPayload` puts something there); its style is inside the page.

    Parameters
    ----------
    scripts : iterable of str
        Where the page finds `leaflet.js` and then `SCRIPTS`.
    """
    canvas = OfflineMap(location=CENTRE, zoom_start=ZOOM, tiles=None)
    canvas.default_js = [(url, url) for url in scripts]
    canvas.options |= ZOOMS
    figure = Figure()
    figure.add_child(canvas)
    for css in styles():
        figure.header.add_child(Element(f"<style>{css}</style>"))
    return canvas


class OfflineMap(folium.Map):
    """A folium map without the scripts and styles that folium would fetch from the network."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - folium's own class attribute
    default_css: list[tuple[str, str]] = []  # noqa: RUF012


class FetchedPayload(folium.FeatureGroup):
    """Draws the payload found at an address on a map that stands, in place of what it shows.

    As a feature group it is what streamlit-folium can exchange on a map without loading its frame anew: the map of the
    last plan stays until the next one is there. `laid` are values of `site_map` for a map that may stand already.
    """

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "var {{ this.get_name() }} = L.featureGroup();"
        "geoClusterMap({{ this._parent.get_name() }}, {{ this.address }}, {{ this.laid }});"
        "{% endmacro %}"
    )

    def __init__(self, address: str, laid: dict[str, Any] | None = None):
        super().__init__()
        self.address, self.laid = json.dumps(address), as_json(laid)
