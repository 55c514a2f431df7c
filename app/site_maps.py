"""Maps of the sites coloured by a value, which can be clicked: the page hears of the click once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streamlit_folium import st_folium

from app import cached, session, state
from app.web.tickets import ticketed
from geo_cluster.maps import canvas, site_map
from geo_cluster.maps.site_map import Classes, Told


def show_sites(
    values: Mapping[str, float | None],
    classes: Classes,
    *,
    key: str,
    told: Told | None = None,
    chosen: str = "",
    height: int = 480,
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """Draw the map; pan and zoom ask the server for nothing, a click on a site calls `on_pick` with its id.

    Under the same key it shows other values without loading the map anew. Keep it in a keyed container when what
    stands above it comes and goes.

    Parameters
    ----------
    values : mapping
        Site id -> value, None where it is unknown; only these sites are drawn.
    classes : Classes
        Legend and colours, such as ``Classes("得分", (0, 40, 60, 70, 80), unit="分")``.
    key : str
    told : Told, optional
        Marks (such as ranks), rows shown on pointing, muted sites.
    chosen : str
        The marked site.
    height : int
        Pixels; a page may set another with CSS on the iframe of a keyed container.
    on_pick : callable, optional
        Called before the page runs again, as callbacks of widgets are.
    """
    address, scripts, file = cached.sites_map(state.layers(), session.language())
    session.keep(f"map-{key}", file)
    laid = site_map.values_of(values, classes, told=told, chosen=chosen)

    def heard() -> None:
        picked = str((session.typed(key, None) or {}).get("picked", ""))
        if picked in values and on_pick is not None:
            on_pick(picked)

    st_folium(
        canvas.canvas_of(scripts=scripts),
        key=key,
        height=height,
        feature_group_to_add=canvas.FetchedPayload(ticketed(address), laid),
        use_container_width=True,
        returned_objects=[],
        on_change=heard,
    )
