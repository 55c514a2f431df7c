"""Policy money and targets as files to take along: a spreadsheet for people, CSV for programs, with sources."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import pandas as pd

from geo_cluster.domain import Language, Text
from geo_cluster.policy import summary
from geo_cluster.policy import targets as aims
from geo_cluster.policy.entries import Entries
from geo_cluster.policy.money import Money
from geo_cluster.policy.rules import PAYERS, not_found, readings
from geo_cluster.world.layers import Layers
from geo_cluster.world.spreadsheet import as_csv, as_xlsx

SHEETS = {
    "about": ("说明", "About"),
    "government": ("各级承担", "Who pays"),
    "year": ("分年", "By year"),
    "subject": ("分对象", "By subject"),
    "rule": ("规则", "Rules"),
    "reading": ("读法差额", "What readings cost"),
    "asked": ("待问", "To be asked"),
    "missing": ("未查到的规则", "Rules not found"),
    "target": ("目标", "Targets"),
    "other": ("其他口径", "Other scopes"),
    "climb": ("企业晋档", "Firms that could climb"),
    "added": ("方案新增产值", "Output the plan adds"),
}
HEADINGS = {
    "what": ("项", "Item"),
    "content": ("内容", "Content"),
    "year": ("年份", "Year"),
    "government": ("承担方", "Paid by"),
    "low": ("下限（万元）", "Low (10,000 yuan)"),
    "likely": ("最可能（万元）", "Likely (10,000 yuan)"),
    "high": ("上限（万元）", "High (10,000 yuan)"),
    "name": ("对象", "Subject"),
    "short": ("政策", "Support"),
    "clause": ("条款", "Clause"),
    "province_low": ("省级下限", "Province, low"),
    "province_high": ("省级上限", "Province, high"),
    "place_low": ("所在地下限", "Place, low"),
    "place_high": ("所在地上限", "Place, high"),
    "unknown_low": ("未写谁出下限", "Payer not said, low"),
    "unknown_high": ("未写谁出上限", "Payer not said, high"),
    "first_year": ("最早年份", "Earliest year"),
    "last_year": ("最晚年份", "Latest year"),
    "who": ("谁符合", "Who qualifies"),
    "rule_name": ("内容", "What it offers"),
    "most": ("封顶（万元）", "Ceiling (10,000 yuan)"),
    "pays": ("谁出", "Who pays"),
    "papers": ("所需材料（按基数推断）", "Papers (they follow from the base)"),
    "open": ("文中未写", "Not said"),
    "taken": ("采用的读法", "Readings taken"),
    "number": ("文号", "Number"),
    "issuer": ("发文机关", "Issuer"),
    "life": ("有效期", "Life"),
    "state": ("当日状态", "State on the day"),
    "publisher": ("公布者", "Published by"),
    "source": ("来源", "Source"),
    "confidence": ("可信度", "Confidence"),
    "reading": ("读法", "Reading"),
    "option": ("选项", "Option"),
    "is_taken": ("采用", "Taken"),
    "more_low": ("下限差额（万元）", "Difference, low"),
    "more_likely": ("最可能差额（万元）", "Difference, likely"),
    "more_high": ("上限差额（万元）", "Difference, high"),
    "unknown": ("因缺数据不可比（个）", "Not comparable for want of data"),
    "gap": ("未知", "Not known"),
    "name_zh": ("名称", "Name (in Chinese)"),
    "place_zh": ("地区", "Place (in Chinese)"),
    "text_zh": ("说明", "Note (in Chinese)"),
    "target_name": ("目标", "Target"),
    "scope": ("口径", "Scope"),
    "unit": ("单位", "Unit"),
    "tier": ("档次（亿元）", "Tier (100 M yuan)"),
    "aim": ("目标值", "Target value"),
    "actual_low": ("实际值下限", "Actual, low"),
    "actual_high": ("实际值上限", "Actual, high"),
    "left_low": ("还差下限", "Still to come, low"),
    "left_high": ("还差上限", "Still to come, high"),
    "needed": ("所需年增速（%）", "Growth needed (% a year)"),
    "by_laser": ("按激光业务（家）", "By laser business"),
    "actual_source": ("实际值来源", "Source of the actual value"),
    "whom": ("向谁问", "Whom to ask"),
    "metric_zh": ("指标", "Metric (in Chinese)"),
    "value": ("数值", "Value"),
    "unit_zh": ("单位", "Unit (in Chinese)"),
    "why": ("为何另列", "Why apart"),
    "revenue": ("最近年营收（亿元）", "Latest revenue (100 M yuan)"),
    "growth_low": ("年增速下限（%）", "Growth, low (%)"),
    "growth_likely": ("年增速中位（%）", "Growth, median (%)"),
    "growth_high": ("年增速上限（%）", "Growth, high (%)"),
    "earliest": ("最早达到", "Earliest"),
    "likely_year": ("按中位增速", "At the median"),
    "latest": ("最晚达到", "Latest"),
    "projects": ("项目数", "Projects"),
    "added_low": ("下限（亿元/年）", "Low (100 M yuan a year)"),
    "added_high": ("上限（亿元/年）", "High (100 M yuan a year)"),
}
WORDS = {
    "title": Text(zh="政策资金测算", en="Policy money"),
    "targets": Text(zh="政策目标与实际", en="Targets and actual values"),
    "day": Text(zh="规则按此日", en="Rules as of"),
    "years": Text(zh="年份", en="Years"),
    "note": Text(zh="说明", en="Note"),
    "bounds": Text(
        zh="金额单位万元，是区间：填报数据的不确定和文件未写清之处都在内。分年区间相加宽于合计区间。不是拨款承诺。",
        en="Amounts in 10,000 yuan are intervals over what is uncertain and what texts leave open. "
        "Intervals of years add up to more than that of all years. No promise of payment.",
    ),
    "sample": Text(zh="方案项目为示例，不代表任何企业的计划", en="the plan's projects are a sample, nobody's plan"),
    "growth": Text(
        zh="增速区间取已公布各年增速的最低、中位、最高，逐年不变；到不了的年份空着。不是预测。",
        en="Growth is the lowest, median and highest of the published yearly rates, constant from year to year; "
        "empty where a tier is not reached. No forecast.",
    ),
    "added": Text(
        zh="方案新增产值只是所列项目的产值，不是全省产业规模；下限按湖北签约项目开工率的下限",
        en="What the plan adds is the output of its projects, not the industry's; the low end is the lowest rate at "
        "which signed projects begin in Hubei",
    ),
    "yes": Text(zh="是", en="yes"),
}


def _table(table: pd.DataFrame, columns: Mapping[str, str], language: Language) -> pd.DataFrame:
    """Columns by the key of their heading, under the headings of a language; `<column>_<language>` comes first."""
    at = int(language == "en")
    found = {}
    for key, column in columns.items():
        spoken = f"{column}_{language}"
        found[HEADINGS[key][at]] = table[spoken if spoken in table else column]
    return pd.DataFrame(found)


def _same(*keys: str) -> dict[str, str]:
    return {key: key for key in keys}


def money_files(
    found: Money,
    entries: Entries,
    costs: pd.DataFrame,
    layers: Layers,
    *,
    day: datetime.date,
    language: Language = "zh",
    notes: tuple[Text, ...] = (),
) -> dict[str, bytes]:
    """What policy pays, as `policy_money.xlsx` and one CSV a table.

    Parameters
    ----------
    found : Money
    entries : Entries
        What it was worked out from, for the names.
    costs : DataFrame
        From `summary.reading_costs`.
    layers : Layers
    day : date
    language : {"zh", "en"}
        Of the spreadsheet; the CSV files are the same in each.
    notes : tuple of Text
        What has to be said besides, such as that projects are a sample.
    """
    years, whole = summary.by_year(found, layers), summary.by_government(found, layers)
    subjects, rules = summary.by_subject(found, entries.names), summary.rule_table(found)
    asked, missing = summary.asked(found, entries.names), not_found(layers)
    short = rules.set_index("rule")[["short_zh", "short_en"]]
    subjects, asked = (table.join(short, on="rule") for table in (subjects, asked))
    span = _same("low", "likely", "high")
    paid = [f"{payer}_{end}" for payer in PAYERS for end in ("low", "high")]
    of_subject = _same("name", "short", "clause") | span | _same(*paid, "first_year", "last_year")
    sheets = {
        "about": _about(found, day, language, notes),
        "government": _table(whole, _same("government") | span, language),
        "year": _table(years, _same("year", "government") | span, language),
        "subject": _table(subjects, of_subject, language),
        "rule": _table(
            rules,
            _same("short", "clause") | {"rule_name": "name"} | _same("who", "most", "pays", "papers", "open")
            | {"taken": "reading"} | span
            | _same("number", "issuer", "life", "state", "publisher", "source", "confidence"),
            language,
        ),
        "reading": _table(
            costs.assign(is_taken=costs["is_taken"].map({True: WORDS["yes"][language], False: ""})),
            _same("reading", "option", "is_taken") | span | _same("more_low", "more_likely", "more_high", "unknown"),
            language,
        ),
        "asked": _table(asked, _same("name", "short", "gap"), language),
        "missing": _table(missing, _same("place_zh", "name_zh", "text_zh", "publisher", "source"), language),
    }  # fmt: skip
    tables = {"years": years, "governments": whole, "subjects": subjects, "rules": rules, "readings": costs}
    tables |= {"asked": asked, "rules_not_found": missing}
    tables = {name: table.assign(rules_day=str(day)) for name, table in tables.items()}
    files = {f"policy_money_{name}.csv": as_csv(table) for name, table in tables.items()}
    return {"policy_money.xlsx": _book(sheets, language), **files}


def _book(sheets: Mapping[str, pd.DataFrame], language: Language) -> bytes:
    at = int(language == "en")
    amounts = [
        key for key in HEADINGS if key.endswith(("low", "likely", "high")) or key in ("most", "needed", "revenue")
    ]
    formats = {HEADINGS[key][at]: "#,##0.##" for key in amounts}
    return as_xlsx({SHEETS[name][at]: table for name, table in sheets.items()}, formats=formats)


def _about(found: Money, day: datetime.date, language: Language, notes: tuple[Text, ...]) -> pd.DataFrame:
    rows = [(WORDS["title"][language], ""), (WORDS["day"][language], str(day))]
    rows.append((WORDS["years"][language], f"{found.years[0]}–{found.years[-1]}"))
    rows += [(WORDS["note"][language], one[language]) for one in (WORDS["bounds"], *notes)]
    rows += [(one.name[language], one.options[found.taken[name]][language]) for name, one in readings().items()]
    rows += [("!", str(doubt.words(language))) for doubt in found.doubts]
    return pd.DataFrame(rows, columns=[HEADINGS[key][language == "en"] for key in ("what", "content")])


def targets_files(
    table: pd.DataFrame,
    others: pd.DataFrame,
    climbers: pd.DataFrame,
    *,
    added: pd.DataFrame | None = None,
    language: Language = "zh",
    notes: tuple[Text, ...] = (),
) -> dict[str, bytes]:
    """Targets beside actual values, as `policy_targets.xlsx` and one CSV a table.

    Parameters
    ----------
    table, others, climbers : DataFrame
        From `policy.targets`.
    added : DataFrame, optional
        What the plan adds.
    language : {"zh", "en"}
    notes : tuple of Text
        What has to be said besides.
    """
    said = table.assign(
        **{f"state_{one}": table["state"].map(lambda key, one=one: aims.STATES[key][one]) for one in ("zh", "en")}
    )
    about = [
        (WORDS["targets"][language], ""),
        *((WORDS["note"][language], one[language]) for one in (WORDS["growth"], WORDS["added"], *notes)),
    ]
    sheets = {
        "about": pd.DataFrame(about, columns=[HEADINGS[key][language == "en"] for key in ("what", "content")]),
        "target": _table(
            said,
            {"target_name": "name"} | _same("scope", "year", "tier", "aim", "unit")
            | {"actual_low": "low", "actual_high": "high"}
            | _same("state", "left_low", "left_high", "needed", "by_laser", "actual_source", "open", "whom")
            | _same("publisher", "source"),
            language,
        ),
        "climb": _table(
            climbers,
            _same("name", "year", "revenue", "growth_low", "growth_likely", "growth_high", "tier", "earliest")
            | {"likely_year": "likely"} | _same("latest", "source"),
            language,
        ),
        "other": _table(
            others,
            _same("name_zh", "metric_zh", "year", "value", "unit_zh", "why", "publisher", "source", "confidence"),
            language,
        ),
    }  # fmt: skip
    tables = {"": table, "_other_scopes": others, "_climbers": climbers}
    if added is not None:
        sheets["added"] = _table(
            added, _same("year", "projects") | {"added_low": "low", "added_high": "high"}, language
        )
        tables["_added"] = added
    files = {f"policy_targets{name}.csv": as_csv(one) for name, one in tables.items()}
    return {"policy_targets.xlsx": _book(sheets, language), **files}
