import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geo_cluster.errors import InputError
from geo_cluster.scoring.aggregate import aggregate
from geo_cluster.scoring.explain import (
    Certainty,
    Style,
    SwitchingValue,
    compare,
    contributions,
    pair_sentence,
    round_parts,
)

pace = settings(max_examples=60, deadline=None)
values = arrays(float, (4, 3), elements=st.floats(0, 1))
weights = arrays(float, 3, elements=st.integers(1, 20).map(float))


@pace
@given(values=values, weights=weights)
def test_contributions_add_up_to_the_score(values, weights):
    score = aggregate(values, weights, method="weighted_sum").score
    plain = contributions(values, weights)
    np.testing.assert_array_equal(plain.parts.sum(axis=-1), plain.score)
    np.testing.assert_allclose(plain.score, score, rtol=1e-12, atol=1e-15)
    relative = contributions(values, weights, baseline=values.mean(axis=0))
    np.testing.assert_allclose(relative.base + relative.parts.sum(axis=-1), score, atol=1e-12)
    assert relative.base == pytest.approx(score.mean())
    assert compare(values, weights, 0, 2).sum() == pytest.approx(score[0] - score[2], abs=1e-12)
    # against the runner-up, either way of asking is the same
    runner_up = contributions(values, weights, baseline=values[2])
    np.testing.assert_allclose(runner_up.parts[0], compare(values, weights, 0, 2))


def test_an_unknown_value_is_an_unknown_part():
    result = contributions([[np.nan, 0.5], [0.4, 0.5]], [1, 1])
    assert np.isnan(result.parts[0, 0])
    assert np.isnan(result.score[0])
    assert result.score[1] == 0.45


@pace
@given(arrays(float, st.integers(1, 8), elements=st.floats(-1, 1)), st.integers(0, 4))
def test_rounded_parts_add_up_to_the_rounded_sum(parts, digits):
    rounded = round_parts(parts, digits)
    assert rounded.sum() == pytest.approx(np.round(parts.sum(), digits), abs=1.0001 * 10.0**-digits)
    assert abs(rounded.sum() - parts.sum()) <= 0.5001 * 10.0**-digits
    assert (abs(rounded - parts) <= 1.0001 * 10.0**-digits).all()


LEAD = [0.2, -0.03, -0.01, 0.01]


def test_sentence_in_english():
    sentence = pair_sentence(
        ("Daye Lake", "Gedian"),
        ["land", "power", "drive time", "price"],
        LEAD,
        (0.63, 0.46),
        certainty=Certainty(
            chance=0.81,
            weight=SwitchingValue("power", 0.123, "%"),
            datum=SwitchingValue("spare capacity", 63, "MVA"),
        ),
        style=Style(most=1),
    )
    assert sentence == (
        "Daye Lake (0.630) leads Gedian (0.460) by 0.170; better on land (+0.200); worse on power (-0.030); "
        "it beats Gedian in 81 % of what can't be ruled out; "
        "Gedian would lead if the weight of power were above 12.3 %; "
        "Gedian would win if its spare capacity were above 63 MVA."
    )


def test_sentence_in_chinese():
    sentence = pair_sentence(
        ("大冶湖", "葛店"),
        ["用地", "用电", "车程", "地价"],
        [0.2, -0.03, -0.02, 0.01],
        (0.63, 0.47),
        certainty=Certainty(datum=SwitchingValue("可用容量", 63, "兆伏安", above=False)),
        style=Style("zh", most=1),
    )
    assert sentence == (
        "大冶湖（0.630）领先葛店（0.470）0.160；优于对方的是用地（+0.200）；不及对方的是用电（-0.030）；"
        "其余合计-0.010；若葛店的可用容量低于 63 兆伏安，则葛店胜出。"
    )


def test_a_pure_number_has_no_unit_and_a_percentage_no_gap_in_chinese():
    fit = SwitchingValue("主导产业契合度", 0.92, "", above=True)
    weight = SwitchingValue("地价", 0.123, "%", above=True)
    told = pair_sentence(
        ("甲", "乙"), ["契合"], [0.1], (0.5, 0.4), certainty=Certainty(weight=weight, datum=fit), style=Style("zh")
    )
    assert "若地价的权重高于 12.3%，则乙领先" in told
    assert "若乙的主导产业契合度高于 0.92，则乙胜出" in told


@pace
@given(arrays(float, 5, elements=st.floats(-0.3, 0.3)), st.sampled_from(["en", "zh"]))
def test_numbers_that_are_read_add_up(lead, language):
    sentence = pair_sentence(("A", "B"), list("vwxyz"), lead, (lead.sum(), 0.0), style=Style(language, most=2))
    read = sum(
        float(number)
        for number in re.findall(r"[+-]\d\.\d{3}", sentence.split("；" if language == "zh" else ";", 1)[-1])
    )
    assert read == pytest.approx(lead.sum(), abs=0.00051)


@pytest.mark.parametrize(
    ("lead", "word"), [([0.1], "leads"), ([-0.1], "is behind"), ([0.0], "are level"), ([1e-5], "are level")]
)
def test_sentence_says_who_leads(lead, word):
    assert word in pair_sentence(("A", "B"), ["x"], lead, (0.5 + lead[0], 0.5))


def test_the_lead_is_that_of_the_scores_as_they_are_read():
    sentence = pair_sentence(
        ("葛店", "滨江"), ["车程", "地价"], [3.08, -1.0], (92.84, 90.76), style=Style("zh", digits=1, unit=" 分")
    )
    assert sentence.startswith("葛店（92.8）领先滨江（90.8）2.0 分；"), "92.8 - 90.8 is not 2.1"
    parts = [float(number) for number in re.findall(r"[+-]\d\.\d", sentence)]
    assert sum(parts) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("firsts", "told"), [((0.497, 0.495), "两者难分：居首概率 50% 对 50%"), ((0.8, 0.1), "；居首概率 80% 对 10%")]
)
def test_the_sentence_says_how_sure_it_is(firsts, told):
    assert told in pair_sentence(
        ("A", "B"), ["x"], [0.1], (0.5, 0.4), certainty=Certainty(firsts=firsts), style=Style("zh")
    )


def test_numbers_of_a_sentence_have_no_digits_that_nobody_knows():
    def needed(number):
        certainty = Certainty(datum=SwitchingValue("drive", number, "min", above=False))
        return pair_sentence(("A", "B"), ["x"], [0.1], (0.5, 0.4), certainty=certainty)

    assert "below 20.9 min" in needed(20.97)
    assert "below 1,310 min" in needed(1316.0)


def test_unusable_sentences_are_refused():
    with pytest.raises(InputError) as refusal:
        pair_sentence(("A", "B"), ["x"], [0.1, 0.2], (1, 0), style=Style("fr"))
    assert [fault.where for fault in refusal.value.faults] == ["language", "lead"]
    with pytest.raises(InputError, match="baseline"):
        contributions([[1, 2]], [1, 1], baseline=[1])
    with pytest.raises(InputError, match="draws"):
        contributions(np.ones((2, 2, 2)), [1, 1])
