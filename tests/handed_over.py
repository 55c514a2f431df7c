"""All that is handed over, into a folder; `python -m tests.handed_over FOLDER` does it in a process of its own."""

import dataclasses
import datetime as dt
import sys
import time
from pathlib import Path

from geo_cluster import archive, study
from geo_cluster.export import all_or_none, bundle, intake_files
from geo_cluster.region import prepare
from geo_cluster.scenarios import read_for_others
from geo_cluster.supply import land_survey
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers
from tests.studies import write_own

DAY = dt.date(2026, 11, 30)


def everything(folder: Path) -> None:
    """What `match` (with all that `study` has), `score` and `land` write, and the ZIPs of the app; of a given day."""
    scenario = catalog.scenario(write_own(folder.with_name(f"{folder.name} own")))
    result = dataclasses.replace(study.run(scenario), day=DAY)
    bundle.write_match(result, folder / "match")
    region = prepare(read_for_others("default").model_copy(update={"day": DAY}), Layers())
    intake_files.write(intake_files.Order(region), result.projects, folder / "score")
    all_or_none.write_files(
        folder / "land", lambda place: land_survey.write(land_survey.sample(), place, source="sample")
    )
    for name, files in {"study": bundle.study_files(result), "layers": bundle.layer_files(Layers())}.items():
        (folder / f"{name}.zip").write_bytes(archive.zipped(files))


if __name__ == "__main__":
    later = time.time() + 100_000
    time.time = lambda: later  # what asks for the time by way of Python is a day ahead; the rest is some seconds
    everything(Path(sys.argv[1]))
