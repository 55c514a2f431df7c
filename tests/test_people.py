"""Who one is: claims of every kind that don't confirm an address, and names that try to be another's."""

import pytest

from geo_cluster.errors import InputError, Refused
from geo_cluster.workspace import database
from geo_cluster.workspace.repository import Work, Workspace
from geo_cluster.workspace.roles import LOCAL, Person, check_rules, check_secrets, person_of, role_of
from geo_cluster.world import catalog
from tests.refusals import refusal_of

ISSUER = "https://login.example"
CLAIMS = {"iss": ISSUER, "sub": "42", "provider": "default", "email": "wu@plan.example"}
RULES = {"planner": ["*@plan.example"], "admin": ["wu@plan.example", "kings", "主任"]}
WU, SUBJECT = Person("wu@plan.example", "admin"), Person(f"{ISSUER}|42")


def who(trust=False, **claims):
    return person_of(CLAIMS | claims, {"": {"trust_email": trust}}, RULES)


def test_an_address_that_was_confirmed_is_a_person():
    assert who(email_verified=True) == WU
    assert who(email_verified=True, email="WU@Plan.Example") == WU


@pytest.mark.parametrize(
    "told",
    ["true", "false", "True", 1, 0, 1.0, None, [True], {"a": True}, [], "", False],
    ids=repr,
)
def test_confirmed_is_true_and_nothing_that_looks_like_it(told):
    assert who(email_verified=told) == SUBJECT
    assert who(trust=True, email_verified=told) == SUBJECT, "a provider that says it is believed, whatever is trusted"


def test_an_address_of_which_nothing_is_said_counts_where_the_owner_trusts_the_provider():
    assert who() == SUBJECT
    assert who(trust=True) == WU
    for trust in ("true", 1, [True]):
        assert who(trust=trust) == SUBJECT


@pytest.mark.parametrize(
    "email",
    [
        ["wu@plan.example"],
        {"wu@plan.example": True},
        7,
        "",
        " ",
        "wu",
        "wu@",
        "@plan.example",
        "wu@plan.example ",
        " wu@plan.example",
        "wu@plan.example\n",
        "wu@plan.example\x00",
        "wu@plan.example,x@evil.example",
        "wu@plan.example@evil.example",
        "<wu@plan.example>",
        "w\u200bu@plan.example",
        "wu@p\u0131an.example",
        "wu@plan.e\u212aample",
        "ｗｕ@plan.example",
        "wu@plan。example",
        "w\u00fc@plan.example",
        "local@",
        "a|b@plan.example",
        "x" * 65 + "@plan.example",
        "*@plan.example",
    ],
    ids=repr,
)
def test_what_is_no_plain_address_names_nobody_by_it(email):
    assert who(email=email, email_verified=True) == SUBJECT


@pytest.mark.parametrize("subject", ["", " ", None, 42, 4.2, True, ["42"], {"a": "42"}], ids=repr)
def test_claims_without_a_subject_name_nobody(subject):
    with refusal_of("workspace.no_claims", error=InputError):
        who(sub=subject)


@pytest.mark.parametrize("issuer", ["", " ", None, 42, [ISSUER]], ids=repr)
def test_claims_without_an_issuer_name_nobody(issuer):
    with refusal_of("workspace.no_claims", error=InputError):
        who(iss=issuer)


@pytest.mark.parametrize(
    "subject",
    ["wu@plan.example", "local", "LOCAL", "*@plan.example", "|", "a|b", " 42", "4\n2", "4\u200b2", "x" * 500, "\ud800"],
    ids=ascii,
)
def test_no_subject_passes_for_an_address_or_the_local_person(subject):
    person = who(sub=subject)
    assert person.name not in (WU.name, LOCAL.name, subject)
    assert "|" in person.name
    assert person.role == "viewer"
    assert len(person.name) <= 200
    assert person.name.isprintable()


def test_no_two_subjects_have_one_name():
    subjects = ["42", "42 ", " 42", "4\n2", "4 2", "4\x002", "x" * 300, "x" * 301, "X" * 300, "a|b"]
    names = [who(sub=subject).name for subject in subjects]
    names += [who(iss=issuer).name for issuer in ("https://other.example", ISSUER + "/", ISSUER + "|4")]
    names += [who(iss=f"{ISSUER}|a", sub="b").name]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "groups",
    ["kings", {"kings": True}, [["kings"]], [{"a": "kings"}], ["wu@plan.example"], ["*@plan.example"], [7, None, True],
     ["\u212aings"], [" kings"], ["kings\n"], [""], None, 7],
    ids=repr,
)  # fmt: skip
def test_groups_that_are_none_give_no_role(groups):
    assert who(groups=groups) == SUBJECT


def test_groups_give_roles_by_name_whatever_their_case():
    assert who(groups=["Kings", 7]).role == "admin"
    assert who(groups=["主任"]).role == "admin"


def test_a_provider_that_is_no_longer_named_lets_nobody_in():
    assert who(email_verified=True, provider="okta") is None
    assert who(email_verified=True, provider=None) is None
    assert person_of(CLAIMS | {"provider": "okta", "email_verified": True}, {"okta": {}, "gitlab": {}}, RULES) == WU
    assert person_of(CLAIMS | {"provider": "default", "email_verified": True}, {"okta": {}}, RULES) is None


def test_the_kelvin_sign_is_no_k():
    assert role_of("\u212aing@plan.example", [], {"admin": ["king@plan.example"]}) == "viewer"
    assert role_of("king@plan.example", [], {"admin": ["King@Plan.Example"]}) == "admin"


def test_a_work_is_not_opened_by_who_was_not_confirmed_or_calls_himself_so(tmp_path):
    engine = database.connect(str(tmp_path / "kept.sqlite"))
    work = Work(catalog.scenario())
    owned = {person.name: Workspace(engine, person).create(work, note="new").id for person in (WU, LOCAL)}
    thieves = [
        {"email_verified": False},
        {"email_verified": "true"},
        {"sub": "wu@plan.example", "email_verified": 0},
        {"sub": "local", "email": None},
        {"sub": "local\x00", "email": None},
        {"email": "local", "email_verified": True},
        {"email": "wu@plan.example\x00", "email_verified": True},
        {"email": "wu@plan.example" + "x" * 300, "email_verified": True},
    ]
    for claims in thieves:
        for id_ in owned.values():
            with pytest.raises(Refused):
                Workspace(engine, who(**claims)).open(id_)
    assert Workspace(engine, who(email_verified=True)).open(owned[WU.name]).owner == WU.name
    engine.dispose()


AUTH = {
    "redirect_uri": "https://siting.example/oauth2callback",
    "cookie_secret": "k" * 32,
    "client_id": "a",
    "client_secret": "geheim",
    "server_metadata_url": "https://login.example/.well-known/openid-configuration",
}


@pytest.mark.parametrize(
    ("secrets", "named"),
    [
        ({"Auth": AUTH}, "[Auth]"),
        ({"AUTH": AUTH}, "[AUTH]"),
        ({"oauth": AUTH}, "[oauth]"),
        ({"authentication": AUTH}, "[authentication]"),
        ({"atuh": AUTH}, "[atuh]"),
        ({"auth ": AUTH}, "[auth ]"),
        ({"roles": RULES}, "[roles]"),
        ({"auth": AUTH, "ROLES": RULES}, "[ROLES]"),
        ({"auth": AUTH, "role": RULES}, "[role]"),
        ({"auth": AUTH, "rolls": RULES}, "[rolls]"),
        ({"auth": AUTH, "user_roles": RULES}, "[user_roles]"),
        ({"auth": [AUTH]}, "[auth]"),
        ({"auth": AUTH | {"redirect_url": "x"}}, "redirect_url"),
        ({"auth": AUTH | {"Cookie_Secret": "x"}}, "Cookie_Secret"),
        ({"auth": AUTH | {"roles": RULES}}, "[auth.roles]"),
        ({"auth": AUTH | {"expose_tokens": ["id"]}}, "expose_tokens"),
        ({"auth": AUTH | {"trust_email": "true"}}, "trust_email"),
        ({"auth": AUTH | {"trust_mail": True}}, "trust_mail"),
        ({"auth": AUTH | {"client_kwargs": "login"}}, "client_kwargs"),
        ({"auth": AUTH, "roles": {"admin": [7]}}, "admin"),
        ({"auth": AUTH, "roles": {"admin": [" wu@plan.example"]}}, "admin"),
        ({"auth": AUTH, "roles": {"admin": ["*"]}}, "admin"),
        ({"auth": AUTH, "roles": {"admin": ["*@*"]}}, "admin"),
        ({"auth": AUTH, "roles": {"admin": [""]}}, "admin"),
        ({"auth": AUTH, "roles": {"admin": ["wü@plan.example"]}}, "admin"),
    ],
    ids=repr,
)
def test_sections_and_settings_that_only_look_right_are_refused(secrets, named):
    with pytest.raises(InputError) as refusal:
        check_secrets(secrets)
    assert any(named in fault.where for fault in refusal.value.faults)
    assert "geheim" not in str(refusal.value)


def test_secrets_that_will_do():
    assert check_secrets({}) == (None, {})
    assert check_secrets({"connections": {"x": 1}, "openai_key": "y"}) == (None, {})
    assert check_secrets({"auth": AUTH | {"trust_email": True}, "roles": RULES}) == (
        AUTH | {"trust_email": True},
        RULES,
    )
    shared = {key: AUTH[key] for key in ("redirect_uri", "cookie_secret")}
    own = {key: value for key, value in AUTH.items() if key not in shared} | {"client_kwargs": {"prompt": "login"}}
    auth, _ = check_secrets({"auth": shared | {"okta": own | {"trust_email": False}}})
    assert auth["okta"]["client_kwargs"] == {"prompt": "login"}
    assert check_rules({"viewer": [], "admin": ["*@plan.example", "/组/主任", "WU@PLAN.EXAMPLE"]})
