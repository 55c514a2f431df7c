import itertools
import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
import shapely

from geo_cluster import study, toml
from geo_cluster.errors import InputError
from geo_cluster.export.sheet import sheet
from geo_cluster.maps import ground, words
from geo_cluster.maps import page as maps_page
from geo_cluster.maps import payload as maps_payload
from geo_cluster.policy.chain import links
from geo_cluster.report import tables
from geo_cluster.scenarios import read_scenario
from geo_cluster.world import catalog
from geo_cluster.world.layers import HUBEI, Layers, columns
from geo_cluster.world.layers import words as layer_words
from tests import own
from tests.studies import run, write_own

HOSTILE = [
    "</script><script>window.broken = 1</script>",
    "<!--<script>",
    "\"'); window.broken = 1; ('",
    "<img src=x onerror='window.broken = 1'>",
    "{{ 7 * 7 }} {% raw %}",
    "\u2028\u2029 激光 🔬",
    "长" * 500,
]
ELSEWHERE = ("outside", "clusters")
RINGED = ("chain", "sites", "substations")


@pytest.fixture(scope="module", params=["zh", "en"])
def language(request):
    return request.param


@pytest.fixture(scope="module")
def plan(language):
    return maps_payload.payload(run(), language)


def layer_of(payload, key):
    return next(layer for layer in payload["layers"] if layer["key"] == key)


def leaves(value):
    if isinstance(value, dict):
        return itertools.chain.from_iterable(leaves(one) for one in value.values())
    if isinstance(value, list | tuple):
        return itertools.chain.from_iterable(leaves(one) for one in value)
    return iter([value])


class Page(HTMLParser):
    """The elements of a page, and the text inside each script."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.inside = [], [], False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag == "script"
        if self.inside:
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.scripts[-1] += data


# ---- the payload --------------------------------------------------------------------------------------------


def test_what_has_no_place_is_listed_and_nowhere_on_the_map(plan, language):
    listed = {layer["key"]: [feature["p"]["id"] for feature in layer["features"]] for layer in plan["unplaced"]}
    for name in ("chain", "sites", "substations", "power_plants", "ports"):
        rows = Layers().read(name)
        assert listed.get(name, []) == rows.loc[rows.geometry.isna(), "id"].tolist(), name
    assert {"G01", "G09", "G10"} <= set(listed["substations"])
    drawn = {feature["p"]["id"] for feature in layer_of(plan, "substations")["features"]}
    assert not drawn & set(listed["substations"])
    cards = {feature["p"]["id"]: feature for layer in plan["unplaced"] for feature in layer["features"]}
    assert not any("at" in feature for feature in cards.values())
    adrift = words.WORDS[language]["adrift"]
    assert all(dict(map(tuple, card["p"]["rows"]))[adrift] for card in cards.values()), "why it has none"
    told = dict(map(tuple, cards["G09"]["p"]["rows"]))
    assert any("光谷" in one or "Guanggu" in one for one in told.values()), "what it may be the same as, by name"


def test_a_capacity_that_nobody_stated_is_said_to_be_unknown(plan, language):
    (ezhou,) = [one for one in layer_of(plan, "power_plants")["features"] if one["p"]["id"] == "P10"]
    rows = dict(map(tuple, ezhou["p"]["rows"]))
    assert rows[columns("power_plants")["capacity_mw"][language]] == words.WORDS[language]["unknown"]


@pytest.mark.slow
def test_the_payload_is_plain_data(plan):
    assert json.loads(maps_page.as_json(plan)) == json.loads(json.dumps(plan, allow_nan=False))
    assert all(isinstance(leaf, str | int | float | bool) for leaf in leaves(plan))
    assert not {"nan", "None", "NaT", "<NA>"} & {leaf for leaf in leaves(plan) if isinstance(leaf, str)}


def test_each_layer_is_in_the_legend_with_its_name(language):
    shown = maps_payload.payload(run(), language)["layers"]
    assert len({layer["key"] for layer in shown}) == len(shown)
    for layer in shown:
        assert layer["features"], f"{layer['key']} shows nothing"
        if layer["kind"] == "label":
            continue
        if not layer["legend"]:
            assert layer["of"] in {one["key"] for one in shown if one["legend"]}, f"{layer['key']} can't be switched"
            continue
        assert layer["name"]
        assert layer["group"]
        assert re.fullmatch("#[0-9a-f]{6}", layer["color"]), layer["key"]
        if language == "en":
            assert not re.search("[\u3000-\u9fff]", layer["name"] + layer["group"]), layer["key"]


def test_every_point_of_every_registered_layer_is_on_the_map(plan):
    shown = {layer["key"]: len(layer["features"]) for layer in plan["layers"]}
    shown["sites"] += shown["factories"]
    for parted in ("chain", "demand"):
        shown[parted] = sum(count for key, count in shown.items() if key.startswith(f"{parted}-"))
    for name, layer in Layers().registry.items():
        if layer.geometry == "Point" and name not in ELSEWHERE:
            assert shown[name] == Layers().read(name).geometry.notna().sum(), name
    assert {"prefectures", "counties", "roads", "railways", "water"} <= set(shown)


def test_what_lies_outside_hubei_is_on_no_map(plan):
    west, south, east, north = HUBEI
    drawn = [layer["features"] for layer in plan["layers"] if isinstance(layer["features"], list)]
    points = [feature["at"] for features in drawn for feature in features if "at" in feature]
    assert all(south < lat < north and west < lon < east for lat, lon in points)
    for name in ELSEWHERE:
        assert not [layer["key"] for layer in plan["layers"] if layer["key"].startswith(name)]
        assert not Layers().read(name).geometry.dropna().within(shapely.box(*HUBEI)).all()


def test_users_of_lasers_are_drawn_by_what_the_use_rests_on(plan, language):
    rows = Layers().read("demand").query("geometry.notna()").set_index("id")
    for basis, word in layer_words("use_basis").items():
        layer = layer_of(plan, f"demand-{basis}")
        assert layer["name"] == word[language]
        assert {feature["p"]["id"] for feature in layer["features"]} == set(rows.index[rows["use_basis"] == basis])
        assert layer["hollow"] == (basis == "inferred")
        assert not layer["visible"]
        assert all([*row] for feature in layer["features"] for row in feature["p"]["rows"])


def test_a_site_tells_who_chose_it_and_what_sources_say_of_its_land(plan, language):
    cards = {feature["p"]["id"]: dict(feature["p"]["rows"]) for feature in layer_of(plan, "sites")["features"]}
    spoken = words.WORDS[language]
    decisions = Layers().read("siting_decisions")
    decided = decisions[decisions["site_id"] != ""].groupby("site_id")
    assert {site for site, card in cards.items() if spoken["decisions"] in card} == set(decided.groups) & set(cards)
    lasers = decisions[(decisions["site_id"] == "E01") & (decisions["laser_relevance"] == "laser")]
    assert len(lasers)
    told = cards["E01"][spoken["decisions"]]
    assert all(firm in told for firm in lasers["firm_zh"].str.partition("（")[0]), "lasers come first"
    assert all(date in told for date in lasers["status_date"]), "what was signed is no result: it says when that was"
    land = Layers().read("park_land").query("site_id != '' and land_available_zh != ''")
    for row in land.drop_duplicates("site_id", keep="last").itertuples():
        assert row.land_available_zh in cards[row.site_id][spoken["land_of_sources"]]
        assert row.publisher in cards[row.site_id][spoken["land_of_sources"]]


def test_water_lies_under_roads_and_names_what_is_known(plan, language):
    keys = [layer["key"] for layer in plan["layers"]]
    assert keys.index("prefectures") < keys.index("water") < keys.index("counties") < keys.index("roads")
    water = layer_of(plan, "water")
    shapes = [shapely.geometry.shape(one["geometry"]) for one in water["features"]["features"]]
    assert {shape.geom_type for shape in shapes} == {"MultiPolygon", "MultiLineString"}
    east_lake, yangtze_at_ezhou, luotian = (114.38, 30.55), (114.88, 30.42), (115.40, 30.80)
    wet = shapely.union_all(shapes)
    assert wet.distance(shapely.Point(east_lake)) < 0.01
    assert wet.distance(shapely.Point(yangtze_at_ezhou)) < 0.02
    assert not wet.contains(shapely.Point(luotian))
    named = {one["p"]["title"] for one in layer_of(plan, "water_labels")["features"]}
    rows = Layers().read("water")
    assert named == set(rows[f"name_{language}"]) - {""}
    assert {"东湖", "梁子湖", "大冶湖", "汤逊湖", "洪湖", "长江"} <= set(rows["name_zh"])
    assert any("GSHHG" in owed for owed in plan["attribution"])


def test_no_address_is_on_the_map(plan):
    assert not [leaf for leaf in leaves(plan) if isinstance(leaf, str) and re.search(r"https?://|www\.", leaf)]


def test_a_card_of_ones_own_rows_names_their_source_and_no_address(language):
    rows = Layers().read("ports").drop(columns=["publisher", "source_is_copy"]).assign(source="https://a.cn/1 ; 港务局")
    payload = maps_payload.payload(Layers(tables={"ports": rows}), language)
    told = layer_of(payload, "ports")["features"][0]["p"]["source"]
    assert "港务局" in told
    assert "a.cn" not in told


def test_each_card_has_title_source_and_confidence(plan, language):
    for layer in plan["layers"]:
        if layer["kind"] in ("point", "site", "square", "dot"):
            for feature in layer["features"]:
                card = feature["p"]
                assert card["title"]
                told = (
                    r"发布者：.+（.+） · .+ · 可信度[很高中低]+"
                    if language == "zh"
                    else r"Publisher: .+ \(.+\) · .+ · confidence: [a-z -]+"
                )
                assert re.match(told, card["source"]), (layer["key"], card["source"])


def test_rings_have_the_radii_of_the_rows(plan):
    drawn = {(*feature["at"], feature["p"]["radius_m"]) for feature in layer_of(plan, "rings")["features"]}
    rows = pd.concat([Layers().read(name) for name in RINGED])
    rows = rows[rows.geometry.notna()]
    expected = set(zip(rows["lat"].round(5), rows["lon"].round(5), rows["coord_uncertainty_m"], strict=True))
    assert drawn == expected
    assert min(radius for *_, radius in drawn) > 0


def test_flows_run_from_the_anchor_to_the_sites_of_the_plan(plan):
    result = run()
    flows = layer_of(plan, "flows")["features"]
    sites = result.sites.set_index("id").geometry
    ends = {(sites[site].y, sites[site].x): len(group) for site, group in tables.assignment(result).groupby("site")}
    assert {tuple(flow["to"]): len(flow["p"]["rows"]) for flow in flows} == ends
    assert {tuple(flow["from"]) for flow in flows} == {(result.anchor.geometry.y, result.anchor.geometry.x)}
    assert sum(ends.values()) == len(tables.assignment(result))


def test_what_changed_since_an_earlier_plan_is_drawn_and_counted(language):
    result = run()
    now = dict(zip(tables.assignment(result)["project"], tables.assignment(result)["site"], strict=True))
    first, second, third = list(now)[:3]
    other = next(site for site in result.sites["id"] if site not in (now[first], now[second]))
    before = {**now, first: other, second: other, "gone": other}
    del before[third]
    shown = maps_payload.payload(result, language, before=before)
    lines = layer_of(shown, "changed")["features"]
    sites = result.sites.set_index("id").geometry
    assert {tuple(line["from"]) for line in lines} == {(sites[other].y, sites[other].x)}
    ends = {(sites[now[one]].y, sites[now[one]].x) for one in (first, second)}
    assert {tuple(line["to"]) for line in lines} == ends
    assert sorted(row[0] for line in lines for row in line["p"]["rows"]) == sorted([first, second])
    assert re.findall(r"\d+", shown["notes"][0]) == ["2", "1", "1"]


@pytest.mark.slow
def test_nothing_changed_draws_nothing_and_says_so():
    result = run()
    now = dict(zip(tables.assignment(result)["project"], tables.assignment(result)["site"], strict=True))
    shown = maps_payload.payload(result, "zh", before=now)
    assert "changed" not in {layer["key"] for layer in shown["layers"]}
    assert re.findall(r"\d+", shown["notes"][0]) == ["0", "0", "0"]
    assert "较上一方案" not in " ".join(maps_payload.payload(result, "zh")["notes"])


@pytest.mark.slow
def test_filters_offer_what_occurs_and_every_entity_can_be_found_by_them():
    shown = maps_payload.payload(Layers(), "zh")
    entities = [f["p"] for layer in shown["layers"] if layer["key"].startswith("chain-") for f in layer["features"]]
    rows = Layers().read("chain").set_index("id")
    assert {one["id"] for one in entities} == set(rows.index[rows.geometry.notna()])
    entities += [f["p"] for layer in shown["unplaced"] if layer["key"] == "chain" for f in layer["features"]]
    assert {one["id"] for one in entities} == set(rows.index)
    assert [facet["key"] for facet in shown["filters"]] == list(maps_payload.FACETS)
    for facet in shown["filters"]:
        offered = {value for value, _ in facet["options"]}
        assert offered == {value for one in entities for value in one["tags"].get(facet["key"], [])}
        for one in entities:
            cell = rows.loc[one["id"], maps_payload.FACETS[facet["key"]]]
            assert one["tags"].get(facet["key"], []) == (cell.split(";") if cell else [])


@pytest.mark.slow
def test_the_matrix_and_the_county_shades_leave_out_nobody_silently():
    shown, rows = maps_payload.payload(Layers(), "zh"), Layers().read("chain")
    matrix = shown["matrix"]
    whole = [cells for row, cells in zip(matrix["rows"], matrix["cells"], strict=True) if not row["segment"]]
    assert sorted(one for cells in whole for cell in cells for one in cell) == sorted(rows["id"]), "each counts once"
    drawn = [layer for layer in shown["layers"] if layer["kind"] == "point"]
    features = [f["p"] for layer in (*drawn, *shown["unplaced"]) for f in layer["features"]]
    known = {one["id"]: one["tags"] for one in features if "tags" in one}
    for row, cells in zip(matrix["rows"], matrix["cells"], strict=True):
        for city, cell in zip(matrix["cities"], cells, strict=True):
            for one in cell if city["key"] else ():
                assert known[one]["city"] == [city["key"]]
                assert known[one]["stage"] == [row["stage"]]
                assert not row["segment"] or row["segment"] in known[one]["segment"]
    assert all(row["link"] in links() for row in matrix["rows"] if row["link"]), "a gap leads to a link of the chain"
    shades = layer_of(shown, "chain_counties")
    inside = [one for county in shades["features"] for one in county["ids"]]
    assert len(inside) == len(set(inside))
    assert re.findall(r"\d+", shades["note"])[1] == str(len(rows) - len(inside))
    assert "matrix" not in maps_payload.payload(run(), "zh")


def test_base_maps_are_the_declared_ones_and_the_house_s_own(monkeypatch, tmp_path):
    declared = [one["id"] for one in maps_payload.basemaps("zh")]
    assert declared == list(toml.table("basemaps"))
    template = "https://tiles.example.org/{z}/{x}/{y}.png"
    monkeypatch.setenv(maps_payload.BASEMAPS, template)
    assert maps_payload.basemaps("en")[0]["urls"] == [template]
    own = '[house]\nname = {zh = "内网", en = "house"}\nurls = ["x"]\nsystem = "gcj02"\n'
    own += 'attribution = {zh = "a", en = "b"}\n'
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")
    monkeypatch.setenv(maps_payload.BASEMAPS, str(tmp_path / "own.toml"))
    assert [one["id"] for one in maps_payload.basemaps("en")] == ["house", *declared]
    (tmp_path / "own.toml").write_text('[house]\nsystem = "bd09"\n', encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        maps_payload.basemaps("en")
    codes = [fault.code for fault in refusal.value.faults]
    assert codes == ["maps.basemap_lacks"] * 2 + ["maps.basemap_system", "maps.basemap_lacks"]


@pytest.mark.slow
def test_the_map_of_a_plan_opens_on_the_plan():
    for scenario in ("default", "cautious"):
        result = run(scenario)
        (south, west), (north, east) = maps_payload.payload(result, "zh")["bounds"]
        used = result.sites[result.sites["id"].isin(tables.assignment(result)["site"])].geometry
        for place in [result.anchor.geometry, *used]:
            assert west <= place.x <= east
            assert south <= place.y <= north
    assert maps_payload.payload(Layers(), "zh")["bounds"] == maps_payload.EAST


def test_the_plan_stands_first_in_the_legend_of_its_map(plan, language):
    assert plan["pinned"] == words.WORDS[language]["plan"]
    pinned = {layer["key"] for layer in plan["layers"] if layer["group"] == plan["pinned"]}
    assert pinned == {"flows", "routes"}
    assert not maps_payload.payload(Layers(), language)["pinned"]


def test_an_exported_page_has_no_tile_server(plan):
    assert "basemaps" not in plan
    assert "tianditu.gov" not in maps_page.standalone(plan)


def test_a_plan_of_the_sample_says_so_on_the_map(plan, language):
    word = {"zh": "示例", "en": "sample"}[language]
    assert plan["title"]["sample"] == word
    assert {flow["p"]["sample"] for flow in layer_of(plan, "flows")["features"]} == {word}


def test_sites_say_what_they_take(plan):
    taken = tables.assignment(run())["site"].value_counts()
    features = [feature for key in ("sites", "factories") for feature in layer_of(plan, key)["features"]]
    marks = {feature["p"]["title"]: feature["p"]["mark"] for feature in features}
    sites = Layers().read("sites")
    names = sites["name_zh" if plan["lang"] == "zh-CN" else "name_en"]
    assert marks == {name: str(taken.get(site, "")) for site, name in zip(sites["id"], names, strict=True)}


def test_standard_factories_are_squares_beside_their_zone(plan, language):
    factories, sites = layer_of(plan, "factories"), Layers().read("sites")
    assert factories["shape"] == "square"
    assert factories["color"] != layer_of(plan, "sites")["color"]
    assert factories["name"] == layer_words("site_class")["standard_factory"][language]
    assert len(factories["features"]) == (sites["site_class"] == "standard_factory").sum() > 0


def test_both_languages_have_the_same_words():
    assert set(words.WORDS["zh"]) == set(words.WORDS["en"])
    fields = re.compile(r"{(\w+)")
    for key, text in words.WORDS["zh"].items():
        assert fields.findall(text) == fields.findall(words.WORDS["en"][key]), key
    assert not [text for text in words.WORDS["en"].values() if re.search("[\u3000-\u9fff\uff00-\uffef]", text)]


def test_every_word_is_used():
    parts = (maps_payload, ground, words)
    source = "".join(maps_payload.Path(part.__file__).read_text(encoding="utf-8") for part in parts)
    for key in words.WORDS["zh"]:
        assert len(re.findall(f'"{key}"', source)) > 2 or f"['{key}']" in source, f"WORDS[...]['{key}'] is never shown"
    script = "".join((maps_page.ASSETS / name).read_text(encoding="utf-8") for name in maps_page.SCRIPTS)
    spoken = set(re.findall(r"\bwords\.(\w+)", script))
    assert spoken | {"how_distance", "how_polygon", "how_rectangle", "how_circle", "distance", "polygon"} | {
        "rectangle",
        "circle",
    } == set(words.SPOKEN)


def test_attribution_names_who_each_shown_layer_is_owed_to(plan, language):
    shown = {layer["key"] for layer in plan["layers"]} | {"chain"}
    for name in shown & set(Layers().registry):
        assert getattr(Layers().registry[name], f"attribution_{language}") in plan["attribution"], name


# ---- the page -----------------------------------------------------------------------------------------------


def test_the_page_fetches_nothing(plan):
    html = maps_page.standalone(plan)
    page = Page(html)
    for tag, attributes in page.tags:
        for name in ("src", "href", "data", "action", "poster", "srcset"):
            assert not attributes.get(name), f"<{tag} {name}={attributes.get(name)!r}>"
    styles = re.findall(r"<style>(.*?)</style>", html, flags=re.DOTALL)
    for style in styles:
        assert "@import" not in style
        assert set(re.findall(r"url\(\s*['\"]?(\w+:|#|[^)]{0,20})", style)) <= {"data:", "#"}
    for name in ("leaflet.js", *maps_page.SCRIPTS):
        folder = maps_page.ASSETS if name in maps_page.SCRIPTS else maps_page.leaflet_file(name).parent
        assert (folder / name).read_text(encoding="utf-8").strip() in html, name
    assert html.count("geoClusterMap(map_") == 1


def test_the_page_has_one_title_and_is_utf8(plan):
    page = Page(maps_page.standalone(plan))
    assert [tag for tag, _ in page.tags].count("title") == 1
    charsets = [attributes for tag, attributes in page.tags if tag == "meta" and "charset" in str(attributes).lower()]
    assert charsets
    assert "utf-8" in str(charsets).lower()


@pytest.fixture
def hostile(tmp_path):
    """A study whose names all try to break out of the page."""

    def spoilt(frame):
        for column in ("name_zh", "name_en", "source", "confidence", "products_zh", "industries_zh"):
            if column in frame:
                frame[column] = [HOSTILE[i % len(HOSTILE)] for i in range(len(frame))]
        return frame

    path = write_own(tmp_path)
    names = json.dumps(HOSTILE[0] + HOSTILE[1] + HOSTILE[4])
    text = path.read_text(encoding="utf-8").replace('zh = "我的", en = "Mine"', f"zh = {names}, en = {names}")
    path.write_text(text, encoding="utf-8")
    shipped = Layers()
    return study.run(catalog.scenario(path), {name: spoilt(shipped.read(name)) for name in shipped.registry})


@pytest.mark.slow
def test_names_cannot_break_out_of_the_page(hostile, plan, language):
    spoilt, usual = (
        Page(maps_page.standalone(maps_payload.payload(hostile, language))),
        Page(maps_page.standalone(plan)),
    )
    assert [tag for tag, _ in spoilt.tags] == [tag for tag, _ in usual.tags], "a name became an element"
    assert len(spoilt.scripts) == len(usual.scripts)
    handed = re.search(r"geoClusterMap\(\w+, (.*)\);", spoilt.scripts[-1])
    payload, _ = json.JSONDecoder().raw_decode(handed[1])
    titles = {
        feature["p"]["title"]
        for layer in payload["layers"]
        if layer["kind"] == "point"
        for feature in layer["features"]
    }
    assert titles <= set(HOSTILE)
    assert len(titles) > 3, "names arrive as they are"


def test_the_script_never_writes_markup():
    files = sorted(maps_page.ASSETS.glob("*.js"))
    assert [path.name for path in files] == sorted((*maps_page.SCRIPTS, "surface.js")), "the surface is of 找地 alone"
    script = "".join(path.read_text(encoding="utf-8") for path in files)
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|addAttribution|eval\(", script)
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", script)


@pytest.mark.slow
def test_an_own_site_has_its_marker_and_its_place_in_the_briefing_sheet(tmp_path):
    own.register(tmp_path / "own", sites=own.sites())
    file = own.scenario(tmp_path / "s.toml", f'sites = ["{own.SITE}", "E01"]')
    scenario, projects = read_scenario(file)
    assert scenario.sites == (own.SITE, "E01"), "reading knows the sites that running does"
    result = study.run(scenario, projects=projects)
    assert own.SITE in set(tables.assignment(result)["site"])
    shown = {layer["key"]: layer for layer in maps_payload.payload(result, "zh")["layers"]}
    marker = next(one["p"] for one in shown["sites"]["features"] if one["p"]["id"] == own.SITE)
    assert marker["title"] == "自有园区"
    assert int(marker["mark"]) == (tables.assignment(result)["site"] == own.SITE).sum()
    assert "自有园区" in sheet(result)
    alone = {layer["key"]: layer for layer in maps_payload.payload(Layers(tmp_path / "own"), "zh")["layers"]}
    assert own.SITE in {one["p"]["id"] for one in alone["sites"]["features"]}
    assert own.SITE not in {
        one["p"]["id"]
        for layer in maps_payload.payload(Layers(), "zh")["layers"]
        if layer["key"] == "sites"
        for one in layer["features"]
    }
