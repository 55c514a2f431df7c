"""The page 找地: the sample at first start, weights and rules that move the surface, a region that becomes a site."""

import json
import time

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import cached_find
from app.texts import text
from app.views.find.surface import CLICKED
from geo_cluster import study
from geo_cluster.export.outline import outline
from geo_cluster.suitability import picture
from geo_cluster.suitability.candidates import CLASS
from geo_cluster.suitability.criteria import NO_SCORE
from geo_cluster.suitability.exclusions import OUTSIDE, UNKNOWN
from geo_cluster.suitability.grid import Grid
from geo_cluster.world import catalog
from tests.test_app import CJK, LANGUAGES, opened, says


def found(page):
    """The page once its regions are there."""
    end = time.monotonic() + 120
    while page.get("progress") and time.monotonic() < end:
        time.sleep(0.2)
        page.run()
    return page
