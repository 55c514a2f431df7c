"""Lists of regions that the page 找地 asks for, made once for a screening and what is asked of it."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import streamlit as st

from app.finding import Finding, Found
from app.listing import Listing, Listings
from geo_cluster.domain import Scenario
from geo_cluster.suitability import asks
from geo_cluster.suitability.asks import Ask, By
from geo_cluster.suitability.headroom import Headroom, headroom_of
from geo_cluster.suitability.spec import Need, Spec
from geo_cluster.world.layers import Layers


@st.cache_resource(show_spinner=False)
def _listings() -> Listings:
    return Listings()


@st.cache_resource(show_spinner=False, max_entries=4)
def _headroom(_scenario: Scenario, _spec: Spec, scenario: str, spec: str) -> Headroom:  # noqa: ARG001
    return headroom_of(_scenario, _spec)


def asked(spec: Spec, projects: pd.DataFrame, by: By) -> list[Ask]:
    """What the projects of the work ask for; nothing where there are none."""
    return asks.asked(spec, projects, by) if len(projects) else []


def single(found: Found, need: Need) -> list[Ask]:
    """One need, under the weights of a screening."""
    return [Ask("", found.screen.spec.name, "", need, found.screen.weight)]


def listing(job: Finding, wanted: list[Ask], scenario: Scenario) -> Listing:
    """Regions of a finished screening, done or on their way.

    Parameters
    ----------
    job : Finding
        Done.
    wanted : list of Ask
    scenario : Scenario
        Whose layers and numbers say what power there is.
    """
    assert job.found is not None and job.held is not None  # it is done
    known = json.dumps([Layers(scenario.layers).key, repr(scenario.known), repr(scenario.promised)])
    spec = job.found.screen.spec
    said = [[one.key, one.need.model_dump_json(), one.weight.tolist()] for one in wanted]
    key = hashlib.sha256(json.dumps([str(job.held.path), known, said]).encode()).hexdigest()[:24]
    return _listings().start(key, job, wanted, _headroom(scenario, spec, known, spec.model_dump_json()))
