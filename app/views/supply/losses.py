"""要素 · what each exclusion took of the land: gross, rule by rule, net."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from geo_cluster import toml
from geo_cluster.world.coordinates import MU_PER_HA

LAND = "land/land.csv"
"""Where a land survey's result lies among a work's files."""

LOSS_COLOURS = ("#b4541a", "#b3223e", "#3b7dd8", "#6b7785", "#5b3f8c", "#e08a1e", "#7a5200", "#38a874")


def show() -> None:
    """Draw the tab."""
    own = state.work().files.get(LAND)
    if own is None:
        st.html(f'<span class="gc-sample">{t("supply.losses_sample")}</span>')
    st.caption(t("supply.losses_note"))
    steps = _spoken(cached.land_losses(own))
    left, right = st.columns(2)
    with left:
        st.subheader(t("supply.losses_all"), anchor=False)
        st.altair_chart(_stack(steps), width="stretch", alt=t("supply.losses_all"))
    with right:
        _one_site(steps)
    shown = steps.pivot_table(index="site", columns="step_label", values="mu", sort=False).round(1)
    shown[t("supply.offered")] = cached.land_on_offer(own).round(1)
    st.dataframe(shown.rename_axis(t("col.site")).reset_index(), hide_index=True, alt=t("supply.losses_all"))
    st.caption(t("supply.offered_note"))


def _spoken(steps: pd.DataFrame) -> pd.DataFrame:
    """Steps under the names that people use, in mu."""
    language, named = session.language(), toml.table("land")["rules"]
    ends = {"gross": t("supply.gross"), "net": t("supply.net")}
    labels = [ends.get(step) or named.get(step, {}).get(language, step) for step in steps["step"]]
    return steps.assign(step_label=labels, mu=steps["ha"] * MU_PER_HA, left=steps["left_ha"] * MU_PER_HA)


def _colours(steps: pd.DataFrame) -> alt.Scale:
    rules = steps.loc[~steps["step"].isin(["gross", "net"]), "step_label"].drop_duplicates().tolist()
    colours = [LOSS_COLOURS[n % len(LOSS_COLOURS)] for n in range(len(rules))]
    page = toml.table("style")["page"]
    ends = [t("supply.net"), t("supply.gross")]
    if "gross" not in set(steps["step"]):
        return alt.Scale(domain=[ends[0], *rules], range=[page["accent"], *colours])
    return alt.Scale(domain=[*ends, *rules], range=[page["accent"], page["muted"], *colours])


def _tips(**labels: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip(key, title=t(label), format="" if "_" in key or key == "site" else ",.1f")
        for key, label in labels.items()
    ]


def _stack(steps: pd.DataFrame) -> alt.Chart:
    """One bar a site: what is left, then what each rule took."""
    parts = steps[steps["step"] != "gross"]
    parts = parts.assign(position=(parts["step"] != "net") * 1)
    count = parts["site"].nunique()
    return (
        alt.Chart(parts)
        .mark_bar(stroke="white", strokeWidth=0.8)
        .encode(
            y=alt.Y("site:N", title=None, axis=alt.Axis(labelLimit=150)),
            x=alt.X("mu:Q", title=t("supply.mu"), stack="zero"),
            color=alt.Color(
                "step_label:N",
                scale=_colours(parts),
                legend=alt.Legend(title=None, orient="bottom", columns=2, labelLimit=125),
            ),
            order="position:Q",
            tooltip=_tips(site="col.site", step_label="supply.step", mu="supply.mu"),
        )
        .properties(height=40 * max(count, 2) + 210)
    )


def _one_site(steps: pd.DataFrame) -> None:
    """From gross to net, step by step, for one site."""
    site = st.selectbox(t("supply.losses_one"), steps["site"].drop_duplicates().tolist(), key="supply-site")
    rows = steps[steps["site"] == site]
    start = rows["left"].where(rows["step"] != "gross", 0.0).where(rows["step"] != "net", 0.0)
    rows = rows.assign(start=start, end=start + rows["mu"])
    text = [
        f"{'−' if step not in ('gross', 'net') else ''}{mu:,.1f}"
        for step, mu in zip(rows["step"], rows["mu"], strict=True)
    ]
    base = alt.Chart(rows.assign(text=text)).encode(
        y=alt.Y("step_label:N", sort=None, title=None, axis=alt.Axis(labelLimit=150)),
        tooltip=_tips(step_label="supply.step", mu="supply.mu", left="supply.left"),
    )
    bar = base.mark_bar(height=18).encode(
        x=alt.X("start:Q", title=t("supply.mu")),
        x2="end:Q",
        color=alt.Color("step_label:N", scale=_colours(steps), legend=None),
    )
    label = base.mark_text(align="left", dx=5, fontSize=12).encode(x="end:Q", text="text:N")
    st.altair_chart((bar + label).properties(height=34 * len(rows) + 40), width="stretch", alt=t("supply.losses_one"))
