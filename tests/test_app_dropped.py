"""Files dropped on a page that doesn't read them: what they are is said, and they are taken to the page that does."""

from __future__ import annotations

import pytest

from app import dropped, session
from app.texts import text
from tests import drawings as made
from tests.test_app import opened

ZIP = ("地块.zip", made.packed(made.shapefile(made.squares())))
DWG = ("图.dwg", b"AC1032 nothing")
TABLE = ("项目.csv", "名称,细分环节,年产值(亿元)\n甲,激光雷达,5\n".encode())
LIST = ("清单.csv", "园区,地块,面积(亩),状态\nH01,甲,30,净地\n".encode())


def given(page, *files):
    page.file_uploader[0].set_value([(name, content, "application/octet-stream") for name, content in files])
    return page.run()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh", "en"])
def test_shapes_on_the_page_of_scores_are_named_and_taken_along(language):
    page = opened("score", language)
    page.segmented_control(key="score-mode").set_value("many").run()
    given(page, ZIP, DWG)
    assert not page.exception
    kind = text("data.kind.parcels", language)
    assert [one.value for one in page.info] == [text("dropped.elsewhere", language, name="地块.zip", kind=kind)]
    assert [one.value[:5] for one in page.error] == ["图.dwg"]
    kept = page.session_state["kept-dropped-aside"]
    data = opened("data", language, **{"kept-dropped-over": kept[:1]})
    assert not data.exception
    assert any("H05" in str(one.value.to_dict()) for one in data.dataframe)
    assert any(one.label == text("data.import.accept", language) for one in data.button)


@pytest.mark.slow
def test_a_table_of_something_else_can_be_read_as_projects_all_the_same():
    page = opened("score", "zh")
    page.segmented_control(key="score-mode").set_value("many").run()
    given(page, LIST)
    assert text("data.kind.parcels", "zh") in page.info[0].value
    next(one for one in page.button if one.key == "dropped-anyway").click().run()
    assert page.error, "its reader says what it lacks"


class _File:
    def __init__(self, number, name, content):
        self.file_id, self.name, self._content = str(number), name, content

    def getvalue(self):
        return self._content


def test_the_last_table_counts_and_files_that_stay_are_not_read_again(monkeypatch):
    kept = {}
    monkeypatch.setattr(session, "keep", kept.__setitem__)
    monkeypatch.setattr(session, "kept", lambda key, default=None: kept.get(key, default))
    monkeypatch.setattr(
        dropped.cached, "kind_of", lambda content, name: "parcels" if name.endswith("zip") else "projects"
    )
    first, shapes, second = (_File(k, *one) for k, one in enumerate((TABLE, ZIP, ("b.csv", TABLE[1]))))
    assert dropped.projects([first, shapes]) == TABLE
    assert [name for name, _ in kept[dropped.ASIDE]] == ["地块.zip"]
    assert dropped.projects([first, shapes, second]) == ("b.csv", TABLE[1])
    assert dropped.projects([first, shapes]) is None, "one was taken away"
    assert dropped.projects([first]) is None
    assert kept[dropped.ASIDE] is None
    assert dropped.projects([first, _File(7, *TABLE), _File(8, "c.csv", TABLE[1])]) == ("c.csv", TABLE[1])
    assert kept[dropped.LAST] == "c.csv"
