"""Links of the laser chain that are missing here, by city, and who outside Hubei could come （补链）.

A link is a segment, or a product that the policy names (`tables/chain.toml`). Who makes what is read from what sources
say, by words: "none" means that none is seen in our sources, not that there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Declared, Stage, Text
from geo_cluster.errors import Fault, InputError, Place
from geo_cluster.world.layers import Layers, by_content
from geo_cluster.world.layers import words as vocabulary

FIRMS = ("firm", "plant")
"""Kinds of the layer `chain` that make things; a `project` is told beside them."""

ANYWHERE = ""
"""Stands for all of Hubei where a city is asked for."""


class Link(Declared):
    """A link of the chain, and how to tell who makes one."""

    name: Text
    clause: int
    """Clause of the policy that names it."""
    stage: Stage
    segment: str
    """Whose needs and customers a plant of this link has."""
    of_segment: tuple[str, ...] = ()
    """Firms listed in these segments make it."""
    here: tuple[str, ...] = ()
    """Words in the stated products of firms in Hubei."""
    outside: tuple[str, ...] = ()
    """Regular expressions for what sources say of firms elsewhere."""
    gaps: tuple[str, ...] = ()
    """Gaps of the layer `outside` that it fills."""
    parts: tuple[str, ...] = ()
    """Words by which a line of a bill of materials is known."""
    note: Text | None = None
    """What not to mistake."""


@cache
def links() -> dict[str, Link]:
    """The links in the order of the chain."""
    return {key: Link.model_validate(row) for key, row in toml.table("chain")["links"].items()}


@cache
def states() -> dict[str, Text]:
    """What a link can be in a city, the best first."""
    return {key: Text(**row["name"]) for key, row in toml.table("chain")["states"].items()}


def is_gap(state: str) -> bool:
    """Whether a state is a gap."""
    return bool(toml.table("chain")["states"][state].get("gap"))


@cache
def footholds() -> dict[str, Text]:
    """What a source says of a firm's foothold in Hubei."""
    return {key: Text(**row) for key, row in toml.table("chain")["footholds"].items()}


@cache
def bases() -> dict[str, Text]:
    """What tells the products of a candidate."""
    return {key: Text(**row) for key, row in toml.table("chain")["bases"].items()}


def links_of_firm(segments: str, products: str) -> list[str]:
    """Links that a firm of Hubei makes, by its segments (`;`-separated) and the products that sources state."""
    listed = set(segments.split(";"))
    return [key for key, one in links().items() if listed & set(one.of_segment) or any(w in products for w in one.here)]


@by_content("chain", most=4)
def makers(layers: Layers) -> pd.DataFrame:
    """Who in Hubei makes what: one row an entity and link.

    Returns
    -------
    DataFrame
        `link`, `id`, `name_zh`, `name_en`, `kind` (firm, plant, project), `prefecture_code` ('' where unknown).
    """
    chain = pd.DataFrame(layers.read("chain"))
    known = chain[chain["kind"].isin([*FIRMS, "project"])].fillna({"segments": "", "products_zh": ""})
    columns = ["id", "name_zh", "name_en", "kind", "prefecture_code"]
    table = (
        known[columns]
        .fillna("")
        .assign(link=[links_of_firm(*both) for both in zip(known["segments"], known["products_zh"], strict=True)])
    )
    return table.explode("link").dropna(subset="link").reset_index(drop=True)[["link", *columns]]


def _links_outside(row: Mapping[str, str]) -> list[str]:
    """Links that a firm elsewhere makes, by its gaps and what sources say of it, in the order of the chain."""
    filled = set(row["gaps"].split(";"))
    said = f"{row['segment_zh']}；{row['products_zh']}"
    return [
        key
        for key, one in links().items()
        if filled & set(one.gaps) or any(re.search(pattern, said) for pattern in one.outside)
    ]


def _foothold(said: str, known: Iterable[str]) -> str:
    """A key of `footholds()`: by how the note begins, and whether it names somebody of the chain or the policy."""
    if re.match(r"[有是][：:]", said):
        return "yes"
    return "tie" if "政策" in said or any(name in said for name in known) else "none"


@by_content("chain", most=4)
def short_names(layers: Layers) -> dict[str, str]:
    """What firms of Hubei are called, in full and for short (锐科激光, 锐科) -> id."""
    found: dict[str, str] = {}
    chain = layers.read("chain")
    known = chain[chain["kind"].isin(FIRMS)]
    aliases = known["alias_zh"].fillna("") if "alias_zh" in known else [""] * len(known)  # no column of the contract
    for one, name, alias in zip(known["id"], known["name_zh"], aliases, strict=True):
        for call in (name, *filter(None, alias.split(";"))):
            for short in (call, call.removesuffix("激光"), call.removesuffix("科技")):
                found.setdefault(short, one)
    return found


@by_content("chain", "outside", most=4)
def candidates(layers: Layers) -> pd.DataFrame:
    """Firms outside Hubei that could come, as sources describe them; none of them is said to plan anything.

    Returns
    -------
    DataFrame
        One row a firm, by `id`: the columns of the layer `outside`, `links` (list of keys), `basis` (`source`: its
        products are stated; `background`: inferred, unverified), `foothold` (a key of `footholds()`).
    """
    table = pd.DataFrame(layers.read("outside")).drop(columns="geometry", errors="ignore")
    table = table.assign(publisher=table.get("publisher", ""))
    text = table[["segment_zh", "products_zh", "gaps", "in_hubei_zh"]].fillna("").astype(str)
    calls = list(short_names(layers))
    unstated = text["segment_zh"].str.startswith("来源未写") | (table["gap_basis"] == "background")
    return table.assign(
        links=[_links_outside(row) for row in text.to_dict("records")],
        basis=unstated.map({True: "background", False: "source"}),
        foothold=[_foothold(said, calls) for said in text["in_hubei_zh"]],
    ).set_index("id", drop=False)


def candidates_for(layers: Layers, link: str) -> pd.DataFrame:
    """Candidates that make a link: those whose products are stated first, then those with a foothold here."""
    table = candidates(layers)
    found = table[[link in one for one in table["links"]]]
    inferred, order = found["basis"] != "source", list(footholds())
    return found.iloc[np.lexsort((found["foothold"].map(order.index), inferred))]


def candidate(layers: Layers, named: str) -> pd.Series:
    """One candidate by id or name.

    Raises
    ------
    InputError
        There is none, or several, of that name.
    """
    table = candidates(layers)
    if named in table.index:
        return table.loc[named]
    alike = table[table["name_zh"].str.contains(named, regex=False)] if named else table.iloc[:0]
    if len(alike) == 1:
        return alike.iloc[0]
    known = list(alike["id"]) if len(alike) else [f"{table.index[0]}…{table.index[-1]}"]
    raise InputError(Fault("policy.no_candidate", Place(named, kind="candidate"), known=known))


def cities(layers: Layers) -> dict[str, Text]:
    """Cities of the matrix: those with sites, and Wuhan first, by code."""
    table = pd.DataFrame(layers.read("prefectures"))
    names = {one.code: Text(zh=one.name_zh, en=one.name_en) for one in table.itertuples()}
    sites = pd.DataFrame(layers.read("sites"))["prefecture_code"].dropna()
    anchors = pd.DataFrame(layers.read("anchors"))
    first = anchors["prefecture_code"].dropna().tolist() if "prefecture_code" in anchors else ["420100"]
    codes = dict.fromkeys([*first, *sites])
    return {one: names[one] for one in codes if one in names}


def gaps(layers: Layers, *, within: Iterable[str] | None = None) -> pd.DataFrame:
    """What each link is in each city, and in Hubei.

    Parameters
    ----------
    layers : Layers
    within : iterable of str, optional
        Codes of cities; those of `cities` when left out.

    Returns
    -------
    DataFrame
        One row a link and city (`ANYWHERE` for Hubei): `state`, `firms`, `projects` (lists of ids), `outside` (ids of
        candidates).
    """
    return _gaps(layers, (*(cities(layers) if within is None else within), ANYWHERE))


@by_content("chain", "outside", most=16)
def _gaps(layers: Layers, places: tuple[str, ...]) -> pd.DataFrame:
    known, rows = makers(layers), []
    for link in links():
        here = known[known["link"] == link]
        made = here["kind"].isin(FIRMS)
        away = candidates_for(layers, link)["id"].tolist()
        for city in places:
            there = (here["prefecture_code"] == city) | (city == ANYWHERE)
            firms, projects = (here[there & kind]["id"].tolist() for kind in (made, ~made))
            state = _state(len(firms), len(projects), bool(made.any()), bool(away))
            rows.append((link, city, state, firms, projects, away))
    return pd.DataFrame(rows, columns=["link", "city", "state", "firms", "projects", "outside"])


def _state(firms: int, projects: int, anywhere: bool, away: bool) -> str:
    if firms:
        return "one" if firms == 1 else "several"
    if projects:
        return "project"
    if anywhere:
        return "elsewhere"
    return "outside" if away else "nothing"


def missing(layers: Layers, *, stages: Iterable[str] = ("materials", "components")) -> pd.DataFrame:
    """Links of which no firm is seen in Hubei, and who outside could come.

    Parameters
    ----------
    layers : Layers
    stages : iterable of str
        Stages of the chain.

    Returns
    -------
    DataFrame
        `link`, `state`, `projects`, `outside`, as of `gaps`.
    """
    table, wanted = gaps(layers, within=()), set(stages)
    kept = table["link"].map(lambda key: links()[key].stage in wanted) & (table["firms"].map(len) == 0)
    return table[kept].drop(columns=["city", "firms"]).reset_index(drop=True)


def clause_words(clauses: str) -> Text:
    """Clauses (`;`-separated) as people read them."""
    each = [one for one in clauses.split(";") if one]
    zh = "、".join(f"第{one}条" for one in each) or "—"
    return Text(zh=zh, en=("clauses " if len(each) > 1 else "clause ") + ", ".join(each) if each else "—")


def gap_words(found: str) -> Text:
    """Gaps of the layer `outside` (`;`-separated) as people read them."""
    known = vocabulary("gap")
    each = [known[one] for one in found.split(";") if one in known]
    none = Text(zh="不补短板（同行）", en="fills none (a peer)")
    return Text(zh="、".join(one["zh"] for one in each), en=", ".join(one["en"] for one in each)) if each else none


def sentences(layers: Layers) -> list[Text]:
    """Each link of which no firm is seen in Hubei, in a sentence with who outside could come."""
    table, said = candidates(layers), []
    for one in missing(layers, stages=tuple(vocabulary("stage"))).itertuples():
        link, zh, en = links()[one.link], [], []
        for row in table.loc[list(one.outside)].to_dict("records"):
            told = [bases()[row["basis"]]] if row["basis"] != "source" else []
            told += [footholds()[row["foothold"]]] if row["foothold"] != "none" else []
            zh.append(row["name_zh"] + (f"（{'，'.join(mark.zh for mark in told)}）" if told else ""))
            en.append(row["name_zh"] + (f" ({', '.join(mark.en for mark in told)})" if told else ""))
        state = states()[one.state]
        none = Text(zh="所收来源中未见", en="none in our sources")
        said.append(
            Text(
                zh=f"{link.name.zh}（第{link.clause}条）：{state.zh}；省外候选：{'、'.join(zh) or none.zh}。",
                en=f"{link.name.en} (clause {link.clause}): {state.en}; outside: {', '.join(en) or none.en}.",
            )
        )
    return said
