"""`geo-cluster policy`: what the policy pays, aims at and watches, as commands."""

from __future__ import annotations

import typer

policy = typer.Typer(
    help="推进：政策资金、目标、在推项目、补链。 Policy money, targets, projects under way, chain.", no_args_is_help=True
)
