"""The list to telephone with: which numbers to ask for, and whom."""

from __future__ import annotations

import pandas as pd

from geo_cluster.domain import Language
from geo_cluster.report.tables import displayed_requests
from geo_cluster.world import catalog

HEADINGS = {
    "rank": ("序号", "No."),
    "subject": ("对象", "Subject"),
    "name": ("所问数据", "Number"),
    "question": ("问询内容", "Question"),
    "whom": ("问询对象", "Whom to ask"),
    "low": ("现下限", "Low now"),
    "likely": ("现最可能", "Likely now"),
    "high": ("现上限", "High now"),
    "unit": ("单位", "Unit"),
    "gain": ("增益（分）", "Gain (points)"),
    "change": ("改变选择的概率", "Chance of another choice"),
    "is_clear": ("备注", "Remark"),
    "changes": ("答复会改变什么", "What an answer changes"),
    "answer": ("答复", "Answer"),
    "source": ("答复人", "Who said so"),
    "as_of": ("时点", "As of"),
}
"""Its columns in Chinese and English."""

UNCLEAR = ("增益不足抽样误差的两倍，不急", "gain below twice its sampling error: can wait")
"""What is said beside a number whose gain can't be told from none."""


def phone_list(requests: pd.DataFrame, language: Language, questions: pd.DataFrame | None = None) -> pd.DataFrame:
    """The data request list as somebody has it beside the telephone: whom to ask what, and what it gains.

    What is no number comes after those whose gain is clear, with what an answer changes in place of an interval; last,
    the numbers whose gain can't be told from none.

    Parameters
    ----------
    requests : DataFrame
        `report.tables.requests(study)`.
    language : {"zh", "en"}
        Of headings and words.
    questions : DataFrame, optional
        `report.questions.structural_questions(region)`.
    """
    declared, requests = catalog.attributes(), displayed_requests(requests)
    table = pd.DataFrame(
        {
            "rank": range(1, len(requests) + 1),
            "subject": requests[f"subject_{language}"],
            "name": requests[f"name_{language}"],
            "question": requests[f"question_{language}"],
            "whom": [declared[key].whom[language] for key in requests["attribute"]],
            **{end: requests[end] for end in ("low", "likely", "high")},
            "unit": requests[f"unit_{language}"],
            "gain": requests["gain"],
            "change": requests["change"],
            "is_clear": requests["is_clear"].map({True: "", False: UNCLEAR[language == "en"]}),
            "changes": "",
            "answer": "",
            "source": "",
            "as_of": "",
        }
    )
    if questions is not None and len(questions):
        said = ("subject", "name", "question", "whom", "changes")
        more = pd.DataFrame({key: questions[f"{key}_{language}"].to_numpy() for key in said})
        clear, more = requests["is_clear"].to_numpy(), more.assign(unit="", is_clear="", answer="", source="", as_of="")
        table = pd.concat([table[clear], more, table[~clear]], ignore_index=True)
        table["rank"] = range(1, len(table) + 1)
    return table.rename(columns={key: HEADINGS[key][language == "en"] for key in table})
