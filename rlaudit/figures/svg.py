"""A figure as SVG text for the page: no head, names of its own, colours of the page, a sentence for screen readers."""

import io
import re
import warnings
from xml.etree import ElementTree as ET

import matplotlib
from matplotlib.figure import Figure

from rlaudit.figures.style import COLOURS, INK, MUTED, PAPER, RULE, STYLE

_SVG, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_VARIABLES = {
    INK: "ink", MUTED: "muted", RULE: "rule", PAPER: "paper", **{c: f"c{i}" for i, c in enumerate(COLOURS)},
}  # fmt: skip
_FONT = re.compile(r"font: (?:(?P<style>italic|oblique) )?(?:(?P<weight>\d+|bold) )?(?P<size>[\d.]+px)[^;]*")
_FAMILY = re.compile(r"font-family: [^;]*;? ?")
_REFERENCE = re.compile(r"#(?=[A-Za-z_])")
_DECIMALS = re.compile(r"(\d+\.\d{2})\d+")


def to_svg(figure: Figure, name: str, title: str) -> str:
    """The figure as an `<svg>` element, the same to the byte at every run.

    `name` becomes the prefix of all ids (matplotlib calls every first figure `figure_1`); it must be unique on the
    page. `title` is the alternative text: a sentence that carries the numbers of the picture.
    """
    root = ET.fromstring(_drawn(figure))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        _rewrite(element, name)
    _describe(root, name, title)
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _LINK)
    return ET.tostring(root, encoding="unicode")


def _drawn(figure: Figure) -> bytes:
    file = io.BytesIO()
    with matplotlib.rc_context({**STYLE, "svg.fonttype": "none", "svg.hashsalt": "rlaudit"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the browser has the letters that the layout font lacks
        warnings.filterwarnings("ignore", ".*constrained_layout not applied")
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def _rewrite(element: ET.Element, name: str) -> None:
    for key, value in element.attrib.items():
        if key == "id":
            element.set(key, f"{name}-{value}")
        elif key == "style":
            element.set(key, _page_style(value).replace("url(#", f"url(#{name}-"))
        elif key == "d":
            element.set(key, _DECIMALS.sub(r"\1", value))  # a hundredth of a point is enough
        elif "#" in value:
            element.set(key, _REFERENCE.sub(f"#{name}-", value))


def _page_style(style: str) -> str:
    """The page's colours and its font, in the place of ours."""
    for colour, variable in _VARIABLES.items():
        style = style.replace(colour, f"var(--{variable})")
    style = _FAMILY.sub("", style)
    found = _FONT.search(style)
    if not found:
        return style
    weight = f"; font-weight: {found['weight']}" if found["weight"] else ""
    return style[: found.start()] + f"font-size: {found['size']}{weight}" + style[found.end() :]


def _describe(root: ET.Element, name: str, title: str) -> None:
    width = root.get("viewBox", "0 0 1 1").split()[2]
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title")
    root.set("style", f"--w: {float(width):.0f}")
    element = ET.Element(f"{{{_SVG}}}title", {"id": f"{name}-title"})
    element.text = _printable(title)
    root.insert(0, element)


def _printable(text: str) -> str:
    """XML has no place for control characters, and files have them."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
