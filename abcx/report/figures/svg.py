"""Figures as SVG that can stand in a page: no style that leaks, ids of their own, colors as variables of the page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = {
    "ink": "#14202e",
    "soft": "#4b5a6b",
    "line": "#dfe4ea",
    "blue": "#1f57c3",
    "blue-soft": "#dbe4f7",
    "orange": "#b45309",
    "orange-soft": "#f6e3cf",
    "good": "#08734f",
    "bad": "#b42318",
    "band": "#dfe3e9",
}
"""The light palette; in a page each is a variable, which the dark palette changes."""
DARK = {
    "ink": "#e6ebf1",
    "soft": "#a9b5c2",
    "line": "#303b47",
    "blue": "#8ab0ff",
    "blue-soft": "#24344f",
    "orange": "#f2a65a",
    "orange-soft": "#43321f",
    "good": "#56c596",
    "bad": "#ff8a80",
    "band": "#33404d",
}
"""The same for dark paper, in files of their own; pages have it in their style."""
ARMS = ("soft", "blue", "orange", "good", "bad")
"""Colors of the arms, the control first; further ones repeat."""
WIDE, NARROW = (7.6, 3.2), (3.6, 3.2)
"""Inches; at 72 points an inch, text of 11 points is 11 pixels or more wherever the drawing is not shrunk."""
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "abcx",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.edgecolor": COLORS["soft"],
    "axes.labelcolor": COLORS["soft"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
    "text.color": COLORS["ink"],
    "xtick.color": COLORS["soft"],
    "ytick.color": COLORS["soft"],
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.frameon": False,
}
Draw = Callable[["Axes", bool], None]
"""Draws into axes; the flag says that they are narrow."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure that is not drawn yet: `label` says what it shows, `height` is in inches."""

    name: str
    label: str
    draw: Draw
    height: float = WIDE[1]

    def html(self) -> Markup:
        """For a page: a wide and a narrow drawing, of which the page shows one."""
        wide, narrow = (
            self._svg(f"{self.name}-{key}", width, key == "n") for key, width in (("w", WIDE), ("n", NARROW))
        )
        figure = '<figure><div class="wide">{}</div><div class="narrow">{}</div><figcaption>{}</figcaption></figure>'
        return Markup(figure).format(wide, narrow, self.label)

    def file(self) -> str:
        """For a file of its own, with a light and a dark palette."""
        light, dark = (";".join(f"--{key}:{color}" for key, color in colors.items()) for colors in (COLORS, DARK))
        style = f"<style>svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
        text = str(self._svg(self.name, WIDE, False))
        head, _, rest = text.partition(">")
        return f'{head} xmlns="http://www.w3.org/2000/svg" font-family="sans-serif">{style}{rest}\n'

    def _svg(self, name: str, size: tuple[float, float], narrow: bool) -> Markup:
        text = drawn(self.draw, (size[0], self.height), narrow, "svg").decode("utf-8")
        text = text[text.index("<svg") :]
        text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
        text = re.sub(r"<defs>\s*</defs>", "", text)
        text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
        text = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text)
        for variable, color in COLORS.items():
            text = text.replace(color, f"var(--{variable})")
        box = re.search(r'viewBox="[^"]*"', text)
        space = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
        opening = f'<svg {space} {box[0] if box else ""} role="img" aria-label="{escape(self.label)}">'
        return Markup(re.sub(r"^<svg[^>]*>", lambda _: opening, text).strip())


def drawn(draw: Draw, size: tuple[float, float], narrow: bool, format: str) -> bytes:
    """A drawing in a format of matplotlib (svg, png, pdf); the same bytes for the same drawing."""
    import warnings

    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # text stays text: the reader's fonts have the glyph
        canvas = Figure(figsize=size, layout="constrained" if format == "svg" else None)
        draw(canvas.add_subplot(), narrow)
        out = io.BytesIO()
        canvas.savefig(out, format=format, metadata={"Date": None} if format == "svg" else None, dpi=160)
    return out.getvalue()
