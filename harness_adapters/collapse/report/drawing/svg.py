"""What matplotlib draws, as SVG that may stand in a page under a strict policy.

Style attributes, which such a policy forbids, become attributes of presentation; ids are the
chart's own, so that many charts may stand in one page; scripts, links and metadata cannot occur.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as Xml

_SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}href"
_KEPT = {"svg", "g", "path", "defs", "use", "text", "tspan", "clipPath", "rect", "title", "desc"}
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_ID = re.compile(r"#([\w.-]+)")
_FONT = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', Arial, sans-serif"


def tidy(drawn: str, name: str, title: str, description: str) -> str:
    """The SVG of a chart.

    Args:
        drawn: what matplotlib wrote.
        name: goes before every id.
        title: what it is called by a screen reader.
        description: what it shows.
    """
    root = Xml.fromstring(drawn)  # noqa: S314 (drawn by matplotlib, from text without markup)
    used = {
        found[1]
        for element in root.iter()
        for key, value in element.attrib.items()
        if key == _LINK or "url(" in value
        for found in _ID.finditer(value)
    }
    _tidy_element(root, name, used)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    root.set("font-family", _FONT)
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = Xml.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(place, element)
    Xml.register_namespace("", _SVG)
    return Xml.tostring(root, encoding="unicode")


def with_variables(svg: str, variables: Mapping[str, str]) -> str:
    """The SVG with its colours as CSS variables; a colour name in a text stays."""

    def variable(found: re.Match[str]) -> str:
        name = variables.get(found[2])
        return f'{found[1]}="var({name})"' if name else found[0]

    return re.sub(r'(fill|stroke)="(#[0-9a-f]{6})"', variable, svg)


def standing_alone(svg: str) -> str:
    """The SVG as a file: on white, in its natural size."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert box is not None, "matplotlib always writes one"
    opening, rest = svg.split(">", 1)
    return (
        f'{opening} width="{float(box[1]) * 1.25:g}" height="{float(box[2]) * 1.25:g}">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{rest}\n'
    )


def _tidy_element(element: Xml.Element, name: str, used: set[str]) -> None:
    attributes = dict(element.attrib)
    element.attrib.clear()
    for rule in attributes.pop("style", "").split(";"):
        key, _, value = rule.partition(":")
        if value and key.strip() != "font-family":
            attributes[key.strip()] = value.strip()
    for key, value in attributes.items():
        if key == "id":
            if value in used:
                element.set("id", f"{name}-{value}")
        elif key == _LINK:
            element.set("href", f"#{name}-{value.removeprefix('#')}")
        elif key == "transform" and value.startswith("rotate(-0 "):
            continue
        else:
            short = _NUMBER.sub(lambda found: f"{float(found[0]):.2f}", value)
            element.set(key, _ID.sub(rf"#{name}-\1", short) if "url(" in value else short)
    if "d" in element.attrib:
        element.set("d", " ".join(element.attrib["d"].split()))
    for child in list(element):
        if child.tag.removeprefix(f"{{{_SVG}}}") not in _KEPT:
            element.remove(child)
        else:
            _tidy_element(child, name, used)
    if not element.tag.endswith(("text", "tspan")):
        element.text = None
    element.tail = None
    _unwrap_groups(element)


def _unwrap_groups(element: Xml.Element) -> None:
    """Groups that say nothing are half of what matplotlib writes."""
    children: list[Xml.Element] = []
    for child in list(element):
        bare = child.tag == f"{{{_SVG}}}g" and not child.attrib
        children.extend(list(child) if bare else [child])
        element.remove(child)
    element.extend([child for child in children if len(child) or child.attrib or child.text])
