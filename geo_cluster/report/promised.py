"""What of the pools projects under way were promised before: the pools' story where the ledger counts."""

from __future__ import annotations

import pandas as pd

from geo_cluster.domain import Language
from geo_cluster.region import pool_name
from geo_cluster.report.tables import words_of
from geo_cluster.study import Study
from geo_cluster.world import catalog


def promised_table(study: Study, language: Language) -> pd.DataFrame:
    """One row a pool and a project: `pool`, `kind`, `amount`, `unit`, `project`, `source`; empty where nothing counts.

    Pools that no site of the study draws on are left out.

    Parameters
    ----------
    study : Study
    language : {"zh", "en"}
    """
    known = {(one.name, pool) for one in study.resources for pool in one.pools}
    rows = []
    for one in study.region.promises.itertuples():
        resource, pool = str(one.resource), str(one.subject)
        name = resource if (resource, pool) in known else f"{resource}{catalog.PARK}"
        if (name, pool) in known:
            kind, unit = words_of(name, language)
            named = pool_name(study.region, name, pool)[language]
            rows.append((named, kind, float(one.amount), unit, str(one.project), str(one.source)))
    return pd.DataFrame(rows, columns=["pool", "kind", "amount", "unit", "project", "source"])
