"""The app behind a real nginx, set up by `deploy/nginx.conf`: TLS, a path, signing in, maps, files both ways."""

import datetime
import os
import shutil
import subprocess

import httpx
import pytest
import tomli_w
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import expect

from app.texts import text
from tests.browser.conftest import _free_port
from tests.browser.pages import PAGES, go, settled
from tests.browser.painted import LAPTOP
from tests.browser.test_signin import COOKIE_SECRET, LI, PEOPLE, sign_in, title
from tests.browser.test_visit import the_map
from tests.browser.test_workspace import app, drawn
from tests.fake_oidc import CLIENT_ID, CLIENT_SECRET, fake_oidc
from tests.test_package import ROOT

FRAME = """
{user}
daemon off;
pid {place}/nginx.pid;
error_log {place}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    {ours}
}}
"""
"""What Debian's own nginx.conf has around ours."""


def certificate(place):
    """A self-made certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]),
        datetime.datetime.now(datetime.UTC),
    )
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (place / "siting.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    (place / "siting.key").write_bytes(key.private_bytes(pem, *plain))


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    """The app below /siting, as people reach it: its address by https."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if nginx is None:
        pytest.fail("no nginx on the PATH: install it, e.g. apt-get install nginx-light")
    place, ports = tmp_path_factory.mktemp("proxied"), {port: _free_port() for port in ("8501", "443", "80")}
    certificate(place)
    ours = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for what, here in (
        ("127.0.0.1:8501", f"127.0.0.1:{ports['8501']}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{ports['443']} ssl"),
        ("listen 80", f"listen 127.0.0.1:{ports['80']}"),
        ("/etc/ssl/certs", str(place)),
        ("/etc/ssl/private", str(place)),
    ):
        assert what in ours
        ours = ours.replace(what, here)
    conf = place / "nginx.conf"
    user = "user root;" if os.name == "posix" and os.geteuid() == 0 else ""
    conf.write_text(FRAME.format(place=place, ours=ours, user=user), encoding="utf-8")
    url = f"https://localhost:{ports['443']}/siting"
    with fake_oidc(PEOPLE) as provider:
        auth = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "server_metadata_url": provider.metadata_url}
        auth |= {"redirect_uri": f"{url}/oauth2callback", "cookie_secret": COOKIE_SECRET}
        (place / ".streamlit").mkdir()
        secrets = {"auth": auth, "roles": {"planner": [LI.name]}}
        (place / ".streamlit" / "secrets.toml").write_text(tomli_w.dumps(secrets), encoding="utf-8")
        with app(place, ports["8501"], prefix="/siting"):
            told = place / "nginx.log"
            with told.open("wb") as log:
                proxy = subprocess.Popen([nginx, "-p", str(place), "-c", str(conf)], stdout=log, stderr=log)
            try:
                yield url, place
            finally:
                proxy.terminate()
                proxy.wait(20)
    assert "emerg" not in told.read_text(encoding="utf-8")


def test_all_of_it_behind_a_proxy_with_tls_and_a_path(visit, proxied, tmp_path):
    url, _ = proxied
    page = visit(f"{url}/supply", LAPTOP, ignore_https_errors=True, accept_downloads=True)
    title(page, "signin.title")
    sign_in(page, "li")
    expect(page.get_by_role("heading", name=text("supply.title", "zh"), exact=True)).to_be_visible()
    assert page.url.startswith(f"{url}/supply")
    kept = {one["name"]: one for one in page.context.cookies()}
    assert {"_streamlit_user", "_streamlit_xsrf", "geo_cluster_visitor"} <= kept.keys()
    for name, cookie in kept.items():
        assert cookie["secure"], name
        assert cookie["sameSite"] == "Lax", name
        assert cookie["httpOnly"] == (name != "_streamlit_xsrf"), name
    for name in PAGES:
        go(page, name, "zh", LAPTOP)
        settled(page)
    go(page, "explore", "zh", LAPTOP)
    the_map(page)
    go(page, "data", "zh", LAPTOP)
    page.get_by_role("tab", name=text("data.tab.import", "zh")).click()
    bad = tmp_path / "bad.csv"
    bad.write_text("对象,指标,最可能,单位,依据,来源\nH99,可供工业用地,about,斤,听说,x\n", encoding="utf-8")
    page.locator("input[type=file]").set_input_files(bad)
    expect(page.get_by_text(text("data.import.faults", "zh", count=4))).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=text("data.import.save_faults", "zh")).click()
    assert waiting.value.path().stat().st_size > 100
    go(page, "match", "zh", LAPTOP)
    page.get_by_role("button", name=text("match.run", "zh"), exact=True).click()
    drawn(page)
    shown = next(frame for frame in page.frames if "streamlit_folium" in frame.url)
    payload = shown.evaluate(
        "performance.getEntriesByType('resource').map(one => one.name).find(one => one.includes('for='))"
    )
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    with httpx.Client(verify=False) as client:
        assert client.get(payload, headers={"Cookie": cookies}).status_code == 200
        assert client.get(payload).status_code == 404
        page.get_by_role("button", name=text("signin.leave", "zh")).click()
        title(page, "signin.title")
        assert client.get(payload, headers={"Cookie": cookies}).status_code == 404, "a copied cookie, after signing out"


def test_the_proxy_passes_on_no_other_name_and_nothing_that_is_closed(proxied):
    url, _ = proxied
    with httpx.Client(verify=False) as client:
        assert client.get(f"{url}/").status_code == 200
        assert client.get(url).headers["location"] == f"{url}/"
        assert client.get(f"{url}/", headers={"Host": "evil.example"}).status_code == 421
        assert client.get(f"{url}/_stcore/metrics").status_code == 404
        assert "max-age" in client.get(f"{url}/").headers["strict-transport-security"]
