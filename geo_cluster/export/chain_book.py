"""The chain as a workbook: gaps, candidates, measures and clusters; links of a place; a bill of materials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.policy import bom, chain, links, partners, specialities
from geo_cluster.scoring.structure import INDICATIVE
from geo_cluster.world.layers import Layers
from geo_cluster.world.layers import words as vocabulary
from geo_cluster.world.spreadsheet import as_xlsx

FORMATS = {"share": "0%", "lq": "0.00", "specialisation": "0.00", "herfindahl": "0.00", "krugman": "0.00"}
FORMATS |= {
    "overlap": "0.00",
    "chance": "0.00",
    "proximity": "0.00",
    "minutes": "#,##0",
    "low": "#,##0",
    "high": "#,##0",
}


def heading(key: str, language: Language) -> str:
    """A heading of the tables below."""
    return str(toml.table("chain")["book"]["headings"][key][language])


def word(key: str, language: Language) -> str:
    """A word of the tables below."""
    return str(toml.table("chain")["book"]["words"][key][language])


def chain_book(layers: Layers, language: Language) -> bytes:
    """Gaps, candidates, measures and clusters, a sheet each.

    Parameters
    ----------
    layers : Layers
    language : {"zh", "en"}
    """
    return _book({name: table(layers, language) for name, table in TABLES.items()}, language)


def links_book(found: links.Linkage, language: Language) -> bytes:
    """Suppliers and buyers of a place, a sheet each."""
    sides = {"suppliers": found.suppliers, "buyers": found.buyers}
    return _book({name: partners_of(table, language) for name, table in sides.items()}, language)


def rate_book(rate: bom.Rate, language: Language) -> bytes:
    """A local supporting rate, its lines, and the parts that none makes here, a sheet each."""
    told = {
        key: getattr(rate, key.removeprefix("rate_"))
        for key in ("rate_low", "rate_likely", "rate_high", "rate_unknown")
    }
    rows = [(word(key, language), "—" if value != value else f"{value:.1%}") for key, value in told.items()]
    rows.append((word("rate_basis", language), ""))
    about = pd.DataFrame(rows, columns=["what", "number_of"])
    tables = {
        "rate": about,
        "lines": lines_of(rate.lines, language),
        "missing": lines_of(rate.missing, language),
    }
    return _book(tables, language)


def _book(tables: Mapping[str, pd.DataFrame], language: Language) -> bytes:
    sheets = toml.table("chain")["book"]["sheets"]
    headings = {key: words[language] for key, words in toml.table("chain")["book"]["headings"].items()}
    formats = {headings[key]: form for key, form in FORMATS.items()}
    return as_xlsx(
        {sheets[name][language]: table.rename(columns=headings) for name, table in tables.items()}, formats=formats
    )


def gaps_of(layers: Layers, language: Language) -> pd.DataFrame:
    """One row a link: clause, stage, what it is in Hubei and in each city, who makes it, who outside could come."""
    table, states, stop = chain.gaps(layers), chain.states(), "、" if language == "zh" else ", "
    names = chain.makers(layers).drop_duplicates("id").set_index("id")[f"name_{language}"]
    rows = []
    for key, one in chain.links().items():
        by = table[table["link"] == key].set_index("city")
        whole = by.loc[chain.ANYWHERE]
        row = {"link": one.name[language], "clause": one.clause, "stage": vocabulary("stage")[one.stage][language]}
        row["hubei"] = states[whole["state"]][language]
        row |= {name[language]: states[by.loc[code, "state"]][language] for code, name in chain.cities(layers).items()}
        row |= {column: stop.join(names[id_] for id_ in whole[column]) for column in ("firms", "projects")}
        rows.append(row | {"outside": stop.join(whole["outside"]), "note": one.note[language] if one.note else ""})
    return pd.DataFrame(rows)


def candidates_of(layers: Layers, language: Language, table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Candidates as people read them.

    Parameters
    ----------
    layers : Layers
    language : {"zh", "en"}
    table : DataFrame, optional
        Rows of `chain.candidates`; all of them when left out.
    """
    table = chain.candidates(layers) if table is None else table
    stop, text = "、" if language == "zh" else ", ", table.select_dtypes(exclude="number").fillna("")
    names = {key: one.name[language] for key, one in chain.links().items()}
    return pd.DataFrame(
        {
            "id": table["id"],
            "name": table["name_zh"],
            "province": text["province_zh"],
            "city": text["city_zh"],
            "links": [stop.join(names[one] for one in said) for said in table["links"]],
            "clause": [chain.clause_words(one)[language] for one in text["policy_clauses"]],
            "gap": [chain.gap_words(one)[language] for one in text["gaps"]],
            "products": text["products_zh"],
            "basis": [chain.bases()[one][language] for one in table["basis"]],
            "foothold": [chain.footholds()[one][language] for one in table["foothold"]],
            "foothold_said": text["in_hubei_zh"],
            "publisher": text["publisher"],
            "as_of": text["as_of"],
            "confidence": _words("confidence", text["confidence"], language),
            "source": text["source"],
        }
    ).reset_index(drop=True)


def quotients_of(layers: Layers, language: Language) -> pd.DataFrame:
    """Location quotients with their interval and what they rest on."""
    table = specialities.quotient_table(layers)
    span = [f"{low:.1f}–{high:.1f}" for low, high in zip(table["lq_low"], table["lq_high"], strict=True)]
    named = {"city": table[f"prefecture_{language}"], "segment": table[f"segment_{language}"]}
    return pd.DataFrame(named | {key: table[key] for key in ("value", "total", "share", "lq")}).assign(
        lq_range=span, sample=_sample(table["few"], language), note=INDICATIVE[language]
    )


def cities_of(layers: Layers, language: Language) -> pd.DataFrame:
    """How specialised each city is."""
    table = specialities.city_table(layers)
    named = {"city": table[f"prefecture_{language}"], "value": table["total"]}
    numbers = {key: table[key] for key in ("specialisation", "herfindahl")}
    return pd.DataFrame(named | numbers).assign(
        unknown_segment=table["segment_unknown"], sample=_sample(table["few"], language), note=INDICATIVE[language]
    )


def pairs_of(layers: Layers, language: Language) -> pd.DataFrame:
    """How far each two cities do the same, beside chance."""
    table = specialities.pair_table(layers)
    named = {end: table[f"{end}_{language}"] for end in ("first", "second")}
    numbers = {key: table[key] for key in ("krugman", "overlap", "chance")}
    span = _chance(table)
    return pd.DataFrame(named | numbers).assign(
        chance_range=span, sample=_sample(table["few"], language), note=INDICATIVE[language]
    )


def related_of(layers: Layers, language: Language) -> pd.DataFrame:
    """Segments found in the same cities, beside chance."""
    table = specialities.relatedness(layers)
    named = {end: table[f"{end}_{language}"] for end in ("first", "second")}
    number = [f"{a} / {b}" for a, b in zip(table["first_firms"], table["second_firms"], strict=True)]
    both = [f"{a} / {b}" for a, b in zip(table["both"], table["cities"], strict=True)]
    tells = [word("yes" if one else "no", language) for one in table["tells"]]
    return pd.DataFrame(named).assign(
        number=number,
        both=both,
        proximity=table["proximity"],
        chance=table["chance"],
        chance_range=_chance(table),
        tells=tells,
        note=INDICATIVE[language],
    )


def clusters_of(layers: Layers, language: Language, *, everywhere: bool = True) -> pd.DataFrame:
    """Clusters of other provinces: actual values and targets apart, with year and publisher.

    Parameters
    ----------
    layers : Layers
    language : {"zh", "en"}
    everywhere : bool
        Also those of provinces that clause 16 does not name.
    """
    table = partners.clusters(layers, everywhere=everywhere)
    names = pd.DataFrame(layers.read("chain")).set_index("id")[f"name_{language}"]
    text, stop = (
        table.fillna({"year_zh": "", "year": "", "firms_zh": "", "leading_firms_zh": ""}),
        "、" if language == "zh" else ", ",
    )
    return pd.DataFrame(
        {
            "province": table["province_zh"],
            "cluster": table["name_zh"],
            "actual": table["actual"],
            "target": table["target"],
            "year": text["year_zh"].where(text["year_zh"] != "", text["year"].astype(str)),
            "cluster_firms": text["firms_zh"],
            "leading": text["leading_firms_zh"],
            "from_hubei": [stop.join(names[one] for one in ids) for ids in table["hubei"]],
            "publisher": table["publisher"],
            "as_of": table["as_of"],
            "confidence": _words("confidence", table["confidence"], language),
        }
    )


def partners_of(table: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Suppliers or buyers as people read them."""
    rough = ["nowhere" if unknown else "rough" if one else "placed"
             for one, unknown in zip(table["rough"], table["likely"].isna(), strict=True)]  # fmt: skip
    return pd.DataFrame(
        {
            "name": table[f"name_{language}"],
            "city": table[f"city_{language}"],
            "minutes": table["likely"].astype(float),
            "low": table["low"].astype(float),
            "high": table["high"].astype(float),
            "rough": [word(one, language) for one in rough],
            "what_said": table["what_zh"].fillna(""),
            "basis": [links.BASES[one][language] for one in table["basis"]],
            "publisher": table["publisher"].fillna(""),
            "as_of": table["as_of"].fillna(""),
        }
    )


def lines_of(lines: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Lines of a bill of materials as people read them."""
    names = {key: one.name[language] for key, one in chain.links().items()} | {"": ""}
    states = {key: one[language] for key, one in chain.states().items()} | {"": ""}
    amount = [f"{a:g}" if a == b else f"{a:g}–{b:g}" for a, b in zip(lines["low"], lines["high"], strict=True)]
    return pd.DataFrame(
        {
            "row": lines["row"],
            "part": lines["part"],
            "amount": amount,
            "supplier": lines["supplier"],
            "place": lines["place"],
            "where": [word(one, language) for one in lines["where"]],
            "basis": [bom.BASES[one][language] for one in lines["basis"]],
            "link": [names[one] for one in lines["link"]],
            "state": [states[one] for one in lines["state"]],
        }
    ).reset_index(drop=True)


TABLES = {
    "gaps": gaps_of,
    "candidates": candidates_of,
    "quotients": quotients_of,
    "cities": cities_of,
    "pairs": pairs_of,
    "related": related_of,
    "clusters": clusters_of,
}
"""Sheets of the workbook of the chain."""


def _sample(few: Iterable[bool], language: Language) -> list[str]:
    return [word("few" if one else "enough", language) for one in few]


def _chance(table: pd.DataFrame) -> list[str]:
    return [f"{low:.2f}–{high:.2f}" for low, high in zip(table["chance_low"], table["chance_high"], strict=True)]


def _words(vocabulary_name: str, cells: Iterable[object], language: Language) -> list[str]:
    known = vocabulary(vocabulary_name)
    return [known[one][language] if isinstance(one, str) and one in known else "" for one in cells]
