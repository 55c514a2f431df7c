"""The ledger of projects under way as a workbook: projects with their lights, blocked points, lists, what changed."""

from __future__ import annotations

import pandas as pd

from geo_cluster.domain import Language
from geo_cluster.export.weekly import WORDS, Week
from geo_cluster.imports.under_way import SHEETS
from geo_cluster.policy.frames import list_frame, lit_frame, points_frame
from geo_cluster.policy.lists import the_three
from geo_cluster.policy.statements import told
from geo_cluster.world.spreadsheet import as_xlsx

CHANGED = {"zh": ("项目", "变化"), "en": ("project", "what changed")}
STATEMENTS: dict[Language, dict[str, str]] = {
    "zh": {
        "name_zh": "项目",
        "date": "日期",
        "what": "事项",
        "statement_zh": "公开说法",
        "obstacle_zh": "受阻与存疑",
        "investment": "投资（亿元）",
        "publisher": "发布者",
        "confidence": "可信度",
        "source": "来源",
    },
    "en": {
        "name_zh": "project",
        "date": "date",
        "what": "what",
        "statement_zh": "statement (Chinese)",
        "obstacle_zh": "obstacle, doubt (Chinese)",
        "investment": "investment (100 M yuan)",
        "publisher": "publisher",
        "confidence": "confidence",
        "source": "source",
    },
}
STATED = {"zh": "政策项目公开进展", "en": "Policy projects, as stated"}


def ledger_book(week: Week, language: Language = "zh") -> bytes:
    """Projects, blocked points, the three lists and, where known, the changes, a sheet each; it can be imported again as it is."""
    words, at = WORDS[language], language == "en"
    sheets = {
        SHEETS["ledger"][at]: lit_frame(week.projects, week.places, language, day=week.day, rule=week.rule),
        SHEETS["points"][at]: points_frame(week.projects, language),
    }
    for name, listed in the_three(week.projects, week.day, week.rule).items():
        sheets[words[name]] = list_frame(listed, week.places, language)
    if week.changed is not None:
        rows = [(one.name, one.what[language]) for one in week.changed]
        sheets[words["changed"]] = pd.DataFrame(rows, columns=list(CHANGED[language]))
    return as_xlsx(sheets)


def statements_frame(language: Language) -> pd.DataFrame:
    """What was said in public of the policy's projects, with headings for people."""
    names = STATEMENTS[language]
    return told(language)[list(names)].rename(columns=names)


def statements_book(language: Language) -> bytes:
    """`statements_frame` as a workbook."""
    return as_xlsx({STATED[language]: statements_frame(language)})
