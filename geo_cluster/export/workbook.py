"""The tables of a plan for people: one spreadsheet, headings and names in the language of the edition.

The CSV files beside it are for programs: their columns are the same in every edition.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from geo_cluster.domain import Language
from geo_cluster.export import sheet, told
from geo_cluster.export.csv_tables import SAMPLE
from geo_cluster.export.phone_list import HEADINGS as ASKED
from geo_cluster.export.phone_list import phone_list
from geo_cluster.region import pool_name
from geo_cluster.report import cities, division
from geo_cluster.report import tables as report_tables
from geo_cluster.report.questions import structural_questions
from geo_cluster.report.tables import words_of
from geo_cluster.study import Study
from geo_cluster.world import catalog, layers, rule_life
from geo_cluster.world.spreadsheet import as_xlsx

SHEETS = {
    "about": ("说明", "About"),
    "plan": ("方案", "Plan"),
    "unplaced": ("未落地", "Not placed"),
    "pools": ("资源池", "Pools"),
    "cities": ("各市所得", "By city"),
    "ranking": ("排名", "Ranking"),
    "division": ("各市分工", "Division of labour"),
    "overlap": ("结构重合度", "Overlap of cities"),
    "asked": ("须问询的数据", "Numbers to ask for"),
    "rules": ("规则有效期", "Rules"),
}
TOTAL = ("合计", "Total")
HEADINGS = {
    "project": ("编号", "No."),
    "project_name": ("项目", "Project"),
    "segment": ("细分环节", "Segment"),
    "site": ("园区", "Site"),
    "score": ("得分", "Score"),
    "low": ("下限", "Low"),
    "high": ("上限", "High"),
    "rank": ("本项目排名", "Its rank"),
    "trip_min": ("门到门时间（分钟）", "Door to door (min)"),
    "investment_100m_yuan": ("总投资（亿元）", "Investment (100 M yuan)"),
    "tax_100m_yuan": ("年税收（亿元）", "Tax (100 M yuan a year)"),
    "jobs": ("就业（人）", "Jobs"),
    "power_year": ("需电年份", "Power needed in"),
    "standard_land": ("标准地门槛", "Standard land"),
    "standard_land_why": ("标准地依据", "Standard land, why"),
    "from_year": ("投产年份", "From year"),
    "conditions": ("落地条件", "Conditions"),
    "later": ("何时可进", "When it would fit"),
    "reason": ("理由", "Reason"),
    "remark": ("未核查事项", "Not looked into"),
    "resource": ("资源", "Resource"),
    "pool": ("资源池", "Pool"),
    "unit": ("单位", "Unit"),
    "likely": ("最可能", "Likely"),
    "planned": ("规划口径", "Planned with"),
    "used": ("占用", "Used"),
    "left": ("余量", "Left"),
    "notice": ("说明", "Notice"),
    "topic": ("规则类别", "Kind of rule"),
    "rule": ("规则", "Rule"),
    "item": ("条目", "Entry"),
    "issuer": ("发布机关", "Issuer"),
    "number": ("文号", "Number"),
    "valid_from": ("施行日期", "In force from"),
    "valid_to": ("截止日期", "In force to"),
    "state": ("当日状态", "State on the day"),
    "use": ("本次如何用", "How it is used"),
    "publisher": ("公布者", "Published by"),
    "confidence": ("可信度", "Confidence"),
    "city": ("市", "City"),
    "value_before": ("现有企业（家）", "Firms now"),
    "value_after": ("方案后（家）", "With the plan"),
    "share_before": ("现状占该市比重", "Share of the city now"),
    "share_after": ("方案后占该市比重", "Share with the plan"),
    "lq_before": ("现状区位商", "Location quotient now"),
    "lq_after": ("方案后区位商", "Location quotient with the plan"),
    "first": ("市一", "First city"),
    "second": ("市二", "Second city"),
    "before": ("现状重合度", "Overlap now"),
    "after": ("方案后重合度", "Overlap with the plan"),
    "krugman": ("方案后克鲁格曼指数", "Krugman index with the plan"),
    "plan_output": ("方案新增（按产值）", "The plan alone, by output"),
    "chance": ("随机分配均值", "Mean if dealt out at random"),
    "chance_low": ("随机分配 5%", "At random, 5 %"),
    "chance_high": ("随机分配 95%", "At random, 95 %"),
    "note": ("提示", "Note"),
    "what": ("项", "Item"),
    "content": ("内容", "Content"),
}
FORMATS = {
    **dict.fromkeys(("share_before", "share_after"), "0%"),
    **dict.fromkeys(("value_before", "value_after"), "#,##0"),
    **dict.fromkeys(("lq_before", "lq_after", "before", "after", "krugman", "plan_output"), "0.00"),
    **dict.fromkeys(("chance", "chance_low", "chance_high"), "0.00"),
    **dict.fromkeys(("score", "low", "high", "likely", "planned", "used", "left"), "#,##0.0"),
    **dict.fromkeys(("trip_min", "rank"), "#,##0"),
    "gain": "0.00",
    "change": "0.0%",
}
"""How numbers are shown, by the key of their column."""


def workbook(study: Study, *, levels: Sequence[Study] = (), language: Language = "zh") -> bytes:
    """What it is about, plan, who stays out, pools, cities, ranking and the numbers to ask for, a sheet each.

    Parameters
    ----------
    study : Study
    levels : sequence of Study
        It at each planning level (`cities.at_levels`); by default at its own alone.
    language : {"zh", "en"}
    """
    tables = {
        "plan": _plan(study, language),
        "unplaced": _unplaced(study, language),
        "pools": _pools(study, language),
        "cities": _cities(levels or (study,), language),
        "ranking": _ranking(study, language),
        "division": _division(study, language),
        "overlap": _overlap(study, language),
    }
    if study.scenario.is_sample:
        tables = {name: table.assign(notice=SAMPLE) for name, table in tables.items()}
    at = 1 if language == "en" else 0
    titles = {kind.need: kind.title(language) for kind in catalog.resources().values()}
    per_mu = {key: about.title(language) for key, about in catalog.door_indicators().items()}
    headings = {key: words[at] for key, words in HEADINGS.items()} | titles | per_mu
    sheets = {name: table.rename(columns=headings) for name, table in tables.items()}
    asked = phone_list(report_tables.requests(study), language, structural_questions(study.region))
    rules = _rules(study, language).rename(columns=headings)
    sheets = {"about": _about(study, language), **sheets, "asked": asked, "rules": rules}
    formats = {words[key][at]: form for words in (HEADINGS, ASKED) for key, form in FORMATS.items() if key in words}
    formats |= {titles[kind.need]: _places(kind.digits) for kind in catalog.resources().values()}
    named = {SHEETS[name][at]: table for name, table in sheets.items()}
    added = {"plan": list(titles.values()), "cities": list(sheets["cities"].select_dtypes("number"))}
    totals = {SHEETS[name][at]: _total(sheets[name], columns, TOTAL[at]) for name, columns in added.items()}
    return as_xlsx(named, formats=formats, totals=totals, notice=SAMPLE if study.scenario.is_sample else "")


def _total(table: pd.DataFrame, columns: Sequence[str], word: str) -> dict[str, object]:
    """The sums of some columns, by heading, with the word for them in the first column."""
    return {str(table.columns[0]): word} | {column: round(float(table[column].sum()), 6) for column in columns}


def _places(digits: int) -> str:
    """How a spreadsheet shows a number with so many decimals."""
    return "#,##0." + "0" * digits if digits else "#,##0"


def _about(study: Study, language: Language) -> pd.DataFrame:
    """What was run, how good and how sure the plan is, and where its numbers come from."""
    words, (facts, sentence, _) = told.WORDS[language], sheet.facts(study, language)
    rows = [(words["title"], SAMPLE if study.scenario.is_sample else "")]
    rows += [(words[key], value) for key, value in (told.about(study, language) | facts).items()]
    rows += [(words["feasible_share"], sentence), (words["sources"], " · ".join(told.owed(study, language)))]
    rows += [("", one[language]) for one in rule_life.warnings(study.day)]
    rows += [("", words["review"])]
    return pd.DataFrame(rows, columns=[HEADINGS[key][language == "en"] for key in ("what", "content")])


def _rules(study: Study, language: Language) -> pd.DataFrame:
    """Each rule with its life and what is made of it on the day of the study."""
    told = (
        "topic",
        "rule",
        "item",
        "issuer",
        "number",
        "valid_from",
        "valid_to",
        "state",
        "use",
        "publisher",
        "confidence",
    )
    table = rule_life.table(study.day)
    columns = [f"{name}_{language}" if f"{name}_{language}" in table else name for name in told]
    return table[columns].set_axis(list(told), axis=1)


def _plan(study: Study, language: Language) -> pd.DataFrame:
    columns = ["project", "project_name", "segment", "site", "score", "low", "high", "rank"]
    columns += [*(kind.need for kind in catalog.resources().values()), "trip_min", "from_year", "conditions", "remark"]
    names, segments, verdicts = study.region.names, catalog.segments(), catalog.door_verdicts()
    table = report_tables.assignment(study)
    stated = report_tables.stated_words(study.projects, language).loc[table["project"]].reset_index(drop=True)
    return (
        table.assign(
            remark=table["remark_en" if language == "en" else "remark"],
            conditions=table["conditions_en" if language == "en" else "conditions"],
            site=[names[one][language] for one in table["site"]],
            segment=[segments[key].name[language] for key in table["project"].map(study.projects["segment"])],
        )[columns]
        .round(1)
        .join(stated)
        .assign(
            standard_land=[verdicts[one][language] for one in table["standard_land"]],
            standard_land_why=table[f"standard_land_{language}"],
        )
    )


def _division(study: Study, language: Language) -> pd.DataFrame:
    """What each city has of each segment now and with the plan; rows with nothing of either are left out."""
    table = division.division_table(study)
    table = table[table["measure"] == division.COUNT]
    keys = ["prefecture", "segment"]
    now, then = (table[table["when"] == when].set_index(keys) for when in (division.BEFORE, division.AFTER))
    wide = pd.DataFrame({"city": then[f"prefecture_{language}"], "segment": then[f"segment_{language}"]})
    for name in ("value", "share", "lq"):
        wide[f"{name}_before"], wide[f"{name}_after"] = now[name], then[name]
    note = then["few"].map({True: division.INDICATIVE[language], False: ""})
    return wide.assign(note=note)[wide["value_after"] > 0].reset_index(drop=True)


def _cities(levels: Sequence[Study], language: Language) -> pd.DataFrame:
    """What each city gets, the planning levels of each amount side by side."""
    table, words = cities.cities_table(levels), layers.words("planning_level")
    by = {level: rows.set_index("prefecture") for level, rows in table.groupby("level", sort=False)}
    first = next(iter(by.values()))
    wide = pd.DataFrame({"city": first[f"prefecture_{language}"]})
    for key, name in cities.AMOUNTS.items():
        for level, rows in by.items():
            said = f"（{words[level]['zh']}）" if language == "zh" else f" ({words[level]['en']})"
            wide[name[language] + said] = rows[key].round(1)
    return wide.assign(note=cities.unproven(table, language)).reset_index(drop=True)


def _overlap(study: Study, language: Language) -> pd.DataFrame:
    """How far each two cities do the same."""
    table = division.overlaps(study)
    columns = ["first", "second", "before", "after", "krugman", "chance", "chance_low", "chance_high", "plan_output"]
    named = {"first": table[f"first_{language}"], "second": table[f"second_{language}"]}
    return table.assign(**named)[columns].assign(note=division.INDICATIVE[language])


def _unplaced(study: Study, language: Language) -> pd.DataFrame:
    if report_tables.unplaced(study).empty:
        return pd.DataFrame([("", "", told.WORDS[language]["none"])], columns=["project", "project_name", "reason"])
    table, suffix = report_tables.unplaced(study), "_en" if language == "en" else ""
    said = {key: table[f"{key}{suffix}"] for key in ("reason", "later")}
    return table.assign(**said)[["project", "project_name", "reason", "later"]]


def _pools(study: Study, language: Language) -> pd.DataFrame:
    table = report_tables.pools(study)
    words = [words_of(resource, language) for resource in table["resource"]]
    return table.assign(
        resource=[word for word, _ in words],
        unit=[unit for _, unit in words],
        pool=[
            pool_name(study.region, resource, pool)[language]
            for resource, pool in zip(table["resource"], table["pool"], strict=True)
        ],
    )[["resource", "pool", "unit", "low", "likely", "high", "planned", "used", "left"]].round(1)


def _ranking(study: Study, language: Language) -> pd.DataFrame:
    """Every project at every site, best first; where it may not go, why not."""
    order = ["project", "eligible", "score"]
    rows = report_tables.ranking(study).sort_values(order, ascending=[True, False, False], kind="stable")
    reason, remark = (rows[f"{column}_en" if language == "en" else column] for column in ("reason", "remark"))
    columns = ["project", "project_name", "site", "score", "low", "high", "rank", "reason", "remark"]
    site = [study.region.names[one][language] for one in rows["site"]]
    return rows.assign(site=site, reason=reason, remark=remark)[columns].round(1)
