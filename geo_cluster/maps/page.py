"""A payload drawn: the single-file `map.html`, and what the app's canvas (`canvas`) has in common with it.

`assets/map.js` draws with Leaflet from the wheel `django-js-lib-leaflet`: nothing is fetched from the network. Whatever
came from data enters the page as text.
"""

from __future__ import annotations

import html
import importlib.resources
import json
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).parent / "assets"

SCRIPTS = (
    *("geodesy.js", "tiles.js", "tools.js", "names.js", "edges.js", "list.js", "matrix.js", "sites.js", "print.js"),
    "map.js",
)
"""What draws a payload, in the order in which a page needs it; Leaflet before."""


CENTRE, ZOOM, ZOOMS = (30.4, 114.7), 9, {"maxZoom": 16, "minZoom": 6, "zoomSnap": 0.5}
"""Where a map begins, and how far it zooms."""

PAGE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{styles}
<style>html, body, #map_canvas {{ margin: 0; width: 100%; height: 100%; }}</style>
{scripts}
</head>
<body>
<div id="map_canvas"></div>
<script>
var map_here = L.map("map_canvas", {options});
geoClusterMap(map_here, {source});
</script>
</body>
</html>
"""


def standalone(source: dict[str, Any]) -> str:
    """One HTML page with script, style and data inside: it opens from a disk, on an intranet, for years."""
    files = (leaflet_file("leaflet.js"), *(ASSETS / name for name in SCRIPTS))
    return PAGE.format(
        lang=html.escape(source["lang"]),
        title=html.escape(source["title"]["text"] if source["title"] else source["words"]["map"]),
        styles="\n".join(f"<style>{css}</style>" for css in styles()),
        scripts="\n".join(f"<script>{file.read_text(encoding='utf-8')}</script>" for file in files),
        options=json.dumps({"center": CENTRE, "zoom": ZOOM, **ZOOMS}),
        source=as_json(source),
    )


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


def styles() -> list[str]:
    """The style sheets without their images: we use none of Leaflet's, and a page from disk could not load them."""
    files = leaflet_file("leaflet.css"), ASSETS / "map.css"
    return [file.read_text(encoding="utf-8").replace("url(images/", "url(data:,") for file in files]
