"""What a browser's window shows, in colours."""

import io

import numpy as np
from PIL import Image

LAPTOP, PHONE = (1440, 900), (390, 844)
"""Widths and heights of windows, pixels."""


class Painted:
    """What a screenshot shows, counted by colours of the palette."""

    def __init__(self, locator):
        self.pixels = np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB")).astype(int)

    def share(self, colour, tolerance=3):
        """Share of pixels within a few steps of a colour such as `#f1ead8`."""
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        return float((np.abs(self.pixels - wanted).max(axis=2) <= tolerance).mean())

    def differs(self, other):
        """Share of pixels that two screenshots of one size do not have in common."""
        return float((np.abs(self.pixels - other.pixels).max(axis=2) > 8).mean())


def on_white(colour, opacity):
    """What a line of a colour looks like on its white casing."""
    return "#" + "".join(f"{round(int(colour[i : i + 2], 16) * opacity + 255 * (1 - opacity)):02x}" for i in (1, 3, 5))
