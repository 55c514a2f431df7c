"""Cities and sites as people write them in a ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from geo_cluster.domain import Language, Text
from geo_cluster.world.layers import Layers
from geo_cluster.world.sheets.words import plain

_ENDS = ("市", "州", "林区", "土家族苗族自治州", "地区")


@dataclass(frozen=True)
class Places:
    """What cities and sites there are.

    Attributes
    ----------
    cities : mapping of Text
        Code -> name.
    sites : mapping of Text
        Id -> name.
    city_of : mapping of str
        Site -> code of its prefecture.
    points : mapping of (float, float)
        Site or code -> longitude and latitude of its point; of a prefecture a point within it.
    """

    cities: Mapping[str, Text]
    sites: Mapping[str, Text]
    city_of: Mapping[str, str]
    points: Mapping[str, tuple[float, float]]

    def city(self, text: str) -> str:
        """Code of a city by its code, its name or what it is called for short, or of an address in it; '' for none."""
        said = plain(text)
        return _found(self.cities, said, short=True) or next(
            (key for key, name in self.cities.items() if said.startswith(tuple(_called(name.zh)))), ""
        )

    def site(self, text: str) -> str:
        """Id of a site by its id or name; '' for none."""
        return _found(self.sites, text, short=False)

    def city_name(self, code: str, language: Language) -> str:
        """Name of a city; the code where it is not one of ours."""
        return self.cities[code][language] if code in self.cities else code

    def site_name(self, id_: str, language: Language) -> str:
        """Name of a site; the id where it is not one of ours."""
        return self.sites[id_][language] if id_ in self.sites else id_


def _found(names: Mapping[str, Text], text: str, *, short: bool) -> str:
    said = plain(text).lower()
    for key, name in names.items():
        spoken = {key.lower(), plain(name.zh).lower(), plain(name.en).lower()}
        if short:
            spoken |= _called(name.zh)
        if said in spoken:
            return key
    return ""


def _called(name: str) -> set[str]:
    """What a city is called, in full and for short."""
    return {name.removesuffix(end) for end in ("", *_ENDS)}


def places(layers: Layers) -> Places:
    """Cities and sites of the layers."""
    cities, sites = layers.read("prefectures"), layers.read("sites")
    points = {one.id: (one.geometry.x, one.geometry.y) for one in sites[sites.geometry.notna()].itertuples()}
    for one in cities.itertuples():
        inside = one.geometry.representative_point()
        points[one.code] = inside.x, inside.y
    of_county = sites["county_code"].fillna("").astype(str).str[:4] + "00"
    own = sites["prefecture_code"].fillna("").astype(str)
    return Places(
        {one.code: Text(zh=one.name_zh, en=one.name_en) for one in cities.itertuples()},
        {one.id: Text(zh=one.name_zh, en=one.name_en) for one in sites.itertuples()},
        dict(zip(sites["id"], own.where(own != "", of_county), strict=True)),
        points,
    )
