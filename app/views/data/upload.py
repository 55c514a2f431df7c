"""Part of 数据: files dropped in, read, checked, previewed, and only then accepted."""

from __future__ import annotations

import datetime
from pathlib import PurePath
from typing import Any

import pandas as pd
import streamlit as st

from app import cached, dropped, session, state
from app.session import t
from app.views.data import geometry, mending
from app.views.data.geometry import RULES, Dropped, Rules
from app.views.data.preview import faulty, preview
from app.widgets import plain, upload_words
from geo_cluster import toml
from geo_cluster.box.limits import limits
from geo_cluster.imports import ledger
from geo_cluster.imports.checked import KINDS, Checked, Kind, fault_table
from geo_cluster.imports.files import digest
from geo_cluster.imports.headings import columns_of
from geo_cluster.world import spreadsheet

OTHERS = ("rules", "exclusions")


def draw() -> None:
    """Templates, the drop zone, and one box a file."""
    st.markdown(t("data.import.how"))
    stamp = digest(state.work().files.get(ledger.LEDGER, b""))[:12]
    upload_words()
    drop, beside = st.columns([3, 2], gap="medium")
    with drop:
        uploaded = st.file_uploader(t("data.import.drop"), accept_multiple_files=True, key=f"import-files-{stamp}")
        _limits()
    with beside:
        _example()
    _templates()
    files = geometry.gathered([*dropped.brought_along(), *((one.name, one.getvalue()) for one in uploaded)])
    for file in files:
        if (fault := geometry.unreadable(file)) is not None:
            dropped.refuse(file.name, fault)
    files = [file for file in files if geometry.unreadable(file) is None]
    with st.container(horizontal=True):
        kinds = {k: _kind(k, file, stamp) for k, file in enumerate(files)}
    rules = _rules(files, kinds, stamp)
    for k, file in enumerate(files):
        kind = next((one for one in KINDS if one == kinds[k]), None)
        if kind:
            with st.container(border=True):
                _one(k, file, kind, rules, stamp)


def _limits() -> None:
    """What is taken, and how large it may be."""
    now, names = limits(), toml.table("limits")
    st.caption(t("data.import.limits", mb=now.megabytes, shapes=now.features))
    with st.expander(t("data.import.all_limits"), icon=":material/straighten:"):
        st.caption(" · ".join(f"{row[session.language()]} {getattr(now, key):,}" for key, row in names.items()))
        st.caption(t("data.import.raise_limits"))


def _example() -> None:
    """What a table of projects may look like, and its template."""
    language, columns = session.language(), columns_of("projects")
    st.caption(t("data.import.example"))
    shown = ("name", "segment", "output_100m_yuan", "land_mu")
    st.dataframe(
        pd.DataFrame(
            [[columns[key].get("example", "") for key in shown]], columns=[columns[k][language] for k in shown]
        ),
        hide_index=True,
    )
    st.download_button(
        t("data.import.template"),
        cached.template("projects", "xlsx"),
        file_name="projects_template.xlsx",
        icon=":material/download:",
        key="template-example",
        on_click="ignore",
    )


def _templates() -> None:
    with st.expander(t("data.import.templates"), icon=":material/table_view:"):
        st.caption(t("data.import.templates_how"))
        for kind in KINDS:
            declared = toml.table("imports")[kind]
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{declared['name'][session.language()]}**", width=130)
                for ending in ("xlsx", "csv"):
                    st.download_button(
                        f"{ending.upper()} · {declared['name'][session.language()]}",
                        cached.template(kind, ending),
                        file_name=f"{kind}_template.{ending}",
                        icon=":material/download:",
                        key=f"template-{kind}-{ending}",
                        on_click="ignore",
                    )
            st.caption(declared["help"][session.language()])


def _kind(k: int, file: Dropped, stamp: str) -> str | None:
    """What a file is to be read as: guessed, and for the visitor to correct; None until that is said."""
    guessed = cached.kind_of(file.content, file.name)
    names = {kind: t(f"data.kind.{kind}") for kind in (*KINDS, *OTHERS)}
    options = list(names)
    return st.selectbox(
        t("data.import.kind", name=_safe(file.name)),
        options,
        index=options.index(guessed) if guessed else None if cached.is_table(file.content, file.name) else 0,
        placeholder=t("data.import.kind_open"),
        format_func=names.__getitem__,
        key=f"import-kind-{stamp}-{k}-{file.sha256[:12]}",
        width=300,
    )


def _safe(name: str) -> str:
    """A name short enough for a label that shows it as it is."""
    return plain(name if len(name) <= 80 else f"{name[:60]}…{name[-16:]}")


def _rules(files: list[Dropped], kinds: dict[int, str | None], stamp: str) -> Rules | None:
    """Exclusion rules with their layers and what these are in, when both were dropped; one alone is told."""
    found = {kind: next((files[k].content for k in kinds if kinds[k] == kind), None) for kind in OTHERS}
    if (found["rules"] is None) != (found["exclusions"] is None):
        st.warning(t("data.import.half_rules"), icon=":material/rule:")
    elif found["rules"] is not None and "parcels" not in kinds.values():
        st.warning(t("data.import.rules_alone"), icon=":material/rule:")
    if found["rules"] is None or found["exclusions"] is None:
        return None
    return Rules((found["rules"], found["exclusions"]), geometry.crs(f"{RULES}-{stamp}", t("data.import.rules_crs")))


def _one(k: int, file: Dropped, kind: Kind, rules: Rules | None, stamp: str) -> None:
    """One file: how to read it, its faults or its preview, and the button."""
    shapes = geometry.format_of(file)
    st.text(" · ".join(filter(None, (t(f"data.kind.{kind}"), shapes, file.name))))
    key, is_table = f"{stamp}-{k}-{file.sha256[:12]}", not shapes
    checked = _as_chosen(file, kind, rules, key, is_table=is_table)
    if checked.is_ready:
        checked = geometry.beside(checked, key)
    for note in checked.notes:
        st.caption(f":material/info: {plain(note[session.language()])}")
    _shown(checked, kind, key, is_table=is_table)


def _shown(checked: Checked, kind: Kind, key: str, *, is_table: bool) -> None:
    """How the file was read, and its faults or its preview."""
    own = f"{key}-{kind}"
    if is_table:
        mending.remembered(checked, kind, own)
        mending.matching(checked, kind, own)
    if checked.faults:
        geometry.offers(checked.extra.get("offered", ()), key)
        geometry.offers(
            checked.extra.get("of_rules", ()), f"{RULES}-{key.split('-')[0]}", how="data.import.rules_offered"
        )
        _refused(checked, key, mended=own if is_table else "")
    if is_table:
        mending.understood(checked)
    if checked.faults:
        return
    if is_table:
        mending.cells(checked, own)
        mending.save(checked, own)
    if not checked.is_ready:
        st.info(t("data.import.nothing"))
        return
    preview(checked)
    _accept(checked, key)


def _as_chosen(file: Dropped, kind: Kind, rules: Rules | None, key: str, *, is_table: bool) -> Checked:
    """The file checked as the visitor says: its source and CRS, sheet or layers, and to which site names belong."""
    source, crs = "", ""
    if kind in ("parcels", "substations"):
        with st.container(horizontal=True):
            source = st.text_input(
                t("data.import.source"), placeholder=t("data.import.source_hint"), key=f"source-{key}", width=360
            )
            crs = geometry.crs(key)
    belongs: dict[str, str] = {}
    about: dict[str, Any] = {"source": source, "crs": crs, "rules": rules.files if rules else None}
    about |= {"rules_crs": rules.crs} if rules else {}
    if is_table:
        about["table"] = mending.choice(f"{key}-{kind}")
    with st.spinner(t("data.import.checking")):
        checked = cached.checked(file, kind, state.scenario(), belongs=belongs, **about)
    if is_table:
        checked = _matched_before(file, checked, kind, f"{key}-{kind}", about)
    elif chosen := geometry.layers(file, checked, key):
        about["layers"] = chosen
        checked = cached.checked(file, kind, state.scenario(), belongs=belongs, **about)
    if kind == "parcels" and len(checked.extra.get("belongs", ())):
        belongs = _belongs(checked.extra["belongs"], key)
        if belongs:
            checked = cached.checked(file, kind, state.scenario(), belongs=belongs, **about)
    if is_table:
        mending.sheets(checked, f"{key}-{kind}")
    return checked


def _matched_before(file: Dropped, checked: Checked, kind: Kind, key: str, about: dict[str, Any]) -> Checked:
    """The same, read as a table of these headings was matched by hand before."""
    now = about["table"]
    if checked.meant.empty or now["mapping"] or "before" in now:
        return checked
    before = state.matched_before(kind, checked.meant["heading"])
    if not before:
        return checked
    about["table"] = mending.chosen(key, mapping=before, before=True)
    return cached.checked(file, kind, state.scenario(), belongs={}, **about)


def _belongs(found: pd.DataFrame, key: str) -> dict[str, str]:
    """Which site the parcels of an unknown name belong to, proposed by place."""
    open_ = found[(found["by"] == "place") & (found["said"] != "")]
    if open_.empty:
        return {}
    st.caption(t("data.import.belongs_how"))
    names = {one: f"{one} {text[session.language()]}" for one, text in cached.region(state.scenario()).names.items()}
    sites = cached.region(state.scenario()).sites["id"].tolist()
    out = {}
    for number, row in enumerate(open_.head(12).itertuples()):
        out[row.said] = st.selectbox(
            t("data.import.belongs", name=_safe(row.said), count=row.parcels),
            sites,
            index=sites.index(row.site) if row.site in sites else 0,
            format_func=names.__getitem__,
            key=f"belongs-{key}-{number}",
            width=420,
        )
    return out


def _refused(checked: Checked, key: str, *, mended: str) -> None:
    """Every fault in words, the cells to be mended or marked, and the list to take away."""
    st.error(t("data.import.faults", count=len(checked.faults)), icon=":material/error:")
    table = fault_table(checked.faults)
    words = [session.words(fault) for fault in checked.faults]
    table[["where", "what", "remedy"]] = [[one.where, one.what, one.remedy] for one in words]
    table = table.sort_values("row", kind="stable")
    table["row"] = table["row"].map(lambda row: checked.row_name(row) if row else "")
    shown = table.rename(columns={name: t(f"data.fault.{name}") for name in table})
    st.dataframe(shown.drop(columns=t("data.fault.where")).head(500), hide_index=True, key=f"faults-{key}")
    st.download_button(
        t("data.import.save_faults"),
        spreadsheet.as_csv(shown),
        file_name="faults.csv",
        icon=":material/download:",
        key=f"save-faults-{key}",
        on_click="ignore",
    )
    if mended:
        mending.cells(checked, mended)
        mending.save(checked, mended)
    else:
        faulty(checked)


def _accept(checked: Checked, key: str) -> None:
    """The button; with parcels placed by their position, only once that was confirmed."""
    sure = True
    if checked.kind == "parcels" and (checked.extra.get("belongs", pd.DataFrame({"by": []}))["by"] != "name").any():
        sure = st.checkbox(t("data.import.sure"), key=f"sure-{key}")
    if st.button(
        t("data.import.accept"), type="primary", icon=":material/check:", disabled=not sure, key=f"take-{key}"
    ):
        now = datetime.datetime.now().astimezone()
        held = ledger.accept(state.scenario().known, state.work().files, checked, when=now)
        dropped.done(checked.sha256)
        state.change_data(t("data.note.import", name=checked.name[:80]), known=held.known, files=held.files)
        if checked.kind == "projects":
            state.name_after(PurePath(checked.name).stem)
        st.toast(t("data.import.done", name=_safe(checked.name)), icon=":material/check:")
        st.rerun()
