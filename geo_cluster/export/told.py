"""What briefing, sheet and workbook say alike: their words, what was run, whom the layers are owed to, what is open."""

from __future__ import annotations

import pandas as pd

from geo_cluster.domain import Language
from geo_cluster.report import tables
from geo_cluster.report.questions import structural_questions
from geo_cluster.study import Study
from geo_cluster.world import layers

WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "title": "湖北激光产业布局：方案简报",
        "scenario": "情景",
        "level": "规划口径",
        "day": "测算日期",
        "placed": "落地",
        "objective": "方案总分（分）",
        "proof": "证明",
        "optimal": "已证最优",
        "feasible": "得分差距 {gap:.2%}",
        "clock": "得分差距 {gap:.2%}（求解到时）",
        "at_most": "（至多 {most}）",
        "feasible_share": "方案可行概率",
        "feasible_in": "容量和需求按各自区间抽样 {draws:,} 次，方案可行概率为 {share:.0%}。",
        "breaks_first": "最先不足的是{pool}，占不可行情形的 {share:.0%}。",
        "check": "独立核验",
        "no_violation": "无违反",
        "violations": "{n} 处违反",
        "assumed": "假定数据占比",
        "sketch": "红点为研发锚点，绿点为园区，数字为落地项目数；完整地图见 map.html。",
        "plan": "方案",
        "unplaced": "未落地",
        "standard_land": "标准地门槛（方案中已查到门槛的园区）",
        "verdict": "结论",
        "no_door": "方案中的园区均未查到标准地门槛",
        "pools": "资源池（占用大于零的）",
        "city": "市",
        "division": "各市分工（结构重合度，0–1，越低越错位；样本少，仅供参考）",
        "cities": "两市",
        "overlap_before": "现状",
        "overlap_after": "方案后",
        "by_chance": "随机分到两市时的均值（90% 区间）",
        "firms_now": "现有企业与项目数（方案后）",
        "not_comparable": "无可比企业",
        "no_cities": "只有一个市，无从比较",
        "asked": "最应核实的数据",
        "sources": "来源",
        "project": "项目",
        "segment": "细分环节",
        "site": "园区",
        "score": "得分（90% 区间）",
        "drive": "门到门时间（分钟）",
        "reason": "理由",
        "from_year": "投产年份",
        "conditions": "落地条件",
        "pool": "资源池",
        "used": "占用",
        "planned": "规划口径",
        "interval": "下限–上限",
        "unit": "单位",
        "subject": "对象",
        "question": "问询内容",
        "range": "现区间",
        "whom": "问询对象",
        "none": "全部项目落地",
        "review": "地图未经审图，限内部使用，公开发布须送审并标注审图号。区间为无人公布之数的假定，须核实。",
        "reviewed": "地图审图号：{number}。区间为无人公布之数的假定，须核实。",
    },
    "en": {
        "title": "Hubei laser siting: the plan in brief",
        "scenario": "Scenario",
        "level": "Planning level",
        "day": "Run on",
        "placed": "Placed",
        "objective": "Objective value (points)",
        "proof": "Proof",
        "optimal": "proven best",
        "feasible": "score gap {gap:.2%}",
        "clock": "score gap {gap:.2%} (out of time)",
        "at_most": " (at most {most})",
        "feasible_share": "Feasible share of draws",
        "feasible_in": "Capacities and needs drawn {draws:,} times: the plan is feasible in {share:.0%} of them.",
        "breaks_first": " What runs short first is {pool}, in {share:.0%} of the draws that are not feasible.",
        "check": "Independent check",
        "no_violation": "no violation",
        "violations": "{n} violations",
        "assumed": "Share assumed",
        "sketch": "Red: the R&D anchor. Green: sites, with the number of projects. The full map is map.html.",
        "plan": "Plan",
        "unplaced": "Not placed",
        "standard_land": "Standard land: sites of the plan whose thresholds are known",
        "verdict": "Verdict",
        "no_door": "No standard-land threshold was found for the sites of the plan",
        "pools": "Pools in use",
        "city": "City",
        "division": "Division of labour (overlap of structures, 0–1, less is better; few firms: indicative only)",
        "cities": "Two cities",
        "overlap_before": "Now",
        "overlap_after": "With the plan",
        "by_chance": "Mean if dealt out at random (90 % interval)",
        "firms_now": "Firms and projects (with the plan)",
        "not_comparable": "none to compare",
        "no_cities": "one city only: nothing to compare",
        "asked": "Numbers to verify first",
        "sources": "Sources",
        "project": "Project",
        "segment": "Segment",
        "site": "Site",
        "score": "Score (90 % interval)",
        "drive": "Door to door (min)",
        "reason": "Reason",
        "from_year": "From year",
        "conditions": "Conditions",
        "pool": "Pool",
        "used": "Used",
        "planned": "Planned with",
        "interval": "Low–high",
        "unit": "Unit",
        "subject": "Subject",
        "question": "Question",
        "range": "Interval now",
        "whom": "Whom to ask",
        "none": "every project is placed",
        "review": "Maps are for internal use: publishing one needs a map review number. Assumed intervals: verify.",
        "reviewed": "Map review number: {number}. Intervals that nobody published are assumed: verify.",
    },
}


def about(study: Study, language: Language) -> dict[str, str]:
    """What was run, by the keys of `WORDS`: scenario, planning level, day."""
    scenario = study.scenario
    level = layers.words("planning_level")[scenario.planning_level][language]
    return {"scenario": f"{scenario.name[language]} ({scenario.id})", "level": level, "day": study.day.isoformat()}


def owed(study: Study, language: Language) -> list[str]:
    """Whom the layers are owed to, each once."""
    named = (getattr(layer, f"attribution_{language}") for layer in study.layers.registry.values())
    return list(dict.fromkeys(filter(None, named)))


def open_questions(study: Study) -> pd.DataFrame:
    """Structural questions about sites that the plan uses."""
    table, used = structural_questions(study.region), set(tables.assignment(study)["site"])
    concerned = [bool(used & set(sites.split(";"))) for sites in table["sites"]]
    return table[pd.Series(concerned, table.index, dtype=bool) & (table["topic"] != "dual")]
