"""找地 · files of one's own: dropped, told what they are, given a use, made a spec that the page then shows."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached_find, session
from app.session import t
from app.views.find import own_uses
from app.views.find.own_uses import KEPT
from app.web import uploads
from app.widgets import listed, refusals, upload_words
from geo_cluster.box import pixels
from geo_cluster.box.limits import limits
from geo_cluster.errors import Fault, GeoClusterError
from geo_cluster.imports.files import together
from geo_cluster.suitability import misuses, own, uses
from geo_cluster.suitability.brought import MOST_MB, SPEC, Brought
from geo_cluster.suitability.uses import Ground, Use
from geo_cluster.world.layers import Layers

OPEN, STAMP, REFUSED = "find-own-open", "find-own-stamp", "find-own-refused"


def button() -> None:
    """The way to one's own files, where another spec is shown."""
    st.button(
        t("own.use_mine"),
        icon=":material/upload_file:",
        key="find-own-go",
        on_click=lambda: session.put(session.spoken("find-ground"), cached_find.OWN),
    )


def is_open() -> bool:
    """Whether files and their uses are being chosen, not shown."""
    return cached_find.brought().spec is None or bool(session.kept(OPEN))


def draw(left: Any, right: Any) -> None:
    """Files on the right, the ground and the press that makes a screening of them on the left."""
    brought = cached_find.brought()
    with right, st.container(key="find-own"):
        _drop(brought)
        todo = st.container()
        chosen: dict[str, Use] = {}
        faults: list[Fault] = []
        if brought.brought:
            st.info(t("own.from_spec"), icon=":material/description:")
        for key in list(brought.pieces):
            with st.container(border=True):
                chosen[key] = own_uses.card(brought, key, faults, has_spec=bool(brought.brought))
        if not brought.pieces:
            st.caption(t("own.none"))
    with left:
        if brought.brought:
            _build(brought, brought.brought, faults)
        elif brought.pieces:
            row, more = _declared(brought, chosen)
            faults += more
            _build(brought, row, faults)
        _removal(brought)
    if faults:
        todo.warning(f"{t('own.open_points')}\n\n{listed(faults)}", icon=":material/checklist:")


def _drop(brought: Brought) -> None:
    """The drop zone; what was dropped is taken in, and the zone is empty again."""
    st.subheader(t("own.title"), anchor=False)
    st.markdown(t("own.how"))
    upload_words()
    stamp = session.kept(STAMP, 0)
    dropped = st.file_uploader(t("own.drop"), accept_multiple_files=True, key=f"find-own-files-{stamp}")
    now = limits()
    st.caption(t("own.limits", mb=now.megabytes, pixels=now.pixels / 1e4, all=MOST_MB))
    if dropped:
        with st.spinner(t("own.looking")):
            session.keep(REFUSED, _taken(brought, [(one.name, one.getvalue()) for one in dropped]))
        uploads.let_go(dropped)
        session.keep(STAMP, stamp + 1)
        session.keep(OPEN, True)
        st.rerun()
    if refused := session.kept(REFUSED):
        st.error(f"{t('own.refused')}\n\n{listed(refused)}", icon=":material/error:")


def _taken(brought: Brought, files: list[tuple[str, bytes]]) -> list[Fault]:
    """Take files in, those of an archive each; what is wrong with the ones that are refused."""
    found: list[Fault] = []
    every: list[tuple[str, bytes]] = []
    for name, content in files:
        try:
            every += pixels.unpacked(content, name)
        except GeoClusterError as refusal:
            found += refusal.faults
    return found + brought.add(together(every))


def _declared(brought: Brought, chosen: dict[str, Use]) -> tuple[dict[str, Any], list[Fault]]:
    """The ground as it is set, the spec of it all, and what is wrong with it."""
    pieces = {key: brought.pieces[key] for key in chosen}
    for key, use in chosen.items():
        pieces[key] = own_uses.piece_of(brought, key, use) or pieces[key]
    most = limits().pixels
    ground = _ground(uses.proposed_ground(pieces, chosen, t("own.named"), most=most), chosen)
    area = _prefecture_bounds(ground)
    faults = misuses.faults(pieces, chosen, ground, area=area, most=most)
    return ({} if faults else own.row_of(pieces, chosen, ground)), faults


def _ground(proposed: Ground, chosen: dict[str, Use]) -> Ground:
    """The settings of the ground."""
    name = st.text_input(t("own.name"), proposed.name, max_chars=60, key=session.spoken("find-own-name"), **KEPT)
    places = {"": t("own.area_own" if any(use.role == "area" for use in chosen.values()) else "own.area_files")}
    if proposed.with_layers:
        places |= _prefectures()
    area = st.selectbox(
        t("own.area"),
        list(places),
        format_func=places.__getitem__,
        key=session.spoken("find-own-area"),
        disabled=any(use.role == "area" for use in chosen.values()),
    )
    cell = st.number_input(
        t("own.cell"), 1.0, 10_000.0, proposed.cell_m, format="%g", key=f"find-own-cell-{proposed.cell_m:g}", **KEPT
    )
    crs = st.text_input(t("own.grid_crs"), proposed.crs, key=f"find-own-grid-{hash(proposed.crs)}", **KEPT)
    with_layers = proposed.with_layers and st.checkbox(
        t("own.with_layers"), value=True, help=t("own.with_layers_help"), key="find-own-layers", **KEPT
    )
    return Ground(name.strip() or proposed.name, crs.strip(), float(cell), area or "", bool(with_layers))


def _prefectures() -> dict[str, str]:
    table = Layers().read("prefectures")
    return dict(zip(table["code"].astype(str), table[f"name_{session.language()}"], strict=True))


def _prefecture_bounds(ground: Ground) -> tuple[float, float, float, float] | None:
    if not ground.prefecture or misuses.crs_faults(ground.crs):
        return None
    table = Layers().read("prefectures")
    west, south, east, north = table[table["code"].astype(str) == ground.prefecture].to_crs(ground.crs).total_bounds
    return float(west), float(south), float(east), float(north)


def _build(brought: Brought, row: dict[str, Any], faults: list[Fault]) -> None:
    pressed = st.button(
        t("own.build"),
        type="primary",
        icon=":material/landscape:",
        disabled=bool(faults),
        width="stretch",
        key="find-own-build",
    )
    if not pressed or faults:
        return
    with refusals(), st.spinner(t("own.building")):
        brought.build(row)
        try:
            cached_find.check_own()
        except GeoClusterError:
            brought.unbuild()
            raise
        session.keep(OPEN, False)
        st.rerun()


def _removal(brought: Brought) -> None:
    if brought.pieces and st.button(t("own.remove_all"), icon=":material/delete:", key="find-own-remove-all"):
        cached_find.let_go()
        session.keep(REFUSED, None)
        session.keep(OPEN, None)
        st.rerun()


def aside() -> None:
    """Below the choice, once a spec of one's own is shown: change it, take it along, remove it."""
    brought = cached_find.brought()
    with st.container(horizontal=True):
        st.button(t("own.edit"), icon=":material/tune:", key="find-own-edit", on_click=lambda: session.keep(OPEN, True))
        with st.popover(t("own.along"), icon=":material/download:", key="find-own-along"):
            toml = (brought.declared, SPEC, "application/toml")
            st.download_button(t("own.toml"), *toml, icon=":material/description:", key="find-own-toml")
            packed = (brought.packed, "screening.zip", "application/zip")
            st.download_button(t("own.zip"), *packed, icon=":material/folder_zip:", key="find-own-zip")
            st.caption(t("own.same"))
            st.code(f"geo-cluster suitability {SPEC} --out result", language=None, wrap_lines=True)
            _removal(brought)
