"""One candidate on paper （招商一张表）: a .docx in the house's style, Chinese or English."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export.outline import NONE, Block, Grid, Lines, Outline, Part
from geo_cluster.export.paper import typeset
from geo_cluster.policy import chain, links
from geo_cluster.policy.summary import amounts
from geo_cluster.policy.why_here import Sheet, no_plan
from geo_cluster.world import catalog
from geo_cluster.world.layers import words

ENDS = ("low", "likely", "high")
NEAREST = 6
"""So many suppliers and buyers are listed."""


def candidate_paper(sheet: Sheet, *, language: Language, day: str) -> bytes:
    """The sheet of one candidate as a .docx file.

    Parameters
    ----------
    sheet : Sheet
    language : {"zh", "en"}
    day : str
        Day of the study.
    """
    return typeset(outline_of(sheet, language, day=day), language)


def outline_of(sheet: Sheet, language: Language, *, day: str) -> Outline:
    """Title, parts and tables of the sheet.

    Parameters
    ----------
    sheet : Sheet
    language : {"zh", "en"}
    day : str
        Day of the study.
    """
    make = _Parts(sheet, language)
    link = chain.links()[sheet.link].name[language]
    about = (make.say("about", link=link, output=sheet.output_100m_yuan), make.say("day", day=day))
    parts = (make.firm(), make.needs(), make.sites(), *make.near(), make.money(), make.asked())
    title = make.say("title", name=str(sheet.candidate["name_zh"]))
    return Outline(title, about, parts, review=make.say("review"))


class _Parts:
    """The parts of one sheet in one language."""

    def __init__(self, sheet: Sheet, language: Language) -> None:
        self.sheet, self.language = sheet, language

    def say(self, key: str, **values: object) -> str:
        return str(toml.table("chain")["paper"][key][self.language]).format(**values)

    def grid(
        self, name: str, headings: Sequence[str], rows: Sequence[Sequence[object]], numeric: str, *, title: str = ""
    ) -> Grid:
        """A table; `numeric` has a 1 for each column of numbers."""
        titles = tuple(self.say(one) for one in headings)
        texts = tuple(tuple(str(cell) for cell in row) for row in rows)
        values = pd.DataFrame([list(row) for row in rows], columns=list(titles))
        marks = tuple(one == "1" for one in numeric)
        return Grid(name, title or self.say(name), titles, values, texts, marks, len(texts))

    def part(self, key: str, message: str, *blocks: Block, sources: tuple[str, ...] = ()) -> Part:
        title = self.say(key)
        return Part(key, title, title, message, blocks, sources)

    def firm(self) -> Part:
        row, zh = self.sheet.candidate, self.language == "zh"
        said = self.say(
            "firm_said",
            place=f"{_text(row['province_zh'])}{_text(row['city_zh'])}",
            products=_text(row["products_zh"]),
            clause=chain.clause_words(_text(row["policy_clauses"]))[self.language],
            gap=chain.gap_words(_text(row["gaps"]))[self.language],
            foothold=_text(row["in_hubei_zh"]) if zh else self.foothold(),
        )
        about = {key: _text(row[key]) for key in ("publisher", "as_of")}
        about["confidence"] = words("confidence").get(row["confidence"], {}).get(self.language, NONE)
        basis = chain.bases()[row["basis"]][self.language]
        lines = [self.say("basis", basis=basis, **about), no_plan()[self.language]]
        if _text(row["notes"]) != NONE:
            lines.insert(1, self.say("notes", notes=_text(row["notes"])))
        states = chain.states()
        gap = [
            (chain.links()[one.link].name[self.language], states[one.state][self.language], len(one.firms))
            for one in self.sheet.gap.itertuples()
        ]
        table = self.grid("gap", ("link", "state", "seen"), gap, "001")
        return self.part("firm", said, Lines(tuple(lines)), table, sources=(self.say("source", source=row["source"]),))

    def foothold(self) -> str:
        row = self.sheet.candidate
        word = chain.footholds()[row["foothold"]][self.language]
        return word if row["foothold"] == "none" else f"{word} ({row['in_hubei_zh']})"

    def needs(self) -> Part:
        said = catalog.segments()[self.sheet.segment].name[self.language]
        rows = [
            (row[f"what_{self.language}"], row[f"unit_{self.language}"], *(_number(row[end]) for end in ENDS))
            for row in self.sheet.needs.to_dict("records")
        ]
        table = self.grid("needs", ("what", "unit", "low", "likely", "high"), rows, "00111")
        return self.part("needs", self.say("needs_said", segment=said, output=self.sheet.output_100m_yuan), table)

    def sites(self) -> Part:
        table = self.sheet.sites
        if table.empty:
            return self.part("sites", self.say("no_site"))
        rows = [
            (
                row[f"name_{self.language}"],
                row[f"city_{self.language}"],
                f"{row['score']:.1f} ({row['low']:.0f}–{row['high']:.0f})",
                chance(row["chance_first"]),
                f"{row['trip_min']:.0f}",
            )
            for row in table.to_dict("records")
        ]
        grid = self.grid("sites", ("site", "city", "score", "chance", "trip"), rows, "00111")
        names = ("、" if self.language == "zh" else ", ").join(table[f"name_{self.language}"])
        return self.part("sites", self.say("sites_said", n=self.sheet.eligible, names=names), grid)

    def near(self) -> list[Part]:
        """Suppliers and buyers of the best site; a sentence of each of the others."""
        found = list(self.sheet.linkages.values())
        if not found:
            return []
        minutes = links.reach_minutes()[1]
        first, name = found[0], found[0].focus.name[self.language]
        others = Lines(tuple(links.sentence(one, minutes)[self.language] for one in found[1:]))
        grids = [self.partners(side, name, getattr(first, side)) for side in ("suppliers", "buyers")]
        kept: list[Block] = [one for one in grids if one.texts]
        if others.lines:
            kept.append(others)
        return [self.part("near", self.say("near_said", said=links.sentence(first, minutes)[self.language]), *kept)]

    def partners(self, side: str, site: str, table: pd.DataFrame) -> Grid:
        rows = [
            (
                row[f"name_{self.language}"],
                row[f"city_{self.language}"] or NONE,
                NONE if pd.isna(row["likely"]) else f"{row['likely']:.0f} ({row['low']:.0f}–{row['high']:.0f})",
                links.BASES[row["basis"]][self.language],
            )
            for row in table.head(NEAREST).to_dict("records")
        ]
        return self.grid(side, ("partner", "city", "minutes", "rests"), rows, "0010", title=self.say(side, site=site))

    def money(self) -> Part:
        """Rules and ceilings, what the assumed plant would be paid, and what the text leaves open."""
        rows = [
            (
                row["clause"] or NONE,
                row[f"name_{self.language}"],
                _number(row["most_10k_yuan"]),
                NONE if pd.isna(row["high"]) else amounts(row["low"], float("nan"), row["high"]),
                row[f"open_{self.language}"],
            )
            for row in self.sheet.money.to_dict("records")
        ]
        grid = self.grid("money", ("clause", "offer", "most", "paid", "open"), rows, "00110")
        return self.part("money", self.say("money_said"), grid)

    def asked(self) -> Part:
        return self.part("asked", self.say("asked_said"), Lines(tuple(one[self.language] for one in self.sheet.asked)))


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) and cell else NONE


def chance(value: float) -> str:
    """A chance in percent; one that is not nothing is never told as 0 %."""
    return "<1%" if 0 < value < 0.005 else f"{value:.0%}"


def _number(value: float) -> str:
    """A number to three digits, with thousands; a dash where there is none."""
    return NONE if pd.isna(value) else f"{float(f'{value:.3g}'):,.10g}"
