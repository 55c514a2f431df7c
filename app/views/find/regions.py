"""找地 · regions: found in the background, compared with the listed parks, made candidate sites by one press."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import cached, cached_find, cached_listing, session, state
from app.cached_find import Ground
from app.finding import Finding, Found
from app.listing import Listing
from app.session import t
from app.views.find import asked as asking
from app.views.find.asked import Asked
from app.widgets import listed, plain, text_table
from geo_cluster import scratch, toml
from geo_cluster.errors import GeoClusterError
from geo_cluster.suitability import candidates, headroom, kept
from geo_cluster.suitability.asks import Ask, By
from geo_cluster.suitability.candidates import CLASS
from geo_cluster.supply.grid_connection import voltages
from geo_cluster.world.coordinates import MU_PER_HA

WAIT_S = 1.5
"""So long a list of regions is waited for before its progress is shown."""
BEGUN = "find-begun"
MADE = "find-made"
"""Set once the work was changed: all of the page says so, its bar too."""


def under_way(ground: Ground, asked: Asked) -> Found | None:
    """What was found under these settings, or before them; the sample's regions are looked for at once."""
    scenario = state.scenario()
    layers, spec = state.layers(), cached_find.weighted(asked.spec, asked.weights)
    job = cached_find.finding(ground, spec, layers, scenario.sites)
    if job is None and asked.key == cached_find.SAMPLE and not session.kept(BEGUN):
        job = cached_find.begin(ground, spec, layers, scenario.sites)
    session.keep(BEGUN, True)
    if job is not None and job.found is not None:
        session.keep("find-last", (asked.key, job))
        return _listed(job, job.found, asked)
    if job is not None and not job.ended:
        _progress(job)
    else:
        if job is not None and job.refusal is not None:
            st.error(listed(job.refusal.faults), icon=":material/error:")
        _ask(ground, spec, job)
    key, last = session.kept("find-last", ("", None))
    return _listed(last, last.found, asked) if last is not None and key == asked.key else None


def _listed(job: Finding, found: Found, asked: Asked) -> Found:
    """The regions of one need, or of the segment or project that is chosen, with what they may get of power."""
    kinds: dict[str, By | None] = {"need": None, "segment": "segment", "project": "project"}
    who = {one: t(f"find.by_{one}") for one in kinds}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.segmented_control(
            t("find.by"),
            list(who),
            default="need",
            format_func=who.__getitem__,
            required=True,
            key=session.spoken("find-by"),
            persist_state="session",
        )
        kind = kinds[by]
        if kind is None:
            need = found.screen.spec.need.model_copy(update={"mva": asked.mva})
            wanted = cached_listing.single(found, need)
        else:
            wanted = cached_listing.asked(found.screen.spec, asking.projects(), kind)
        chosen = _whose(wanted, by) if by != "need" and wanted else ""
    listing = cached_listing.listing(job, wanted, state.scenario()) if wanted else None
    if listing is None:
        st.info(t("find.no_projects"), icon=":material/search_off:")
        return found._replace(regions=found.regions.iloc[:0])
    listing.wait(WAIT_S)
    if not listing.ended:
        _listing(listing)
    if listing.refusal is not None:
        st.error(listed(listing.refusal.faults), icon=":material/error:")
    if listing.regions is None:
        return found if by == "need" else found._replace(regions=found.regions.iloc[:0])
    if by != "need":
        _bests(listing.regions, wanted)
    mine = listing.regions[listing.regions["asked_by"] == chosen].reset_index(drop=True)
    return found._replace(regions=mine)


def _whose(wanted: list[Ask], by: str) -> str:
    names = {ask.key: plain(ask.name[session.language()]) for ask in wanted}
    return st.selectbox(
        t(f"find.by_{by}"), list(names), format_func=names.__getitem__, key=session.spoken(f"find-whose-{by}")
    )


@st.fragment(run_every=0.7)
def _listing(listing: Listing) -> None:
    if listing.ended:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(max(listing.share, 0.02), 1.0), t("find.listing", s=listing.elapsed_s))
        st.button(t("find.stop"), disabled=listing.stopped, key="find-list-stop", on_click=listing.stop)


def _bests(regions: Any, wanted: list[Ask]) -> None:
    """For each that asks what it needs, and the best region there is for it."""
    language, rows = session.language(), []
    first = regions.drop_duplicates("asked_by").set_index("asked_by")
    for ask in wanted:
        need = f"{ask.need.land_mu:,.0f}", f"{ask.need.mva:,.1f}"
        if ask.key in first.index:
            row = first.loc[ask.key].to_dict()
            best = f"{row['score']:.1f}", f"{row['lat']:.4f}, {row['lon']:.4f}", headroom.said(row, language)
        else:
            best = "—", t("find.none_for"), "—"
        rows.append((ask.name[language], *need, *best))
    with st.expander(t("find.bests", n=len(rows)), icon=":material/format_list_numbered:"):
        heads = ["find.who", "find.land", "find.mva", "find.score", "find.at", "find.spare"]
        text_table([t(one) for one in heads], rows, named=True)


def _ask(ground: Ground, spec: Any, job: Finding | None) -> None:
    layers, sites = state.layers(), state.scenario().sites
    cells = ground.exact.grid.rows * ground.exact.grid.columns
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            t("find.go_on" if job is not None and job.stopped else "find.go"),
            type="primary",
            icon=":material/travel_explore:",
            key="find-go",
            on_click=lambda: session.keep("find-asked", cached_find.begin(ground, spec, layers, sites)),
        )
        st.caption(t("find.go_note", cells=cells / 1e4, cell=ground.exact.grid.cell_m))


@st.fragment(run_every=0.7)
def _progress(job: Finding) -> None:
    if job.ended:
        st.rerun()
    with st.container(border=True):
        head, button = st.columns([5, 1], vertical_alignment="center")
        done, of = job.tiles
        said = t("find.stopping") if job.stopped else t("find.working", done=done, of=of, s=job.elapsed_s)
        head.markdown(f"**{said}**")
        if button.button(
            t("find.stop"), icon=":material/stop_circle:", width="stretch", disabled=job.stopped, key="find-stop"
        ):
            job.stop()
        st.progress(min(max(job.share, 0.02), 1.0))


def table(found: Found, asked: Asked) -> None:
    """The regions, best first, and the press that makes candidates of them."""
    st.subheader(t("find.regions"), anchor=False)
    spec, language, regions = found.screen.spec, session.language(), found.regions
    if cached_find.weighted(asked.spec, asked.weights) != spec:
        st.caption(t("find.earlier"))
    if regions.empty:
        st.info(t("find.no_region", land=spec.need.land_mu), icon=":material/search_off:")
        return
    shown = pd.DataFrame(
        {
            "find.rank": regions["rank"],
            "find.score": regions["score"].round(1),
            "find.span": [f"{row.score_low:.1f}–{row.score_high:.1f}" for row in regions.itertuples()],
            "find.area": regions["land_mu"].round(0),
            "find.hall": [f"{row.hall_width_m:.0f} × {row.hall_length_m:.0f}" for row in regions.itertuples()],
        }
    )
    for key, one in spec.criteria.items():
        shown[
            f"{one.name[language]}（{one.unit[language]}）" if language == "zh" else f"{one.name.en} ({one.unit.en})"
        ] = regions[key].round(1)
    shown["find.compact"] = regions["compactness"].round(2)
    rows = regions.to_dict("records")
    if "total" in regions:
        shown.insert(1, "find.total", regions["total"].round(1))
        shown["find.fits"] = [headroom.VERDICTS[row["mva_fits"]][language] for row in rows]
    if "pool" in regions:
        shown["find.spare"] = [headroom.interval(row) for row in rows]
    names = {key: t(key) for key in shown if key.startswith("find.")}
    st.dataframe(shown.rename(columns=names), hide_index=True, alt=t("find.regions"))
    if "mva_basis" in regions and regions["mva_basis"].isin(["assumed", ""]).any():
        st.caption(t("find.ask_power", whom=headroom.whom(language)))
    if asked.mva:
        _power(asked.mva)
    _candidates(found)


def _power(mva: float) -> None:
    levels = t("comma").join(f"{one:g}" for one in voltages((mva, mva), grid=toml.table("grid")))
    st.caption(t("find.power", mva=mva, kv=levels))


def _candidates(found: Found) -> None:
    """Make candidate sites of regions, unless they are some already."""
    sites = cached.layer_table(state.layers(), "sites")
    there = {(round(a, 6), round(b, 6)) for a, b in zip(sites["lon"], sites["lat"], strict=True)}
    regions = found.regions
    new = [row.rank for row in regions.itertuples() if (round(row.lon, 6), round(row.lat, 6)) not in there]
    mine = sites[sites["site_class"] == CLASS]
    if new:
        choose, press = st.columns([3, 2], vertical_alignment="bottom")
        ranks = choose.multiselect(
            t("find.which"), new, default=new[:1], key=f"find-which-{session.language()}-{len(mine)}"
        )
        press.button(
            t("find.make"),
            icon=":material/add_location_alt:",
            type="primary",
            width="stretch",
            disabled=not ranks,
            key="find-make",
            help=t("find.make_help"),
            on_click=_make,
            args=[found, ranks],
        )
    if refused := session.kept("find-refused"):
        st.error(listed(refused), icon=":material/error:")
    if len(mine):
        names = t("comma").join(mine[f"name_{session.language()}"])
        st.success(t("find.made", n=len(mine), names=names), icon=":material/check_circle:")
        with st.container(horizontal=True):
            for page in ("score", "match", "brief"):
                if page in session.pages():
                    st.page_link(session.pages()[page], label=t(f"find.to_{page}"), width="content")


def _make(found: Found, ranks: list[int]) -> None:
    """Put regions into the work: its layers, and its sites where it names some."""
    chosen = found.regions[found.regions["rank"].isin(ranks)]
    session.keep("find-refused", None)
    try:
        with scratch.temporary() as folder:
            spec, layers = found.screen.spec, folder / "layers"
            after = candidates.as_sites(state.scenario(), chosen, spec, layers)
            made = candidates.made_of(after, found.regions)
            kept.keep(found.answer, spec, found.regions, layers, sites=made, parks=found.parks)
            files = {f"layers/{one.name}": one.read_bytes() for one in sorted((folder / "layers").iterdir())}
        note = t("find.made_note", n=len(chosen))
        state.attach(note, **files)
        if after.sites:
            state.change(note, sites=list(after.sites))
        session.keep(MADE, True)
    except GeoClusterError as refusal:
        session.keep("find-refused", refusal.faults)


def beside_parks(found: Found) -> None:
    """The best region beside the listed parks: mean score of the free land within a kilometre of each."""
    language, parks = session.language(), found.parks
    with st.expander(t("find.parks", n=len(parks)), icon=":material/compare_arrows:"):
        scored = parks[parks["score"].notna()]
        if len(scored) and not found.regions.empty:
            best, park = found.regions.iloc[0], scored.iloc[0]
            name = plain(park[f"name_{language}"])
            st.markdown(t("find.beside", best=best["score"], park=name, score=park["score"]))
        st.caption(t("find.parks_note"))
        text_table(
            [t("col.site"), t("find.score"), t("find.free_near")],
            [
                (
                    row[f"name_{language}"],
                    f"{row['score']:.1f}" if row["score"] == row["score"] else t("find.none_near"),
                    f"{row['free_ha'] * MU_PER_HA:,.0f}",
                )
                for row in parks.to_dict("records")
            ],
            named=True,
        )


def taken(found: Found) -> None:
    """What each rule takes, in the declared order."""
    sources = found.screen.spec.sources.values()
    with st.expander(t("find.taken"), icon=":material/layers_clear:"):
        text_table(
            [t("find.rule"), t("find.alone"), t("find.after"), t("find.left")],
            [
                (
                    row[f"name_{session.language()}"],
                    *(f"{row[key]:.2f} %" for key in ("alone_pct", "after_pct", "left_pct")),
                )
                for row in found.answer.exclusions.to_dict("records")
            ],
        )
        owed = [t("find.owed_one", source=_spoken(one.source), licence=_spoken(one.licence)) for one in sources]
        st.caption(t("find.owed", sources=t("comma").join(dict.fromkeys(owed))))


def _spoken(said: str) -> str:
    """What a spec says once for all readers, Chinese / English, in the visitor's language where it has both."""
    chinese, _, english = said.partition(" / ")
    return english if english and session.language() == "en" else chinese
