"""Addresses that only their visitor can use."""

from __future__ import annotations

import hashlib
import hmac
import secrets

import streamlit as st

from app.web.requests import visitor_named

_KEY = secrets.token_bytes(32)


def ticketed(address: str) -> str:
    """An address that only the browser of this visitor can fetch, and only while the same person is signed in."""
    claims = st.user.to_dict() if st.user.get("is_logged_in") else {}
    return ticketed_for(address, visitor_named(st.context.cookies, claims))


def ticketed_for(address: str, visitor: str) -> str:
    """An address that only this visitor can fetch."""
    return f"{address}?for={ticket(address, visitor)}"


def ticket(address: str, visitor: str) -> str:
    """Goes with the last two parts of an address: a page knows no more of it than they are."""
    name = "/".join(address.split("/")[-2:])
    return hmac.new(_KEY, f"{visitor}/{name}".encode(), hashlib.sha256).hexdigest()[:32]
