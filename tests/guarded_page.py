"""For `tests/test_web.py`, a page behind the app's server: says who is there, and has downloads and an upload."""

import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # streamlit runs this file as a script

from app import cached, signin
from app.web.tickets import ticketed
from geo_cluster.errors import InputError


@st.cache_resource(show_spinner=False)
def filled() -> None:
    """Says in the log that the caches were empty."""
    print("filled once", flush=True)


filled()
try:
    person = signin.person()
except InputError:
    st.text("closed")
    st.stop()
st.text(f"{person.name} {person.role}" if person else "nobody")
if person:
    source = cached.map_source({"map of": person.name})
    st.session_state["map"] = source.file
    st.text(ticketed(source.address))
    st.download_button("now", f"for {person.name}", "own.txt", "text/plain")
    st.download_button("later", lambda: f"made for {person.name}", "made.txt", "text/plain", on_click="ignore")
    st.file_uploader("up", key="up")
