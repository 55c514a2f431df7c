"""选址: the methods behind the answer, folded: value functions, agreement of methods, reference projects."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app.session import t
from app.views.score.reasons import agreement_of_methods
from app.views.score.references import beside
from app.views.score.values import values
from geo_cluster.intake.site_choice import Weighed


def methods(weighed: Weighed, project: pd.DataFrame) -> None:
    """Each in its fold; only what is open is worked out."""
    folds: dict[str, Callable[[], None]] = {
        "value_functions": lambda: values(weighed),
        "references": lambda: beside(project),
    }
    if len(weighed.choice.sites) > 1:
        folds["agreement"] = lambda: agreement_of_methods(weighed)
    for name, draw in folds.items():
        with st.expander(t(f"score.{name}"), key=f"score-fold-{name}", on_change="rerun") as fold:
            if fold.open:
                draw()
