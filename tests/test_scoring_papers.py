"""Worked examples: the numbers that papers and textbooks print, to the rounding they print."""

import numpy as np
import pytest

from geo_cluster.scoring.aggregate import aggregate
from geo_cluster.scoring.weights import ahp, critic, entropy, rank_order_centroid

nan = np.nan


def printed(actual, expected, digits):
    """Equal when rounded as printed; half a unit of the last digit more, for tables made from rounded steps."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=0.51 * 10.0**-digits)


def upper(*rows):
    """A reciprocal matrix from its upper triangle, diagonal left out."""
    matrix = np.eye(len(rows) + 1)
    for i, row in enumerate(rows):
        matrix[i, i + 1 :] = row
        matrix[i + 1 :, i] = 1 / np.array(row)
    return matrix


FIGHTERS = [
    [2.0, 1500, 20000, 5.5, 5, 9],
    [2.5, 2700, 18000, 6.5, 3, 5],
    [1.8, 2000, 21000, 4.5, 7, 7],
    [2.2, 1800, 20000, 5.0, 5, 5],
]
MACHINES = [  # speed, capacity, reliability … of Tzeng & Huang's example
    [5, 8, 4],
    [7, 6, 8],
    [8, 8, 6],
    [7, 4, 6],
]


def test_topsis_hwang_yoon_1981_fighter_aircraft():
    """Hwang & Yoon (1981), Multiple Attribute Decision Making, Springer: fighter aircraft; cost is a min criterion."""
    result = aggregate(
        FIGHTERS, [0.2, 0.1, 0.1, 0.1, 0.2, 0.3], ["max", "max", "max", "min", "max", "max"], method="topsis"
    )
    np.testing.assert_allclose(result.score, [0.643, 0.268, 0.613, 0.312], rtol=0, atol=0.001)
    assert result.rank.tolist() == [1, 4, 2, 3]


def test_topsis_tzeng_huang_2011():
    """Tzeng & Huang (2011), Multiple Attribute Decision Making, CRC Press, ch. 5."""
    printed(aggregate(MACHINES, [0.3, 0.4, 0.3]).score, [0.5037, 0.6581, 0.7482, 0.3340], 4)


def test_topsis_ersoy_2021():
    """Ersoy (2021), LogForum 17(3), doi 10.17270/J.LOG.2021.603: from weights rounded to 3 digits, so 2 digits hold."""
    result = aggregate(ERSOY, ERSOY_WEIGHTS, ERSOY_OBJECTIVES)
    np.testing.assert_allclose(result.score, [0.308, 0.254, 0.327, 0.263, 0.857, 0.192], rtol=0, atol=0.005)


ERSOY = [
    [256, 8, 41, 1.6, 1.77, 7347.16],
    [256, 8, 32, 1.0, 1.8, 6919.99],
    [256, 8, 53, 1.6, 1.9, 8400],
    [256, 8, 41, 1.0, 1.75, 6808.9],
    [512, 8, 35, 1.6, 1.7, 8479.99],
    [256, 4, 35, 1.6, 1.7, 7499.99],
]
ERSOY_WEIGHTS = [0.405, 0.221, 0.134, 0.199, 0.007, 0.034]
ERSOY_OBJECTIVES = ["max"] * 4 + ["min"] * 2


def test_vikor_opricovic_tzeng_2004():
    """Opricovic & Tzeng (2004), EJOR 156: 445-455: the mountain climber; S, R, Q and the compromise solution A2."""
    result = aggregate([[1, 3000], [2, 3750], [5, 4500]], [0.5, 0.5], ["min", "max"], method="vikor")
    np.testing.assert_allclose(result.parts["S"], [0.5, 0.375, 0.5])
    np.testing.assert_allclose(result.parts["R"], [0.5, 0.25, 0.5])
    np.testing.assert_allclose(result.score, [1, 0, 1])
    assert result.rank.tolist() == [2, 1, 2]
    assert result.parts["compromise"].tolist() == [False, True, False]


DRINA = [
    [4184.3, 2914.0, 407.2, 251.0, 195, 244, 15, 2.41],
    [5211.9, 3630.0, 501.7, 308.3, 282, 346, 21, 1.41],
    [5021.3, 3920.5, 504.0, 278.6, 12, 56, 3, 4.42],
    [5566.1, 3957.9, 559.5, 335.3, 167, 268, 16, 3.36],
    [5060.5, 3293.5, 514.1, 284.2, 69, 90, 7, 4.04],
    [4317.9, 2925.9, 432.8, 239.3, 12, 55, 3, 4.36],
]


@pytest.mark.parametrize(
    ("weights", "s", "r", "q", "compromise"),
    [
        (
            [1] * 8,
            [0.692, 0.700, 0.290, 0.423, 0.280, 0.346],
            [0.125, 0.125, 0.121, 0.125, 0.067, 0.125],
            [0.991, 1.000, 0.473, 0.670, 0.000, 0.578],
            [4],
        ),
        (
            [2] * 4 + [1] * 4,
            [0.701, 0.600, 0.386, 0.365, 0.317, 0.459],
            [0.167, 0.114, 0.161, 0.167, 0.089, 0.167],
            [1.000, 0.533, 0.552, 0.563, 0.000, 0.686],
            [4],
        ),
        (
            [1] * 4 + [2] * 4,
            [0.683, 0.800, 0.193, 0.480, 0.243, 0.232],
            [0.113, 0.167, 0.080, 0.122, 0.044, 0.083],
            [0.684, 1.000, 0.147, 0.554, 0.041, 0.191],
            [2, 4, 5],
        ),
    ],
)
def test_vikor_opricovic_tzeng_2007(weights, s, r, q, compromise):
    """Opricovic & Tzeng (2007), EJOR 178: 514-529: hydropower on the Drina, three sets of weights."""
    result = aggregate(DRINA, weights, ["max", "min", "max", "max", "min", "min", "min", "max"], method="vikor")
    np.testing.assert_allclose(result.parts["S"], s, rtol=0, atol=0.001)
    np.testing.assert_allclose(result.parts["R"], r, rtol=0, atol=0.001)
    np.testing.assert_allclose(result.score, q, rtol=0, atol=0.0015)
    assert np.flatnonzero(result.parts["compromise"]).tolist() == compromise


PLOSKAS = [[8, 7, 2, 1], [5, 3, 7, 5], [7, 5, 6, 4], [9, 9, 7, 3], [11, 10, 3, 7], [6, 9, 5, 4]]


def test_vikor_papathanasiou_ploskas_2018():
    """Papathanasiou & Ploskas (2018), Multiple Criteria Decision Aid, Springer, ch. 2: v = 0.625."""
    result = aggregate(PLOSKAS, [0.4, 0.3, 0.1, 0.2], method="vikor", v=0.625)
    printed(result.score, [0.640, 1.000, 0.693, 0.271, 0.000, 0.694], 3)


def test_promethee_papathanasiou_ploskas_2018():
    """Papathanasiou & Ploskas (2018), Multiple Criteria Decision Aid, Springer, ch. 3: type V, q = 1, p = 2."""
    result = aggregate(
        PLOSKAS, [0.4, 0.3, 0.1, 0.2], method="promethee", preference="linear", indifference=1, threshold=2
    )
    printed(result.score, [-0.26, -0.52, -0.22, 0.36, 0.70, -0.06], 2)


def test_promethee_brans_vincke_mareschal_1986_power_plants():
    """Brans, Vincke & Mareschal (1986), EJOR 24: 228-238: all six generalised criteria at once.

    The paper sums the preference indices; net flows are those sums over A - 1, from indices rounded to 3 digits.
    """
    plants = [
        [80, 90, 600, 54, 8, 5],
        [65, 58, 200, 97, 1, 1],
        [83, 60, 400, 72, 4, 7],
        [40, 80, 1000, 75, 7, 10],
        [52, 72, 600, 20, 3, 8],
        [94, 96, 700, 36, 5, 6],
    ]
    result = aggregate(
        plants,
        [1] * 6,
        ["min", "max", "min", "min", "min", "max"],
        method="promethee",
        preference=["u-shape", "v-shape", "linear", "level", "usual", "gaussian"],
        indifference=[10, 0, 50, 10, 0, 0],
        threshold=[0, 30, 500, 60, 0, 0],
        spread=[0, 0, 0, 0, 0, 5],
    )
    # rows of the preference indices: sums of the printed table
    printed_rows = [1.099, 1.980, 1.234, 1.644, 2.274, 1.500]
    np.testing.assert_allclose(5 * result.parts["plus"], printed_rows, rtol=0, atol=0.003)
    np.testing.assert_allclose(5 * result.score, [-0.728, 0.085, -0.447, -0.102, 1.466, -0.274], rtol=0, atol=0.0025)
    assert result.rank.tolist() == [6, 2, 5, 3, 1, 4]


def test_promethee_ziemba_2019():
    """Ziemba (2019), Sustainability 11: 1555, doi 10.3390/su11061555: type V, max and min criteria."""
    projects = np.transpose(
        [
            [38723, 34913, 25596, 34842, 22570, 39773, 19500, 34525, 16486],
            [33207, 32085, 2123, 32095, 1445, 17485, 868, 16958, 958],
            [0, 0.2, 5, 0.2, 0.2, 0.2, 99, 99, 99],
            [3375, 3127, 3547, 3115, 3090, 4135, 3160, 4295, 3653],
            [11.36, 12.78, 12.78, 12.86, 12.86, 17, 12.86, 17, 12.86],
            [-320.9, -148.4, -148.4, -9.9, -9.9, 0, -9.9, 0, -9.9],
            [203.7, 463, 356.2, 552.5, 295, 383, 264, 352, 264],
            [0, 11.7, 44.8, 11.7, 95.9, 95.9, 116.8, 116.8, 164.9],
            [0, 4.9, 10.7, 5.4, 11.2, 11.2, 11.2, 11.2, 11.2],
            [1, 1, 1, 3.5, 4, 4, 4, 4, 4],
            [21.5, 47.9, 27.7, 39.7, 1.5, 22.7, 2.7, 23.9, 1],
            [0, 3.7, 4.5, 10.3, 11.5, 11.5, 11.3, 11.3, 11.4],
        ]
    )
    result = aggregate(
        projects,
        [0.3333, 0.1667, 0.1667, 0.3333, 0.25, 0.75, 1, 1, 0.4, 0.20, 0.40, 1],
        ["min", "min", "max", "min", "max", "max", "min", "max", "max", "min", "min", "max"],
        method="promethee",
        preference="linear",
        indifference=[420, 1000, 10, 40, 1, 7, 50, 20, 1, 1, 4.6, 1],
        threshold=[2100, 5000, 50, 200, 5, 20, 100, 80, 4, 2, 23, 3],
    )
    printed(result.score, [-0.4143, -0.5056, -0.2317, -0.2892, 0.3313, 0.0619, 0.4296, 0.1626, 0.4554], 4)


def test_promethee_ziemba_2017_offshore_wind():
    """Ziemba, Wątróbski, Zioło & Karczmarczyk (2017), Energies 10: 1755, doi 10.3390/en10111755: type III."""
    farms = np.transpose(
        [
            [16347, 14219, 8160, 8160],
            [9, 8.5, 9, 8.5],
            [73.8, 55, 64.8, 62.5],
            [36.7, 36, 28.5, 29.5],
            [1.5, 2, 2, 1.5],
            [3730, 3240, 1860, 1860],
            [2, 1, 2, 1],
            [1, 1, 2, 3],
            [38.8, 33.1, 45.8, 27.3],
            [4, 2, 4, 3],
            [1720524, 1496512, 858830, 858830],
            [40012, 34803, 19973, 19973],
        ]
    )
    result = aggregate(
        farms,
        [20, 5, 5, 1.67, 1.67, 11.67, 11.67, 5, 5, 16.67, 8.33, 8.33],
        ["min", "min", "min", "min", "min", "max", "min", "min", "max", "min", "max", "max"],
        method="promethee",
        preference="v-shape",
        threshold=[7280, 4, 13.4, 7.4, 3, 1662, 3, 3, 13.8, 3, 766240, 17820],
    )
    printed(result.score, [-0.0445, 0.1884, -0.0954, -0.0485], 4)


CHAKRABORTY = [
    [581818, 54.49, 3, 5500],
    [595454, 49.73, 3, 4500],
    [586060, 51.24, 3, 5000],
    [522727, 45.71, 3, 5800],
    [561818, 52.66, 3, 5200],
    [543030, 74.46, 4, 5600],
    [522727, 75.42, 4, 5800],
    [486970, 62.62, 4, 5600],
    [509394, 65.87, 4, 6400],
    [513333, 70.67, 4, 6000],
]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("weighted_sum", [0.8590, 0.8194, 0.8430, 0.9420, 0.8645, 0.8315, 0.8552, 0.8983, 0.9067, 0.8784]),
        ("weighted_product", [0.8578, 0.8144, 0.8408, 0.9413, 0.8632, 0.8241, 0.8454, 0.8915, 0.8987, 0.8697]),
    ],
)
def test_sum_and_product_chakraborty_2015(method, expected):
    """Chakraborty, Zavadskas & Antucheviciene (2015), Econ. Computation 49(1): 5-22, example 2, λ = 1 and λ = 0."""
    result = aggregate(
        CHAKRABORTY, [0.467, 0.160, 0.095, 0.278], ["min", "min", "min", "max"], method=method, normalisation="max"
    )
    np.testing.assert_allclose(result.score, expected, rtol=0, atol=1e-4)
    assert result.rank.tolist() == [6, 10, 8, 1, 5, 9, 7, 3, 2, 4]


def test_copras_uysal_inan_2022():
    """Uysal & İnan (2022), Int. J. of Social Science and Economic Research: utility degrees of people, in %."""
    people = [
        [3.57, 4.00, 4.00, 83.75, 3, 9, 1],
        [3.07, 3.95, 4.00, 83.00, 3, 1, 3],
        [3.23, 3.54, 3.46, 66.00, 4, 0, 2],
        [3.42, 3.96, 4.00, 70.00, 5, 5, 7],
        [2.56, 3.37, 3.79, 82.00, 4, 4, 5],
    ]
    result = aggregate(people, [1] * 7, ["max"] * 4 + ["min", "max", "max"], method="copras")
    printed(result.parts["utility_percent"], [100.0, 78.8501, 63.3837, 98.6506, 86.8878], 4)
    assert result.rank.tolist() == [1, 4, 5, 2, 3]


def test_copras_goswami_mitra_2020():
    """Goswami & Mitra (2020), Int. J. of Data and Network Science 4: 27-42, doi 10.5267/j.ijdns.2019.8.004."""
    phones = [
        [80, 16, 2, 5],
        [110, 32, 2, 9],
        [130, 64, 4, 9],
        [185, 64, 4, 1],
        [135, 64, 3, 4],
        [140, 32, 3, 5],
        [185, 64, 6, 7],
        [110, 16, 3, 3],
        [120, 16, 4, 3],
        [340, 128, 6, 5],
    ]
    result = aggregate(phones, [0.60338, 0.13639, 0.19567, 0.06456], ["min", "max", "max", "max"], method="copras")
    expected = [1, 0.85262, 0.91930, 0.68523, 0.80515, 0.72587, 0.83436, 0.79758, 0.79097, 0.79533]
    printed(result.parts["utility_percent"] / 100, expected, 5)


def test_edas_ersoy_2021():
    """Ersoy (2021), LogForum 17(3), doi 10.17270/J.LOG.2021.603: appraisal scores."""
    result = aggregate(ERSOY, ERSOY_WEIGHTS, ERSOY_OBJECTIVES, method="edas")
    printed(result.score, [0.414, 0.130, 0.461, 0.212, 0.944, 0.043], 3)


def test_owa_nguyen_2003():
    """Nguyen, Prasad, Walker & Walker (2003), A First Course in Fuzzy and Neural Control, CRC, example 3.3."""
    printed(aggregate([[1, 5, 3]], [0.3, 0.4, 0.3], method="owa").score, [3.0], 1)


def test_ahp_saaty_1977_wealth_of_nations():
    """Saaty (1977), J. Mathematical Psychology 15: 234-281: wealth of seven nations, λmax = 7.61."""
    result = ahp(
        upper(
            [4, 9, 6, 6, 5, 5],
            [7, 5, 5, 3, 4],
            [1 / 5, 1 / 5, 1 / 7, 1 / 5],
            [1, 1 / 3, 1 / 3],
            [1 / 3, 1 / 3],
            [2],
        )
    )
    printed(result.weights, [0.427, 0.230, 0.021, 0.052, 0.052, 0.123, 0.094], 3)
    printed(result.eigenvalue, 7.61, 2)


def test_ahp_saaty_2008_drinks():
    """Saaty (2008), Int. J. Services Sciences 1: 83-98: consumption of drinks, consistency ratio 0.022."""
    result = ahp(
        upper(
            [9, 5, 2, 1, 1, 1 / 2],
            [1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 9],
            [1 / 3, 1 / 4, 1 / 3, 1 / 9],
            [1 / 2, 1, 1 / 3],
            [2, 1 / 2],
            [1 / 3],
        )
    )
    printed(result.weights, [0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327], 3)
    printed(result.consistency_ratio, 0.022, 3)


def test_ahp_papathanasiou_ploskas_2018_hierarchy():
    """Papathanasiou & Ploskas (2018), Multiple Criteria Decision Aid, Springer, ch. 5: criteria and alternatives."""
    criteria = ahp([[1, 1, 5, 3], [1, 1, 5, 3], [1 / 5, 1 / 5, 1, 1 / 3], [1 / 3, 1 / 3, 3, 1]]).weights
    local = [
        upper([5, 1, 1, 1 / 3, 3], [1 / 3, 1 / 5, 1 / 7, 1], [1 / 3, 1 / 5, 1], [1 / 3, 3], [7]),
        upper([7, 3, 1 / 3, 1 / 3, 1 / 3], [1 / 3, 1 / 7, 1 / 9, 1 / 7], [1 / 5, 1 / 5, 1 / 5], [1, 1], [1]),
        upper([1 / 9, 1 / 7, 1 / 9, 1, 1 / 5], [1, 1, 5, 3], [1, 5, 1], [7, 3], [1 / 3]),
        upper([1 / 5, 1 / 5, 1 / 3, 1 / 7, 1 / 5], [1, 3, 1 / 3, 1], [1, 1 / 3, 1], [1 / 7, 1], [5]),
    ]
    values = np.column_stack([ahp(matrix).weights for matrix in local])
    result = aggregate(values, criteria, method="weighted_sum")
    np.testing.assert_allclose(result.score, [0.117, 0.071, 0.095, 0.212, 0.350, 0.155], rtol=0, atol=0.003)


@pytest.mark.parametrize("unprinted", [0.5, 1, 3])
def test_incomplete_ahp_bozoki_fulop_ronyai_2010(unprinted):
    """Bozóki, Fülöp & Rónyai (2010), Math. and Computer Modelling 52: 318-333, example 3.

    Two triads leave one judgement open: 2/5 by one, 4/3 by the other. van Uden's rule gives 0.73029674334 and the
    smallest λmax 0.7302965066047, equal "up to 6 digits"; the judgement that joins the triads cannot change it.
    """
    matrix = np.array([[1, unprinted, 5, 2], [nan, 1, 3, 4], [nan, nan, 1, nan], [nan, nan, nan, 1]])
    np.testing.assert_allclose(ahp(matrix).completed[2, 3], 0.7302965066047, rtol=0, atol=1e-6)
    printed(ahp(matrix, method="geometric_mean").completed[2, 3], 0.73029674334, 11)


def test_rank_order_centroid_barron_barrett_1996():
    """Barron & Barrett (1996), Management Science 42: 1515-1523: the table of ROC weights."""
    printed(rank_order_centroid(3), [0.6111, 0.2778, 0.1111], 4)
    printed(rank_order_centroid(4), [0.5208, 0.2708, 0.1458, 0.0625], 4)
    printed(rank_order_centroid(5), [0.4567, 0.2567, 0.1567, 0.0900, 0.0400], 4)


def test_entropy_xu_2004():
    """Xu (2004), EJOR 156: 530-532, doi 10.1016/S0377-2217(03)00146-2."""
    values = [[30, 30, 38, 29], [19, 54, 86, 29], [19, 15, 85, 28.9], [68, 70, 60, 29]]
    printed(entropy(values), [0.4630, 0.3992, 0.1378, 0.0000], 4)


def test_entropy_zavadskas_podvezko_2016():
    """Zavadskas & Podvezko (2016), Int. J. of Information Technology & Decision Making 15: 267-283."""
    values = [[3.0, 100, 10, 7], [2.5, 80, 8, 5], [1.8, 50, 20, 11], [2.2, 70, 12, 9]]
    printed(entropy(values), [0.1146, 0.1981, 0.4185, 0.2689], 4)


def test_entropy_ersoy_2021():
    """Ersoy (2021), LogForum 17(3), doi 10.17270/J.LOG.2021.603; one criterion nearly constant."""
    printed(entropy(ERSOY), ERSOY_WEIGHTS, 3)


def test_critic_diakoulaki_1995_pharmaceutical_firms():
    """Diakoulaki, Mavrotas & Papayannakis (1995), Computers & Operations Research 22: 763-770."""
    firms = [
        [61, 1.08, 4.33],
        [20.7, 0.26, 4.34],
        [16.3, 1.98, 2.53],
        [9.0, 3.29, 1.65],
        [5.4, 2.77, 2.33],
        [4.0, 4.12, 1.21],
        [-6.1, 3.52, 2.10],
        [-34.6, 3.31, 0.98],
    ]
    printed(critic(firms), [0.20, 0.48, 0.32], 2)


def test_critic_tus_aytac_adali_2019():
    """Tuş & Aytaç Adalı (2019), Opsearch 56: 528-538, doi 10.1007/s12597-019-00371-6."""
    software = [
        [5000, 3, 3, 4, 3, 2],
        [680, 5, 3, 2, 2, 1],
        [2000, 3, 2, 3, 4, 3],
        [600, 4, 3, 1, 2, 2],
        [800, 2, 4, 3, 3, 4],
    ]
    printed(critic(software), [0.157, 0.249, 0.168, 0.121, 0.154, 0.151], 3)
