"""A payload drawn: the canvas that the app shows it on, and the single-file `map.html`; both run the same script.

`assets/map.js` draws with Leaflet from the wheel `django-js-lib-leaflet`: nothing is fetched from the network. Whatever
came from data enters the page as text.
"""

from __future__ import annotations

import html
import importlib.resources
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import folium
from branca.element import Element, Figure, MacroElement
from folium.template import Template

ASSETS = Path(__file__).parent / "assets"

SCRIPTS = (
    *("geodesy.js", "tiles.js", "tools.js", "names.js", "edges.js", "list.js", "matrix.js", "sites.js", "print.js"),
    "map.js",
)
"""What draws a payload, in the order in which a page needs it; Leaflet before."""


def canvas_of(*, scripts: Iterable[str] = ()) -> folium.Map:
    """A folium map with nothing on it yet (`FetchedPayload` puts something there); its style is inside the page.

    Parameters
    ----------
    scripts : iterable of str
        Where the page finds `leaflet.js` and then `SCRIPTS`; none when they are put into the page itself.
    """
    canvas = OfflineMap(location=(30.4, 114.7), zoom_start=9, tiles=None)
    canvas.default_js = [(url, url) for url in scripts]
    canvas.options |= {"maxZoom": 16, "minZoom": 6, "zoomSnap": 0.5}
    figure = Figure()
    figure.add_child(canvas)
    for css in (leaflet_file("leaflet.css"), ASSETS / "map.css"):
        figure.header.add_child(Element(f"<style>{_inlined(css)}</style>"))
    return canvas


def standalone(source: dict[str, Any]) -> str:
    """One HTML page with script, style and data inside: it opens from a disk, on an intranet, for years."""
    canvas = canvas_of()
    drawn = InlinePayload(source)
    canvas.add_child(drawn)
    for number, element in enumerate((canvas, drawn)):  # branca names them at random: no two files would be the same
        element._id = f"{number:032x}"
    figure: Any = canvas.get_root()
    figure.title = html.escape(source["title"]["text"] if source["title"] else source["words"]["map"])
    figure.header.add_child(Element("<style>html, body { margin: 0; height: 100%; }</style>"))
    for script in (leaflet_file("leaflet.js"), *(ASSETS / name for name in SCRIPTS)):
        figure.header.add_child(Element(f"<script>{script.read_text(encoding='utf-8')}</script>"))
    return figure.render()


def as_json(source: dict[str, Any] | None) -> str:
    """The payload as JSON that can stand inside a script element, and in the Jinja template that branca makes of it.

    What it escapes can only stand inside strings: JSON has no `<`, and no brace before a brace, `%` or `#`.
    """
    text = json.dumps(source, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for risky in ("<", "\u2028", "\u2029"):
        text = text.replace(risky, f"\\u{ord(risky):04x}")
    for opening in ("{{", "{%", "{#"):
        text = text.replace(opening, f"{{\\u{ord(opening[1]):04x}")
    return text


def leaflet_file(name: str) -> Path:
    """A file of the Leaflet distribution in the wheel `django-js-lib-leaflet`."""
    return Path(str(importlib.resources.files("js_lib_leaflet"))) / "static" / "js_lib_leaflet" / name


def _inlined(css: Path) -> str:
    """A style sheet without its images: we use none of Leaflet's, and a page from disk could not load them."""
    return css.read_text(encoding="utf-8").replace("url(images/", "url(data:,")


class OfflineMap(folium.Map):
    """A folium map without the scripts and styles that folium would fetch from the network."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - folium's own class attribute
    default_css: list[tuple[str, str]] = []  # noqa: RUF012


class InlinePayload(MacroElement):
    """Hands a payload that stands in the page to `assets/map.js` once the map stands."""

    _template = Template(
        "{% macro script(this, kwargs) %}geoClusterMap({{ this._parent.get_name() }}, {{ this.source }});{% endmacro %}"
    )

    def __init__(self, source: dict[str, Any]):
        super().__init__()
        self._name = "InlinePayload"
        self.source = as_json(source)


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
