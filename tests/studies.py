"""Studies that several test files look at, each run once."""

from functools import cache

import pandas as pd

from geo_cluster.study import Study
from geo_cluster.study import run as run_study
from geo_cluster.world import catalog

OWN = pd.DataFrame(
    {
        "编号": ["A1", "=2+5"],
        "名称": ["甲厂 </script><b>", "=HYPERLINK(1)"],
        "细分环节": ["光纤激光器", "激光清洗"],
        "年产值(亿元)": ["5", "2-4"],
        "备注": ["@SUM(A1)", "+86 27"],
    }
)
"""A portfolio of somebody's own, with names that try to be formulas and markup."""


@cache
def run(scenario: str = "default") -> Study:
    return run_study(catalog.scenario(scenario))


def write_own(folder, suffix=".csv"):
    """A scenario with a portfolio of one's own beside it: the scenario's path."""
    folder.mkdir(parents=True, exist_ok=True)
    if suffix == ".csv":
        OWN.to_csv(folder / "own.csv", index=False, encoding="utf-8-sig")
    else:
        with pd.ExcelWriter(folder / "own.xlsx", engine="openpyxl") as writer:
            OWN.to_excel(writer, index=False)
            for cell in (cell for row in writer.book.active.iter_rows() for cell in row):
                cell.data_type = "s"  # typed in as text, as with an apostrophe
    path = folder / "mine.toml"
    path.write_text(f'portfolio = "own{suffix}"\ndraws = 50\nname = {{ zh = "我的", en = "Mine" }}\n', encoding="utf-8")
    return path
