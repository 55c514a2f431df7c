"""政策资金: what the policy pays by year and government, the readings taken and what they cost, what is not known."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from app import cached, charts, session, state
from app.session import t
from app.views.delivery import entered, entry
from app.widgets import listed, plain, text_table
from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.export import policy_tables
from geo_cluster.policy import entries as entries_of
from geo_cluster.policy import summary
from geo_cluster.policy.entries import Entries
from geo_cluster.policy.forms import MONEY
from geo_cluster.policy.money import AHEAD, Money
from geo_cluster.policy.rules import PAYERS, not_found, readings
from geo_cluster.world.sheets.columns import Understood

FIRMS, PLAN = "firms", "plan"
FURTHEST = 15


def draw() -> None:
    """Draw the part."""
    day = state.work().scenario.date
    entries, until, notes = _scope(day.year)
    found = cached.policy_money(entries, on=day, until=until, choices=entered.choices())
    costs = cached.policy_costs(entries, on=day, until=until, choices=entered.choices())
    _sums(found)
    for note in notes:
        st.caption(plain(note[session.language()]))
    _readings(costs)
    if len(found.lines):
        charts.draw(_figure(found), alt=t("money.chart_alt"))
    _subjects(found, entries)
    _doubts(found)
    _unknown(found, entries)
    _rules(found)
    entry.panel(MONEY, _check, name="money")
    _save(found, entries, costs, notes)


def _scope(year: int) -> tuple[Entries, int, tuple[Text, ...]]:
    """Whose money: firms or the projects of the plan, one of them or all, up to which year; and what to say of it."""
    study = state.last_study()
    whose, one, ahead = st.columns([1.2, 2, 1], vertical_alignment="bottom")
    kind = whose.segmented_control(
        t("money.whose"),
        (FIRMS, PLAN),
        format_func=lambda key: t(f"money.whose_{key}"),
        default=FIRMS,
        required=True,
        key="money-whose",
        persist_state="session",
    )
    until = ahead.number_input(t("money.until"), year, year + FURTHEST, year + AHEAD, key="money-until")
    notes: tuple[Text, ...] = ()
    if kind == PLAN and study is not None:
        entries = cached.policy_projects(study)
        notes = (policy_tables.WORDS["sample"],) if study.scenario.is_sample else ()
    else:
        entries = cached.policy_entries(state.layers(), entered.content(MONEY.file))
        if kind == PLAN:
            st.info(t("money.no_plan"))
    language = session.language()
    names = {
        key: entries.names[key][language] if key in entries.names else key
        for key in dict.fromkeys(entries.rows["subject"])
    }
    pick = one.selectbox(
        t("money.subject"),
        ["", *names],
        format_func=lambda key: names.get(key, t("money.all")),
        key=f"money-subject-{kind}-{language}",
    )
    return (entries.of({pick}) if pick else entries), int(until), notes


def _sums(found: Money) -> None:
    """What each government may have to pay, over all years."""
    table, language = summary.by_government(found, state.layers()), session.language()
    st.caption(t("money.sums", last=found.years[-1]))
    if table.empty:
        st.info(t("money.nothing"))
        return
    with st.container(horizontal=True, key="money-sums"):
        for row in table.to_dict("records"):
            st.metric(
                row[f"government_{language}"],
                t("money.amount", n=summary.amounts(row["low"], row["likely"], row["high"])),
            )


def _figure(found: Money) -> charts.Figure:
    """Bounds of each year by who pays, with the likely amount where it is known."""
    table, language = summary.by_year(found, state.layers()), session.language()
    table["who"] = table["payer"].map({key: words[language] for key, words in PAYERS.items()})
    added = table.assign(open=table["likely"].isna()).groupby(["year", "payer", "who"], sort=True)
    rows = added[["low", "likely", "high"]].sum().assign(open=added["open"].any()).reset_index()
    rows.loc[rows["open"].astype(bool), "likely"] = float("nan")
    return charts.Figure(rows.drop(columns="open"), _years)


def _years() -> alt.LayerChart:
    style = toml.table("style")
    colours = [style["page"]["accent"], style["stage"]["equipment"], style["stage"]["support"]]
    labels = [PAYERS[key][session.language()] for key in PAYERS]
    scale = alt.Scale(domain=labels, range=colours)
    base = alt.Chart(charts.ROWS).encode(
        x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("who:N", sort=list(labels)),
        color=alt.Color("who:N", scale=scale, legend=alt.Legend(title=None, orient="top")),
    )
    tips = [
        alt.Tooltip("year:O", title=t("money.year")),
        alt.Tooltip("who:N", title=t("money.payer")),
        *(alt.Tooltip(f"{end}:Q", title=t(f"money.{end}"), format=",.0f") for end in ("low", "likely", "high")),
    ]
    bars = base.mark_bar(opacity=0.4).encode(y=alt.Y("low:Q", title=t("money.axis")), y2="high:Q", tooltip=tips)
    dots = base.mark_circle(size=80, opacity=1).encode(y="likely:Q", tooltip=tips)
    return (bars + dots).properties(height=230)


def _subjects(found: Money, entries: Entries) -> None:
    """One row a firm, product or project and rule."""
    table, language = summary.by_subject(found, entries.names), session.language()
    if table.empty:
        return
    rules = {key: one.row["short"][language] for key, one in found.rules.items()}
    shown = pd.DataFrame(
        {
            t("money.subject"): table[f"name_{language}"],
            t("money.rule"): table["rule"].map(rules),
            t("money.clause"): table["clause"],
            t("money.years"): [summary.span_of_years(row.first_year, row.last_year) for row in table.itertuples()],
            t("money.bounds"): [summary.amounts(row.low, row.likely, row.high) for row in table.itertuples()],
        }
    )
    for payer, words in PAYERS.items():
        ends = zip(table[f"{payer}_low"], table[f"{payer}_high"], strict=True)
        shown[words[language]] = [summary.amounts(low, float("nan"), high) if high else "–" for low, high in ends]
    st.dataframe(shown, hide_index=True, height=min(36 * (len(shown) + 1) + 2, 330), alt=t("money.subjects_alt"))


def _readings(costs: pd.DataFrame) -> None:
    """A control for each reading that matters here with what the other options cost; the others on request."""
    known = readings()
    moved = costs[["more_low", "more_high"]].abs().sum(axis=1).gt(0) | costs["unknown"].gt(0)
    matter = [name for name in known if moved[costs["reading"] == name].any()]
    title = t("money.readings", n=len(known), matter=len(matter))
    with st.expander(title, icon=":material/rule:", expanded=bool(matter), key="money-readings"):
        st.caption(t("money.readings_note"))
        _controls(matter, costs)
        if st.toggle(t("money.readings_more", n=len(known) - len(matter)), key="money-readings-all"):
            _controls([name for name in known if name not in matter], costs)


def _controls(names: list[str], costs: pd.DataFrame) -> None:
    language, known = session.language(), readings()
    columns = st.columns(2)
    for place, name in enumerate(names):
        own = costs[costs["reading"] == name].set_index("option")
        words = {option: said[language] for option, said in known[name].options.items()}
        with columns[place % 2]:
            st.selectbox(
                known[name].name[language],
                list(words),
                format_func=words.__getitem__,
                key=session.show(session.spoken(f"money-reading-{name}"), own.index[own["is_taken"]][0]),
                on_change=_choose,
                args=(name,),
            )
            others = [option for option in words if not own.loc[option, "is_taken"]]
            st.caption(
                plain(t("semicolon").join(t("money.instead", what=words[o], cost=_cost(own.loc[o])) for o in others))
            )


def _cost(row: pd.Series) -> str:
    """What an option costs beside the one taken, in words."""
    if row["unknown"]:
        return t("money.cost_unknown", n=int(row["unknown"]))
    low, likely, high = (row[f"more_{end}"] for end in ("low", "likely", "high"))
    if not low and not high and not likely > 0 and not likely < 0:
        return t("money.cost_none")
    return t("money.cost", low=f"{low:+,.0f}", high=f"{high:+,.0f}")


def _choose(name: str) -> None:
    option, one = session.chosen(session.spoken(f"money-reading-{name}")), readings()[name]
    language = session.language()
    colon = "：" if language == "zh" else ": "
    entered.choose(name, option, f"{one.name[language]}{colon}{one.options[option][language]}")


def _doubts(found: Money) -> None:
    if found.doubts:
        st.warning(listed(found.doubts), icon=":material/help:")


def _unknown(found: Money, entries: Entries) -> None:
    """What is not known of whom, and the rules that were not found: to be asked for, never counted as nothing."""
    gaps, language, missing = summary.asked(found, entries.names), session.language(), not_found(state.layers())
    with st.expander(t("money.unknown", n=len(gaps), rules=len(missing)), icon=":material/contact_support:"):
        st.caption(t("money.unknown_note"))
        if len(gaps):
            shown = gaps[[f"name_{language}", f"gap_{language}"]].set_axis([t("money.subject"), t("money.gap")], axis=1)
            st.dataframe(shown, hide_index=True, height=min(36 * (len(shown) + 1) + 2, 260), alt=t("money.unknown_alt"))
        names = {"place_zh": t("money.place"), "name_zh": t("money.missing"), "text_zh": t("money.note")}
        st.dataframe(missing[list(names)].rename(columns=names), hide_index=True, alt=t("money.missing_alt"))


def _rules(found: Money) -> None:
    """Each rule with its clause, life, payers, papers, the readings taken and what its text does not say."""
    table, language = summary.rule_table(found), session.language()
    with st.expander(t("money.rules", n=len(table)), icon=":material/gavel:"):
        st.caption(t("money.rules_note"))
        columns = ["name", "pays", "papers", "reading", "open"]
        heads = [t("money.clause"), *(t(f"money.rule_{one}") for one in columns), t("money.rule_life")]
        rows = [
            [
                row["clause"] or "–",
                *(row[f"{one}_{language}"] or "–" for one in columns),
                " · ".join(
                    filter(None, [row[f"issuer_{language}"], row[f"life_{language}"], row[f"state_{language}"]])
                ),
            ]
            for row in table.to_dict("records")
        ]
        text_table(heads, rows, named=True)


def _save(found: Money, entries: Entries, costs: pd.DataFrame, notes: tuple[Text, ...]) -> None:
    day, language, layers = state.work().scenario.date, session.language(), state.layers()
    entered.downloads(
        lambda: policy_tables.money_files(found, entries, costs, layers, day=day, language=language, notes=notes),
        "policy_money",
    )


def _check(found: Understood) -> None:
    entries_of.checked(found, cached.policy_names(state.layers()))
