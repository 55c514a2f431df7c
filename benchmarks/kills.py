"""Is anything lost when a saving process is killed? (POSIX)

    python benchmarks/kills.py [KILLS] [URL]

Three processes save at once, each works of its own; after a moment one of them is killed, with SIGKILL, and another
takes its place. Meanwhile copies are made (`geo-cluster backup`) and brought back, and those are killed too. At the end
each save that was acknowledged must be there, byte for byte, and the file be sound.
"""

import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from geo_cluster.errors import GeoClusterError
from geo_cluster.workspace import backup, database
from geo_cluster.workspace.repository import Work, Workspace
from geo_cluster.world import catalog

SAVERS = 3


def content_of(id_: str, number: int) -> bytes:
    """What a revision of a work must hold."""
    return random.Random(f"{id_}-{number}").randbytes(60_000)


def save(address: str, id_: str, book: Path) -> None:
    """Save until killed; what was acknowledged is written into a book, line by line."""
    space = Workspace(database.connect(address))
    number, scenario = space.head(id_).number, catalog.scenario()
    with book.open("ab", buffering=0) as told:
        while True:
            number += 1
            work = Work(scenario, {"a.bin": content_of(id_, number)})
            space.save(id_, work, seen=number - 1, note=str(number))
            told.write(f"{number}\n".encode())


def begin(do: Callable[..., object], *given: object) -> int:
    """Do something in a process of its own: its number."""
    child = os.fork()
    if child == 0:
        try:
            do(*given)
        finally:
            os._exit(0)
    return child


def kill(process: int) -> bool:
    """Kill a process; whether it was still at work."""
    os.kill(process, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(process, 0)[1])


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    folder, chance = Path(tempfile.mkdtemp()), random.Random(1)
    address = sys.argv[2] if len(sys.argv) > 2 else str(folder / "workspace.sqlite")
    space = Workspace(database.connect(address))
    works = [space.create(Work(catalog.scenario(), {"a.bin": b""}), note="1").id for _ in range(SAVERS)]
    books = [folder / f"{id_}.txt" for id_ in works]
    pairs = list(zip(works, books, strict=True))
    space.engine.dispose()
    savers = [begin(save, address, id_, book) for id_, book in pairs]
    killed = {"a save": 0, "a backup": 0, "a restore": 0}
    last = folder / "last.sqlite"
    time.sleep(1)
    backup.write(space.engine, last)
    space.engine.dispose()
    while sum(killed.values()) < kills:
        turn, number = chance.randrange(SAVERS), sum(killed.values())
        time.sleep(chance.uniform(0.1, 0.6))
        killed["a save"] += kill(savers[turn])
        savers[turn] = begin(save, address, works[turn], books[turn])
        if number % 5 == 0:
            copy, back = folder / f"copy-{number}.sqlite", folder / f"back-{number}.sqlite"
            jobs = {
                "a backup": begin(lambda copy=copy: backup.write(database.connect(address), copy)),
                "a restore": begin(backup.restore, last, str(back)),
            }
            time.sleep(chance.uniform(0.01, 0.3))
            for what, job in jobs.items():
                killed[what] += kill(job)
            assert not copy.exists() or is_sound(copy), "a copy is half"
            assert not back.exists() or is_sound(back), "a restored one is half"
    for saver in savers:
        kill(saver)
    acknowledged = lost = 0
    for id_, book in pairs:
        numbers = [int(line) for line in book.read_text().split("\n")[:-1]] if book.exists() else []
        for number in numbers:
            acknowledged += 1
            try:
                lost += space.open(id_, number).work.files["a.bin"] != content_of(id_, number)
            except GeoClusterError:
                lost += 1
        history = [one.number for one in space.history(id_, limit=10**6)]
        assert history == list(range(len(history), 0, -1)), "there is a hole in a history"
    told = ", ".join(f"{count} in {what}" for what, count in killed.items())
    print(f"killed: {told}; {acknowledged} saves acknowledged, {lost} lost")
    sound = "://" in address or is_sound(Path(address))
    if "://" not in address:
        parts = [path.name for path in folder.iterdir() if ".part" in path.name]
        print(f"the file is {'sound' if sound else 'DAMAGED'}; begun and never finished: {len(parts)}")
    sys.exit(bool(lost) or not sound)


def is_sound(file: Path) -> bool:
    """Whether a workspace's file is whole and each work in it opens."""
    space = Workspace(database.connect(str(file)))
    with closing(sqlite3.connect(file)) as connection:
        sound = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for one in space.works():
        space.open(one.id)
    return sound


if __name__ == "__main__":
    main()
