"""Local supporting rate （本地配套率） of a bill of materials, as an interval, and the parts that no one here makes.

The rate is the value bought of local suppliers over the value of all. A line whose supplier and place are unknown may
be either: it widens the interval, it is not left out. A value may be a range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Faults, InputError, Place, refuse_if
from geo_cluster.policy import chain
from geo_cluster.world import spreadsheet
from geo_cluster.world.layers import Layers, city_name
from geo_cluster.world.sheets import columns as reader
from geo_cluster.world.sheets import table
from geo_cluster.world.sheets.calls import Calls
from geo_cluster.world.sheets.columns import Understood

LOCAL, ELSEWHERE, UNKNOWN = "local", "elsewhere", "unknown"

HUBEI = "HB"
"""Stands for somewhere in Hubei, nobody says where."""

NAMED_WITHIN = 6
"""A firm's name says where it is registered within so many characters (武汉某某有限公司)."""

BASES: dict[str, Text] = {
    "place": Text(zh="所填产地", en="the place given"),
    "list": Text(zh="名录中的供应商", en="a supplier of our lists"),
    "name": Text(zh="企业名称所示（注册地）", en="what the firm's name says"),
    "none": Text(zh="供应商与产地均不认识", en="neither supplier nor place is known"),
}
"""What tells where a line comes from."""


@dataclass(frozen=True, eq=False)
class Rate:
    """How much of a bill of materials is local.

    Attributes
    ----------
    lines : DataFrame
        One row a line: `row` of the file, `part`, `low`, `likely`, `high` (10,000 yuan), `supplier`, `place`, `where`
        (local, elsewhere, unknown), `basis` (a key of `BASES`), `link` ('' where the part is none we know), `state`
        in Hubei ('' likewise).
    low, likely, high : float
        The rate, 0 to 1. Likely: of the lines whose origin is known, at their likely values; nan where none is.
    value : (3,) array
        Of all lines: low, likely, high.
    unknown : float
        Share of the likely value whose origin is unknown.
    city : str
        Code of the city that counts as local; '' for Hubei.
    notes : tuple of Text
        What the reader left out or converted.
    """

    lines: pd.DataFrame
    low: float
    likely: float
    high: float
    value: np.ndarray
    unknown: float
    city: str
    notes: tuple[Text, ...] = ()

    @property
    def missing(self) -> pd.DataFrame:
        """Lines of which no firm is seen in Hubei, the most valuable first."""
        found = self.lines[self.lines["state"].isin(["project", "outside", "nothing"])]
        return found.sort_values("likely", ascending=False, kind="stable")


def columns() -> Mapping[str, Mapping[str, Any]]:
    """Columns of a bill of materials, as declared in `tables/chain.toml`."""
    return toml.table("chain")["bom"]["columns"]


@cache
def calls() -> Calls:
    """What they are called."""
    return Calls(columns())


def template() -> bytes:
    """A workbook to fill in: headings in both languages and a line that is labelled an example."""
    rows = columns().values()
    headings = [f"{one['zh']} / {one['en']}" for one in rows]
    guide = [(title, one["help"]["zh"], one["help"]["en"]) for title, one in zip(headings, rows, strict=True)]
    name = toml.table("chain")["bom"]["name"]
    example = pd.DataFrame([[one.get("example", "") for one in rows]], columns=headings)
    about = pd.DataFrame(guide, columns=["列 / column", "说明", "meaning"])
    return spreadsheet.as_xlsx({name["zh"]: example, table.GUIDE: about})


def read(content: bytes, name: str, layers: Layers, *, city: str = "") -> Rate:
    """The rate of a file, CSV or any workbook that tables are read from.

    Parameters
    ----------
    content, name : bytes, str
        The file.
    layers : Layers
    city : str
        Code of the city that counts as local; '' for Hubei.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    names = _cities(layers)
    if city and city not in names:
        raise InputError(Fault("policy.unknown_city", Place("--city"), city=city, known=list(names)))
    found = reader.understand(table.read(content, name, lambda head: bool(calls().of(head).key)), calls())
    lines = _lines(found)
    known, outside = chain.short_names(layers), pd.DataFrame(layers.read("outside"))
    placed = pd.DataFrame(layers.read("chain")).set_index("id")["prefecture_code"].fillna("")
    of_firm = {call: placed[one] for call, one in known.items()}
    away = outside["name_zh"].tolist()
    words = _place_words(layers, outside)
    told = [_origin(row, city, words, of_firm, away) for row in lines.to_dict("records")]
    whole = chain.gaps(layers, within=()).set_index("link")["state"]
    link = [link_of(one) for one in lines["part"]]
    lines = lines.assign(
        where=[one for one, _ in told],
        basis=[basis for _, basis in told],
        link=link,
        state=[whole[one] if one else "" for one in link],
    )
    return rated(lines, city=city, notes=tuple(found.notes))


def rated(lines: pd.DataFrame, *, city: str = "", notes: tuple[Text, ...] = ()) -> Rate:
    """The rate of lines whose origin is told.

    Parameters
    ----------
    lines : DataFrame
        `low`, `likely`, `high`, `where`, as of `Rate`.
    city : str
        What counts as local.
    notes : tuple of Text
        Of the reader.
    """
    bounds = lines[["low", "likely", "high"]].to_numpy(float)
    here, away, open_ = (bounds[(lines["where"] == one).to_numpy()].sum(axis=0) for one in (LOCAL, ELSEWHERE, UNKNOWN))
    low = _share(here[0], away[2] + open_[2], otherwise=1.0)
    high = _share(here[2] + open_[2], away[0], otherwise=0.0)
    value = here + away + open_
    likely = _share(here[1], away[1], otherwise=np.nan)
    unknown = _share(open_[1], here[1] + away[1], otherwise=0.0)
    return Rate(lines, low, likely, high, value, unknown, city, notes)


def _share(part: float, rest: float, *, otherwise: float) -> float:
    """Part of the whole; `otherwise` where both may be nothing."""
    return float(part / (part + rest)) if part + rest > 0 else otherwise


def link_of(part: str) -> str:
    """The link of the chain that a part belongs to: that of the longest word in its name; '' for none."""
    said = part.casefold()
    found = [(len(word), key) for key, one in chain.links().items() for word in one.parts if word.casefold() in said]
    return max(found, key=lambda one: one[0])[1] if found else ""


def _lines(found: Understood) -> pd.DataFrame:
    """Lines of a table, every fault of it at once."""
    faults = Faults(found.faults)
    for key, column in columns().items():
        if column.get("required") and key not in found.headings:
            faults.append(Fault("policy.bom_column_missing", found.table.place(0, column["zh"])))
    text = found.text.apply(lambda column: column.str.strip())
    text = text[(text != "").any(axis=1) & (text["notes"] != columns()["notes"]["example"])]
    if text.empty:
        faults.append(Fault("policy.bom_empty", found.table.place()))
    refuse_if(list(faults) if text.empty or len(found.headings) == 0 else [])
    bounds = np.array([_amount(cell) for cell in text["value_10k_yuan"]])
    for (row, line), ends in zip(text.iterrows(), bounds, strict=True):
        faults += found.without(_line_faults(found, int(str(row)), line, ends))
    if not faults and not bounds[:, 2].sum() > 0:
        faults.append(Fault("policy.bom_all_nothing", found.table.place(0, found.headings["value_10k_yuan"])))
    refuse_if(list(faults))
    lines = text[["part", "supplier", "place"]].reset_index(names="row")
    return lines.assign(low=bounds[:, 0], likely=bounds[:, 1], high=bounds[:, 2])


def _amount(cell: str) -> tuple[float, float, float]:
    """Low, likely, high of a value as the reader writes it; nan for what is none."""
    try:
        ends = [float(one) for one in cell.split("-")] if cell and not cell.startswith("-") else [float(cell)]
    except ValueError:
        return (np.nan,) * 3
    low, high = min(ends), max(ends)
    return low, (low + high) / 2, high


def _line_faults(found: Understood, row: int, line: pd.Series, ends: np.ndarray) -> list[Fault]:
    faults = []
    heading = found.headings.get
    if "part" in found.headings and not line["part"]:
        faults.append(Fault("policy.bom_no_part", found.table.place(row, heading("part", ""))))
    if "value_10k_yuan" in found.headings:
        place = found.table.place(row, heading("value_10k_yuan", ""))
        if not line["value_10k_yuan"]:
            faults.append(Fault("policy.bom_no_value", place))
        elif not 0 <= ends[0] <= ends[2] < np.inf:
            faults.append(Fault("policy.bom_not_an_amount", place, value=line["value_10k_yuan"]))
    return faults


@cache
def _bom() -> Mapping[str, Any]:
    return toml.table("chain")["bom"]


def _cities(layers: Layers) -> dict[str, str]:
    """Code of each prefecture -> its name without 市 or 州."""
    table = pd.DataFrame(layers.read("prefectures"))
    return {code: city_name(name) for code, name in zip(table["code"], table["name_zh"], strict=True)}


def _place_words(layers: Layers, outside: pd.DataFrame) -> dict[str, str]:
    """Word of a place -> code of its prefecture, `HUBEI` for somewhere in Hubei, '' for outside."""
    words = dict.fromkeys(_bom()["outside_words"], "")
    words |= {city: "" for city in outside["city_zh"].dropna() for city in city.split("/")}
    words |= dict.fromkeys(_bom()["local_words"], HUBEI)
    for layer, column in (("counties", "prefecture_code"), ("sites", "prefecture_code"), ("prefectures", "code")):
        rows = pd.DataFrame(layers.read(layer))
        for english in ("name_zh", "name_en"):
            words |= {name: code for name, code in zip(rows[english], rows[column].fillna(HUBEI), strict=True) if name}
    words |= {name: code for code, name in _cities(layers).items()}
    return {word.casefold(): code for word, code in words.items() if len(word) >= 2}


def _origin(
    row: Mapping[str, Any],
    city: str,
    words: Mapping[str, str],
    firms: Mapping[str, str],
    away: list[str],
) -> tuple[str, str]:
    """Where a line comes from and what tells so: its place, else its supplier."""
    said = _code_in(row["place"], words)
    if said is not None:
        return _counts(said, city), "place"
    supplier = row["supplier"]
    named = [(len(call), code) for call, code in firms.items() if call in supplier or _is_short_for(supplier, call)]
    if named:
        return _counts(max(named)[1] or HUBEI, city), "list"
    if any(_is_short_for(supplier, one) or one in supplier for one in away):
        return ELSEWHERE, "list"
    begins = _code_in(supplier[:NAMED_WITHIN], words)
    return (UNKNOWN, "none") if begins is None else (_counts(begins, city), "name")


def _is_short_for(said: str, name: str) -> bool:
    return len(said) >= 3 and said in name


def _code_in(text: str, words: Mapping[str, str]) -> str | None:
    """The place that a text names most closely; None for none, and for one here and one elsewhere."""
    said = text.casefold()
    found = [(len(word), code != HUBEI, code) for word, code in words.items() if word in said]
    if not found or len({bool(code) for _, _, code in found}) > 1:
        return None
    return max(found)[2]


def _counts(code: str, city: str) -> str:
    """What a place counts as: somewhere in Hubei is unknown where one city is asked for."""
    if not code:
        return ELSEWHERE
    if not city:
        return LOCAL
    return UNKNOWN if code == HUBEI else LOCAL if code == city else ELSEWHERE


def sentence(rate: Rate) -> Text:
    """The rate in a sentence, with what it rests on."""
    low, high, unknown = (f"{one:.0%}" for one in (rate.low, rate.high, rate.unknown))
    missing = rate.missing
    zh = f"本地配套率 {low}–{high}：采购额 {rate.value[1]:,.0f} 万元，来源不明占 {unknown}"
    en = f"Local rate {low}–{high}: value {rate.value[1]:,.0f} x 10,000 yuan, {unknown} of unknown origin"
    if rate.likely == rate.likely:
        zh += f"，只算已知的为 {rate.likely:.0%}"
        en += f"; {rate.likely:.0%} of what is known"
    if len(missing):
        parts = list(dict.fromkeys(missing["part"]))
        zh += f"。省内未见企业生产：{'、'.join(parts)}"
        en += f". No firm is seen here that makes: {', '.join(parts)}"
    return Text(zh=f"{zh}。", en=f"{en}.")
