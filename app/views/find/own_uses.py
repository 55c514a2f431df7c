"""找地 · a file of one's own: what it is, and the settings of what it is used for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyproj
import streamlit as st

from app import session
from app.session import t
from app.widgets import plain
from geo_cluster.errors import Fault, GeoClusterError
from geo_cluster.suitability import uses
from geo_cluster.suitability.brought import Brought
from geo_cluster.suitability.pieces import ROLES, Piece, bounds_of, legends, pixel_of, suggested, system_of
from geo_cluster.suitability.uses import Use

KEPT: dict[str, Any] = {"persist_state": "session"}


def piece_of(brought: Brought, key: str, use: Use) -> Piece | None:
    """A file as it is used: of this band, with this number for unknown; None where it can't be looked at so."""
    try:
        return brought.look(key, band=use.band, unknown=use.unknown if _is_told(use.unknown) else "")
    except GeoClusterError:
        return None


def _is_told(unknown: str) -> bool:
    """Whether a number for unknown is one that the box can be asked with."""
    try:
        return unknown == "none" or float(unknown) == float(unknown)
    except ValueError:
        return False


def card(brought: Brought, key: str, faults: list[Fault], *, has_spec: bool) -> Use:
    """What a file is, and what it is used for; faults of looking at it are added to `faults`.

    Parameters
    ----------
    brought : Brought
    key : str
        Of the file.
    faults : list of Fault
    has_spec : bool
        A spec came with the files and says what they are used for.
    """
    piece = brought.pieces[key]
    head, away = st.columns([6, 1], vertical_alignment="center")
    head.markdown(f"**{plain(piece.name)}**")
    if away.button(t("own.remove"), icon=":material/close:", key=f"find-own-{key}-remove"):
        brought.remove(key)
        st.rerun()
    if has_spec:
        st.caption(_told(piece, Use("aside")))
        return Use("aside")
    proposed = uses.proposed(piece)
    place = st.container()
    use = _common(key, piece, proposed)
    if piece.looked and (use.band > 1 or _is_told(use.unknown)):
        try:
            piece = brought.look(key, band=use.band, unknown=use.unknown if _is_told(use.unknown) else "")
        except GeoClusterError as refusal:
            faults += refusal.faults
    with place:
        st.caption(_told(piece, use))
        role, by = suggested(piece)
        st.caption(t(f"own.by_{by}", role=t(f"own.role_{role}")))
        if piece.file != piece.name:
            st.caption(plain(t("own.kept_as", file=piece.file)))
    return _of_role(key, piece, use, proposed if use.role == proposed.role else Use(use.role))


def _common(key: str, piece: Piece, proposed: Use) -> Use:
    """Role, source, licence, and what the file may not say itself."""
    roles = {role: t(f"own.role_{role}") for role in ROLES[piece.kind]}
    first, second, third = st.columns([1.2, 1.4, 1])
    role = first.selectbox(
        t("own.role"),
        list(roles),
        index=list(roles).index(proposed.role),
        format_func=roles.__getitem__,
        key=session.spoken(f"find-own-{key}-role"),
    )
    use = replace(proposed, role=role)
    if role == "aside":
        return use
    source = second.text_input(
        t("own.source"), placeholder=t("own.source_hint"), max_chars=200, key=f"find-own-{key}-source", **KEPT
    )
    licence = third.text_input(
        t("own.licence"), placeholder=t("own.licence_hint"), max_chars=200, key=f"find-own-{key}-licence", **KEPT
    )
    first, second, third = st.columns([1.2, 1.4, 1])
    crs = first.text_input(
        t("own.crs"), placeholder=t("own.crs_hint"), max_chars=2000, key=f"find-own-{key}-crs", **KEPT
    )
    use = replace(use, source=source, licence=licence, crs=crs.strip())
    if piece.looked is None:
        layers = list(piece.layers or {})
        if len(layers) > 1:
            use = replace(use, sheet=second.selectbox(t("own.sheet"), layers, key=f"find-own-{key}-sheet") or "")
        return use
    unknown = second.text_input(
        t("own.unknown"), placeholder=t("own.unknown_hint"), max_chars=40, key=f"find-own-{key}-unknown", **KEPT
    )
    use = replace(use, unknown=unknown.strip().lower())
    if piece.looked.bands > 1:
        band = third.number_input(t("own.band"), 1, piece.looked.bands, 1, key=f"find-own-{key}-band", **KEPT)
        use = replace(use, band=int(band))
    return use


def _of_role(key: str, piece: Piece, use: Use, proposed: Use) -> Use:
    """The settings that only this use has."""
    if use.role == "slope":
        return _as_slope(key, use, proposed)
    if use.role == "cover":
        return _as_cover(key, piece, use, proposed)
    if use.role == "mask":
        return _as_mask(key, piece, use, proposed)
    if use.role in ("number", "near"):
        return _as_criterion(key, use, proposed)
    return use


def _as_slope(key: str, use: Use, proposed: Use) -> Use:
    first, second = st.columns(2)
    units = {"m": t("own.unit_m"), "ft": t("own.unit_ft")}
    unit = first.radio(
        t("own.unit"),
        list(units),
        index=list(units).index(proposed.unit),
        format_func=units.__getitem__,
        horizontal=True,
        key=session.spoken(f"find-own-{key}-unit"),
    )
    steep = second.number_input(
        t("own.steep"), 1.0, 200.0, proposed.steep, 1.0, format="%g", key=f"find-own-{key}-steep", **KEPT
    )
    return replace(use, unit=unit or "m", steep=float(steep))


def _as_cover(key: str, piece: Piece, use: Use, proposed: Use) -> Use:
    language = session.language()
    names = {one: row["name"][language] for one, row in legends().items()} | {"": t("own.legend_own")}
    first, second = st.columns([1, 2])
    legend = first.selectbox(
        t("own.legend"),
        list(names),
        index=list(names).index(proposed.legend),
        format_func=names.__getitem__,
        key=session.spoken(f"find-own-{key}-legend"),
    )
    shown = _classes(piece, legend or "")
    takes = second.multiselect(
        t("own.takes"),
        list(shown),
        default=[one for one in uses.takes_of(legend or "", piece) if one in shown],
        format_func=lambda one: shown.get(one, str(one)),
        key=session.spoken(f"find-own-{key}-takes-{legend}"),
    )
    use = replace(use, legend=legend or "", takes=tuple(sorted(takes)))
    return _around(key, use, proposed, asks_most=True)


def _as_mask(key: str, piece: Piece, use: Use, proposed: Use) -> Use:
    if piece.looked is None:
        return _around(key, use, proposed, asks_most=False)
    shown = _classes(piece, "")
    takes = st.multiselect(
        t("own.takes_value"),
        list(shown),
        default=[one for one in proposed.takes if one in shown],
        format_func=lambda one: shown.get(one, str(one)),
        key=session.spoken(f"find-own-{key}-value"),
    )
    return _around(key, replace(use, takes=tuple(sorted(takes))), proposed, asks_most=True)


def _around(key: str, use: Use, proposed: Use, *, asks_most: bool) -> Use:
    """The buffer, and whether it is meant to take nearly everything."""
    first, second = st.columns([1, 2], vertical_alignment="bottom")
    buffer = first.number_input(
        t("own.buffer"), 0.0, 20_000.0, proposed.buffer_m, 10.0, format="%g", key=f"find-own-{key}-buffer", **KEPT
    )
    most = asks_most and second.checkbox(t("own.takes_most"), key=f"find-own-{key}-most", **KEPT)
    return replace(use, buffer_m=float(buffer), takes_most=bool(most))


def _as_criterion(key: str, use: Use, proposed: Use) -> Use:
    first, second, third = st.columns(3)
    is_near = use.role == "near"
    ends = (20.0, 0.0) if is_near and proposed.worst == 0.0 else (proposed.worst, proposed.best)
    worst = first.number_input(
        t("own.worst_km" if is_near else "own.worst"),
        value=float(ends[0]),
        format="%g",
        key=f"find-own-{key}-{use.role}-worst",
        **KEPT,
    )
    best = second.number_input(
        t("own.best_km" if is_near else "own.best"),
        value=float(ends[1]),
        format="%g",
        key=f"find-own-{key}-{use.role}-best",
        **KEPT,
    )
    unit = "" if is_near else third.text_input(t("own.unit_name"), max_chars=20, key=f"find-own-{key}-unitname", **KEPT)
    return replace(use, worst=float(worst), best=float(best), unit_name=unit)


# ---- what it is ---------------------------------------------------------------------------------------------


def _classes(piece: Piece, legend: str) -> dict[int, str]:
    """Each class that occurs, as it is named, with its share."""
    language, total = session.language(), max(sum(piece.classes.values()), 1)
    names = legends()[legend]["classes"] if legend else {}
    return {
        int(one): t(
            "own.class",
            name=f"{one:g} {names[f'{one:g}'][language]}" if f"{one:g}" in names else f"{one:g}",
            share=100 * count / total,
        )
        for one, count in piece.classes.items()
    }


def _told(piece: Piece, use: Use) -> str:
    """What a file says of itself, in one line; its classes in another."""
    system = system_of(piece, use.crs, use.sheet)
    crs = _system_name(system)
    degrees = bounds_of(piece, "EPSG:4326", crs=use.crs, sheet=use.sheet)
    sides = ("west", "south", "east", "north")
    extent = t("own.extent", **dict(zip(sides, degrees, strict=True))) if degrees else t("own.no_extent")
    looked = piece.looked
    if looked is None:
        layer = (piece.layers or {})[uses.sheet_of(piece, use)]
        return plain(t("own.is_outlines", kind=layer.kind, count=layer.count, crs=crs, extent=extent))
    kind = ("COG" if looked.is_cog else "GeoTIFF") + (t("own.bits", bits=looked.bits) if looked.bits < 8 else "")
    unknown = use.unknown or (t("own.no_unknown") if looked.nodata is None else f"{looked.nodata:g}")
    unit = f" {looked.unit}" if looked.unit else ""
    span = t("own.no_numbers")
    if piece.span:
        span = t("own.span", low=piece.span[0], high=piece.span[1], unit=unit)
        span += t("comma") + t("own.known", share=100 * looked.known / (looked.shape[0] * looked.shape[1]))
    said = t(
        "own.is_raster",
        kind=kind,
        rows=looked.shape[0],
        columns=looked.shape[1],
        cell=_cell(piece, system, use),
        crs=crs,
        extent=extent,
        unknown=unknown,
        span=span,
    )
    legend = use.legend if use.role == "cover" else ""
    if piece.classes:
        said += "  \n" + t("own.classes", classes=t("comma").join(list(_classes(piece, legend).values())[:30]))
    return plain(said.split("  \n")[0]) + "".join(f"  \n{plain(line)}" for line in said.split("  \n")[1:])


def _cell(piece: Piece, system: pyproj.CRS | None, use: Use) -> str:
    """How large a pixel is, in metres where it has a place."""
    side = pixel_of(piece)
    if side is None or system is None:
        return t("own.pixel_unplaced", side=side or 1.0)
    if system.is_geographic:
        degrees = bounds_of(piece, "EPSG:4326", crs=use.crs)
        return t("own.pixel", m=side * 111_320.0) if degrees else t("own.pixel_unplaced", side=side)
    return t("own.pixel", m=side * system.axis_info[0].unit_conversion_factor)


def _system_name(system: pyproj.CRS | None) -> str:
    """A reference system as people call it: its name, and its EPSG code if it says one."""
    if system is None:
        return t("own.no_crs")
    if system.name == "unknown":  # a PROJ string has none
        operation = system.coordinate_operation
        return t("own.unnamed", method=operation.method_name if operation else "?")
    code = system.to_epsg(min_confidence=100) if len(system.name) < 200 else None
    return f"{system.name[:80]} (EPSG:{code})" if code else system.name[:80]
