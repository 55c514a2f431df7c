"""What was said in public of the policy's own projects: dated statements with their source, no ledger of ours."""

from __future__ import annotations

from functools import cache

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.policy.stages import is_ceremony, stages
from geo_cluster.world.layers import Layers

CEREMONY = {"zh": "仪式", "en": "ceremony"}


@cache
def statements() -> pd.DataFrame:
    """`data/geo/progress.csv` with `stage` (of ours, '' for none) and `is_ceremony`: that is no stage, but a date."""
    table = Layers().read("progress")
    events = toml.table("stages")["events"]
    known = set(stages())
    stage = [events.get(one, "") if events.get(one, "") in known else "" for one in table["event"]]
    shown = [bool(one) and is_ceremony(said) for one, said in zip(stage, table["statement_zh"], strict=True)]
    return table.assign(stage=stage, is_ceremony=shown)


def told(language: Language) -> pd.DataFrame:
    """The statements for people, the projects in the order of the layer, the latest last.

    The text of a statement is Chinese in both languages, as it was published.
    """
    table, names, events = statements(), stages(), toml.table("stages")["event_names"]
    what = []
    for one in table.itertuples():
        word = names[one.stage][language] if one.stage else events[one.event][language]
        aside = f"（{CEREMONY['zh']}，不是阶段）" if language == "zh" else f" ({CEREMONY['en']}, no stage)"
        what.append(f"{word}{aside}" if one.is_ceremony else word)
    columns = ["name_zh", "date", "statement_zh", "obstacle_zh", "publisher", "source", "confidence"]
    found = table[columns].assign(what=what, investment=table["investment_100m_yuan"])
    order = {name: number for number, name in enumerate(dict.fromkeys(table["name_zh"]))}
    return found.assign(order=found["name_zh"].map(order)).sort_values(
        ["order", "date"], kind="stable", ignore_index=True
    )
