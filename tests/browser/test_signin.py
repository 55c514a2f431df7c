"""Signing in for real: the app as it is started, set up as the README says, with an identity provider that answers."""

import re
import tomllib
import zipfile

import pytest
import tomli_w
from playwright.sync_api import expect

from app.texts import text
from geo_cluster.errors import Fault, Refused
from geo_cluster.workspace import database
from geo_cluster.workspace.repository import Work, Workspace
from geo_cluster.workspace.roles import Person
from geo_cluster.world import catalog
from tests.browser.conftest import _free_port
from tests.browser.test_workspace import app, choose, level
from tests.fake_oidc import CLIENT_ID, CLIENT_SECRET, fake_oidc
from tests.test_package import ROOT

COOKIE_SECRET = "cookie-secret-that-nobody-may-see-either"
LI, GUEST = Person("li@plan.example", "planner"), Person("guest@elsewhere.example")
PEOPLE = {
    "guest": {"email": GUEST.name, "email_verified": True},
    "li": {"email": LI.name, "email_verified": True},
    "chief": {"email": "chief@elsewhere.example", "groups": ["siting-admins"]},
}
NAME = "别人不该看到的方案"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("signed-in")


@pytest.fixture(scope="module")
def provider():
    with fake_oidc(PEOPLE) as oidc:
        yield oidc


@pytest.fixture(scope="module")
def running(place, provider):
    """The app with the README's `secrets.toml`, its values replaced by those of the provider."""
    port = _free_port()
    (sample,) = re.findall(r"```toml\n(\[auth\].*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    told = tomllib.loads(sample)
    given = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "server_metadata_url": provider.metadata_url}
    given |= {"redirect_uri": f"http://localhost:{port}/oauth2callback", "cookie_secret": COOKIE_SECRET}
    assert set(told["auth"]) == set(given)
    (place / ".streamlit").mkdir()
    (place / ".streamlit" / "secrets.toml").write_text(tomli_w.dumps(told | {"auth": given}), encoding="utf-8")
    with app(place, port):
        yield f"http://localhost:{port}"
    log = (place / f"log-{port}.txt").read_text(encoding="utf-8", errors="replace")
    assert CLIENT_SECRET not in log
    assert COOKIE_SECRET not in log


@pytest.fixture(scope="module")
def kept(place, running):
    """What the planner Li keeps: each test has a work of its own, with one change that can be undone."""
    engine = database.connect(str(place / "workspace.sqlite"))
    yield Workspace(engine, LI)
    engine.dispose()


def one_change(kept, *, shared, name=NAME):
    id_ = kept.create(Work(catalog.scenario()).named(name), note="new").id
    kept.save(id_, Work(catalog.scenario("cautious")).named(name), seen=1, note="cautious")
    kept.share(id_, shared)
    return id_


@pytest.fixture
def heard(visit):
    """Open an address and keep all that the server says to the page; no secret is ever among it."""
    said, pages = [], []

    def listen(url):
        page = visit("data:text/html,")
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: said.append(_bytes(frame))))
        page.goto(url)
        pages.append(page)
        return page

    listen.said = said
    yield listen
    assert said
    told = b"".join([*said, *(page.content().encode() for page in pages)])
    assert CLIENT_SECRET.encode() not in told
    assert COOKIE_SECRET.encode() not in told


def _bytes(told):
    return told if isinstance(told, bytes) else told.encode()


def sign_in(page, name, language="zh"):
    page.get_by_role("button", name=text("signin.go", language), exact=True).click()
    page.get_by_role("link", name=name, exact=True).click()


def title(page, key):
    expect(page.get_by_role("heading", level=1)).to_have_text(text(key, "zh"))


def test_whoever_has_not_signed_in_sees_the_way_in_and_no_work(heard, running, kept, provider):
    page = heard(f"{running}/match?work={one_change(kept, shared=True)}")
    title(page, "signin.title")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name=text("match", "zh"))).to_have_count(0)
    provider.is_down = True
    page.get_by_role("button", name=text("signin.go", "zh"), exact=True).click()
    told = page.get_by_role("alert")
    expect(told).to_contain_text(provider.metadata_url.partition(":")[2])
    expect(told).to_contain_text(Fault("app.provider_silent", "", reason="").words("zh").remedy)
    provider.is_down = False
    sign_in(page, "nobody")
    title(page, "signin.title")
    expect(page.get_by_text(text("signin.again", "zh"))).to_be_visible()
    assert NAME not in page.content()
    assert NAME.encode() not in b"".join(heard.said)


def test_a_viewer_looks_and_saves_nothing(heard, running, kept):
    id_ = one_change(kept, shared=True)
    page = heard(f"{running}/match?work={id_}")
    sign_in(page, "guest")
    expect(level(page, "cautious", "zh")).to_be_checked()
    expect(page.locator(".gc-kept")).to_contain_text(text("work.read_only", "zh"))
    expect(page.get_by_role("button", name=text("work.undo", "zh"))).to_be_disabled()
    choose(page, "hopeful")
    expect(level(page, "hopeful", "zh")).to_be_checked()
    page.locator(".st-key-work-menu button").first.click()
    expect(page.get_by_role("combobox", name=text("work.new", "zh"))).to_be_visible()
    expect(page.get_by_role("button", name=text("work.copy", "zh"), exact=True)).to_have_count(0)
    assert kept.head(id_).number == 2


@pytest.mark.parametrize(
    "write",
    [
        lambda space, id_: space.create(Work(catalog.scenario()), note="new"),
        lambda space, id_: space.copy(id_, name="mine", note="copy"),
        lambda space, id_: space.save(id_, Work(catalog.scenario()), seen=2, note="save"),
        lambda space, id_: space.back(id_, 1, seen=2, note="back"),
        lambda space, id_: space.undo(id_, seen=2),
        lambda space, id_: space.share(id_, False),
        lambda space, id_: space.delete(id_),
        lambda space, id_: space.restore(id_),
    ],
)
def test_the_workspace_refuses_what_the_page_of_a_viewer_does_not_offer(kept, write):
    id_ = one_change(kept, shared=True)
    with pytest.raises(Refused, match=r"may not \w+ works \(role viewer\)"):
        write(Workspace(kept.engine, GUEST), id_)
    assert kept.head(id_).number == 2
    assert kept.open(id_).shared


def test_a_planner_saves_and_finds_it_again_until_they_sign_out(heard, running, kept):
    id_ = one_change(kept, shared=False)
    page = heard(f"{running}/match?work={id_}")
    sign_in(page, "li")
    expect(level(page, "cautious", "zh")).to_be_checked()
    choose(page, "hopeful")
    expect(level(page, "hopeful", "zh")).to_be_checked()
    page.reload()
    expect(level(page, "hopeful", "zh")).to_be_checked()
    assert kept.head(id_).number == 3
    assert kept.head(id_).author == LI.name
    page.locator(".st-key-work-menu button").first.click()
    with page.expect_download() as taken:
        page.get_by_role("button", name=text("work.take", "zh"), exact=True).click()
    packed = zipfile.ZipFile(taken.value.path())
    heard.said.extend(packed.read(name) for name in packed.namelist())
    page.keyboard.press("Escape")
    page.get_by_role("button", name=text("signin.leave", "zh")).click()
    title(page, "signin.title")
    page.goto(f"{running}/match?work={id_}")
    title(page, "signin.title")
    assert NAME not in page.content()


def test_an_admin_looks_after_what_is_somebody_elses(heard, running, kept):
    id_ = one_change(kept, shared=False, name="李的方案")
    page = heard(f"{running}/match")
    sign_in(page, "chief")
    page.wait_for_url("**/match*")
    expect(level(page, "likely", "zh")).to_be_checked()
    page.locator(".st-key-work-menu button").first.click()

    def pick(label):
        page.get_by_role("combobox", name=text(label, "zh")).click()
        page.get_by_role("option", name="李的方案").click()

    pick("work.others")
    page.get_by_role("button", name=text("work.share_other", "zh")).click()
    expect(page.get_by_role("button", name=text("work.unshare_other", "zh"))).to_be_visible()
    assert kept.open(id_).shared
    page.get_by_role("button", name=text("work.delete_other", "zh")).click()
    expect(page.get_by_role("combobox", name=text("work.restore", "zh"))).to_be_visible()
    assert id_ not in [one.id for one in kept.works()]
    pick("work.restore")
    expect(level(page, "cautious", "zh")).to_be_checked()
    assert kept.open(id_).shared
