import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_cluster.errors import InputError, Place
from geo_cluster.scoring.values import ValueFunction
from tests.refusals import refusal_of

nan, inf = np.nan, np.inf
pace = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize(
    ("row", "x", "expected"),
    [
        ({"kind": "linear", "worst": 0, "best": 10}, [-5, 0, 4, 10, 99], [0, 0, 0.4, 1, 1]),
        ({"kind": "linear", "worst": 60, "best": 20}, [99, 60, 30, 20, 0], [0, 0, 0.75, 1, 1]),
        (
            {"kind": "piecewise", "worst": 0, "best": 10, "points": [[0, 0], [2, 0.8], [10, 1]]},
            [-1, 1, 2, 6, 11],
            [0, 0.4, 0.8, 0.9, 1],
        ),
        (
            {"kind": "piecewise", "worst": 10, "best": 0, "points": [[10, 0], [5, 0.9], [0, 1]]},
            [12, 10, 7.5, 5, 0, -3],
            [0, 0, 0.45, 0.9, 1, 1],
        ),
        ({"kind": "target", "worst": 0, "best": 5}, [-1, 0, 2.5, 5, 7.5, 10, 11], [0, 0, 0.5, 1, 0.5, 0, 0]),
        (
            {"kind": "target", "worst": 0, "best": 5, "worst_beyond": 7, "tolerance": 1},
            [2, 4, 5, 6, 6.5, 7],
            [0.5, 1, 1, 1, 0.5, 0],
        ),
        ({"kind": "target", "worst": 10, "best": 5, "tolerance": 1}, [10, 8, 6, 4, 2, 0], [0, 0.5, 1, 1, 0.5, 0]),
        ({"kind": "log", "worst": 1, "best": 100}, [-3, 0, 1, 10, 100, 1000], [0, 0, 0, 0.5, 1, 1]),
        ({"kind": "log", "worst": 100, "best": 1}, [1000, 100, 10, 1, 0], [0, 0, 0.5, 1, 1]),
        ({"kind": "sigmoid", "worst": 0, "best": 10}, [-1, 0, 5, 10, 11], [0, 0, 0.5, 1, 1]),
        ({"kind": "step", "worst": 0, "best": 10}, [0, 9.9, 10, 11], [0, 0, 1, 1]),
        (
            {"kind": "step", "worst": 60, "best": 20, "points": [[40, 0.5], [20, 1]]},
            [61, 40.1, 40, 21, 20, 0],
            [0, 0, 0.5, 0.5, 1, 1],
        ),
    ],
)
def test_values_by_hand(row, x, expected):
    np.testing.assert_allclose(ValueFunction.from_dict(row).value(x), expected, atol=1e-12)


EVERY_KIND = [
    {"kind": "linear", "worst": 3, "best": -2},
    {"kind": "piecewise", "worst": 0, "best": 9, "points": [[1, 0.1], [2, 0.8], [8, 0.9]]},
    {"kind": "target", "worst": -4, "best": 5, "tolerance": 2, "worst_beyond": 9},
    {"kind": "log", "worst": 200, "best": 0.5},
    {"kind": "sigmoid", "worst": 90, "best": 10, "midpoint": 30, "steepness": 700},
    {"kind": "sigmoid", "worst": 0, "best": 1, "steepness": 0.01},
    {"kind": "step", "worst": 0, "best": 9, "points": [[2, 0.3], [8, 1]]},
]


@pytest.mark.parametrize("row", EVERY_KIND, ids=lambda row: row["kind"])
@pace
@given(x=st.lists(st.floats(), min_size=1, max_size=20))
def test_values_stay_in_0_1_and_unknown_stays_unknown(row, x):
    value = ValueFunction.from_dict(row).value(x)
    unknown = np.isnan(x)
    assert np.isnan(value[unknown]).all()
    assert ((value[~unknown] >= 0) & (value[~unknown] <= 1)).all()


@pytest.mark.parametrize("row", EVERY_KIND, ids=lambda row: row["kind"])
@pace
@given(x=st.lists(st.floats(-300, 300), min_size=2, max_size=20))
def test_monotone_where_it_claims(row, x):
    function = ValueFunction.from_dict(row)
    ordered = np.sort(x) if function.best > function.worst else -np.sort(-np.array(x))
    if function.monotone:
        assert (np.diff(function.value(ordered)) >= -1e-12).all()


@pytest.mark.parametrize("row", EVERY_KIND, ids=lambda row: row["kind"])
def test_ends_are_worth_0_and_1(row):
    function = ValueFunction.from_dict(row)
    if row["kind"] != "piecewise":
        np.testing.assert_allclose(function.value([function.worst, function.best]), [0, 1], atol=1e-12)


@pytest.mark.parametrize("row", EVERY_KIND, ids=lambda row: row["kind"])
@pace
@given(wanted=st.floats(0.11, 0.89))
def test_inverse_is_worth_what_was_asked(row, wanted):
    function = ValueFunction.from_dict(row)
    x = function.inverse(wanted)
    assert function.value(x) >= wanted - 1e-9
    if row["kind"] != "step":
        assert function.value(x) == pytest.approx(wanted, abs=1e-6)


def test_inverse_of_what_is_never_reached_is_unknown():
    function = ValueFunction("piecewise", 0, 9, ((0, 0), (9, 0.5)))
    assert np.isnan(function.inverse([0.6, nan, -1, 2])).all()
    assert function.inverse(0.5) == 9
    assert ValueFunction("step", 0, 9, ((4, 0.5), (9, 1))).inverse([0, 0.2, 0.5, 0.6]).tolist() == [0, 4, 4, 9]


def test_a_dip_is_not_monotone():
    assert not ValueFunction("piecewise", 0, 9, ((0, 0.5), (4, 0.2), (9, 1))).monotone
    assert ValueFunction("linear", 9, 0).monotone


@pytest.mark.parametrize(
    ("row", "places"),
    [
        ({"kind": "lin", "worst": 0, "best": 1}, ["kind"]),
        ({"worst": 0, "bst": 1}, ["bst", "kind", "best"]),
        ({"kind": "linear", "worst": 1, "best": 1}, ["worst, best"]),
        ({"kind": "linear", "worst": "0", "best": inf}, ["worst", "best"]),
        ({"kind": "linear", "worst": 0, "best": 1, "steepness": 3}, ["steepness"]),
        ({"kind": "log", "worst": 0, "best": 1}, ["worst"]),
        ({"kind": "piecewise", "worst": 0, "best": 1}, ["points"]),
        ({"kind": "piecewise", "worst": 0, "best": 1, "points": [[0, 0], [1]]}, ["points"]),
        ({"kind": "piecewise", "worst": 0, "best": 1, "points": [[1, 0], [0, 2]]}, ["points", "points"]),
        ({"kind": "target", "worst": 0, "best": 5, "worst_beyond": 3, "tolerance": 6}, ["worst_beyond", "tolerance"]),
        ({"kind": "sigmoid", "worst": 0, "best": 1, "midpoint": 2, "steepness": 0}, ["steepness", "midpoint"]),
        ({"kind": "linear", "worst": True, "best": None}, ["worst", "best"]),
        ({"kind": ["linear"], "worst": 0, "best": 2}, ["kind"]),
        ({"kind": "step", "worst": 0, "best": 2, "points": 5}, ["points"]),
    ],
)
def test_a_faulty_declaration_is_refused_with_all_faults(row, places):
    with pytest.raises(InputError) as refusal:
        ValueFunction.from_dict(row, where=Place("criteria.toml", sheet="land"))
    found = [fault.place for fault in refusal.value.faults]
    assert {(place.name, place.sheet) for place in found} == {("criteria.toml", "land")}
    assert sorted(place.key for place in found) == sorted(places)


def test_a_faulty_constructor_is_refused_too():
    with refusal_of("scoring.no_range", error=InputError):
        ValueFunction("linear", 1, 1)
