"""选址: the verdict as a card, and the sites side by side as small ones."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import streamlit as st

from app import session
from app.session import t
from app.texts import short
from geo_cluster.domain import Language, Text
from geo_cluster.intake import site_choice
from geo_cluster.intake.site_choice import Weighed
from geo_cluster.intake.verdict_card import Card, Reason, Side, card, reasons, side
from geo_cluster.world import catalog


def verdict(weighed: Weighed) -> None:
    """The site in large, how sure, what speaks for and against it, what would turn it; or why there is none."""
    language, found = session.language(), card(weighed)
    sentence = escape(site_choice.verdict(weighed)[f"sentence_{language}"])
    if found is None:
        st.html(f'<section class="gc-verdict gc-card" role="status"><p>{sentence}</p></section>')
        return
    names = {site: name[language] for site, name in weighed.choice.names.items()}
    remark = weighed.choice.remarks[language][weighed.choice.sites.index(found.first.site)]
    parts = [
        _head(found, names[found.first.site], str(remark)),
        _sure(found, names, language),
        f'<div class="gc-two">{_listed("for", found.pros, language)}{_listed("against", found.cons, language)}</div>',
        _turns(found.turns, language),
        f'<details class="gc-basis"><summary>{t("score.in_one_sentence")}</summary>{sentence}</details>',
    ]
    st.html(f'<section class="gc-verdict gc-card gc-grade-{found.grade}" role="status">{"".join(parts)}</section>')


def _head(found: Card, name: str, remark: str) -> str:
    one = found.first
    within = t("score.within", low=f"{one.low:.0f}", high=f"{one.high:.0f}")
    unseen = f'<small class="gc-unseen">⚠ {escape(remark)}</small>' if remark else ""
    return (
        f'<header><div><small>{t("score.best")}</small><h2 class="gc-site">{escape(name)}</h2>{unseen}</div>'
        f'<div class="gc-total" title="{t("score.full_marks")}"><b>{one.score:.1f}</b><small>/ 100<br>{within}</small>'
        "</div></header>"
    )


def _sure(found: Card, names: dict[str, str], language: Language) -> str:
    """The chances to be first as one bar that names its parts, both intervals on one scale, and the sentence."""
    said = f"<p>{escape(found.how_sure[language])}</p>"
    if found.second is None:
        return f'<div class="gc-sure">{said}</div>'
    rest = max(1 - found.first.chance - found.second.chance, 0.0)
    parts = [
        (short(names[found.first.site]), found.first.chance, "one"),
        (short(names[found.second.site]), found.second.chance, "other"),
        (t("score.other_sites"), rest, "rest"),
    ]
    bar = "".join(f'<i class="{which}" style="width:{100 * chance:.1f}%"></i>' for _, chance, which in parts)
    key = "".join(
        f'<span><i class="{which}"></i>{escape(name)} <b>{chance:.0%}</b></span>' for name, chance, which in parts
    )
    chances = f'<b class="gc-h">{t("score.how_sure")}</b><div class="gc-chances" aria-hidden="true">{bar}</div>'
    return f'<div class="gc-sure">{chances}<div class="gc-chance-key">{key}</div>{_spans(found, names)}{said}</div>'


def _spans(found: Card, names: dict[str, str]) -> str:
    """Intervals of both sites on one scale: nine in ten draws, the likely score, the mean of the draws."""
    sides = [(found.first, "one"), *([(found.second, "other")] if found.second else [])]
    numbers = [number for one, _ in sides for number in (one.low, one.high, one.score)]
    low, high = min(numbers) - 1, max(numbers) + 1

    def at(number: float) -> str:
        return f"{100 * (number - low) / (high - low):.1f}%"

    def line(one: Side, which: str) -> str:
        width = f"{100 * (one.high - one.low) / (high - low):.1f}%"
        marks = f'<i style="left:{at(one.low)};width:{width}"></i><u style="left:{at(one.mean)}"></u>'
        said = f"{one.score:.1f} · {one.low:.0f}–{one.high:.0f}"
        return (
            f'<div class="gc-span {which}"><span>{escape(short(names[one.site]))}</span>'
            f'<div class="gc-line">{marks}<b style="left:{at(one.score)}"></b></div><span>{said}</span></div>'
        )

    return f'{"".join(line(*one) for one in sides)}<small class="gc-how">{t("score.spans_key")}</small>'


def _listed(which: str, found: Iterable[Reason], language: Language) -> str:
    sign = {"for": "+", "against": "−"}[which]
    items = "".join(
        f'<li><i aria-hidden="true">{sign}</i><span>{escape(one.words[language])} {tag(one.evidence)}</span></li>'
        for one in found
    )
    items = items or f"<li><span>{t(f'score.nothing_{which}')}</span></li>"
    return f'<div class="gc-{which}"><b class="gc-h">{t(f"score.{which}")}</b><ul>{items}</ul></div>'


def tag(evidence: str) -> str:
    """How a number is known, as a badge."""
    return f'<span class="gc-tag {escape(evidence)}">{t(f"basis.{evidence}")}</span>'


def _turns(turns: Iterable[Text], language: Language) -> str:
    items = "".join(f"<li><span>{escape(one[language])}</span></li>" for one in turns)
    return f'<div class="gc-turn"><b class="gc-h">{t("score.turn")}</b><ul>{items}</ul></div>' if items else ""


def cards(weighed: Weighed, sites: list[str], offers: dict[tuple[str, str], str]) -> None:
    """The sites side by side, each on a card: score, chance, minutes, land, power, one line for and against.

    Parameters
    ----------
    weighed : Weighed
    sites : list of str
        Ids of eligible sites.
    offers : dict
        Site and resource -> what it has, in words.
    """
    language, criteria = session.language(), list(catalog.criteria())
    rank = {weighed.choice.sites[place]: at + 1 for at, place in enumerate(weighed.order)}
    body = ""
    for site in sites:
        place = weighed.choice.sites.index(site)
        one, (pros, cons) = side(weighed, place), reasons(weighed, place)
        at = criteria.index("rd_minutes")
        minutes = weighed.choice.natural[place, at]
        facts = [(t("score.minutes"), "–" if minutes != minutes else t("score.in_minutes", n=f"{minutes:.0f}"))]
        facts += [(t(f"score.offer_{key}"), offers.get((site, key), "–")) for key in ("land", "power")]
        rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in facts)
        lines = "".join(
            f'<li class="{which}"><i aria-hidden="true">{sign}</i><span>{escape(found[0].words[language])}</span></li>'
            for which, sign, found in (("for", "+", pros), ("against", "−", cons))
            if found
        )
        name = escape(weighed.choice.names[site][language])
        within = t("score.within", low=f"{one.low:.0f}", high=f"{one.high:.0f}")
        more = f"sheet?id={site}&language={language}"
        body += (
            f'<article><header><span class="gc-rank">{rank[site]}</span><h3>{name}</h3></header>'
            f'<p class="gc-score"><b>{one.score:.1f}</b> <small>{within} · '
            f"{t('score.first_in', chance=f'{one.chance:.0%}')}</small></p>"
            f'<dl>{rows}</dl><ul>{lines}</ul><a href="{escape(more, quote=True)}" target="_self">{t("sheet.open")}</a>'
            "</article>"
        )
    st.html(f'<div class="gc-cards">{body}</div>')
