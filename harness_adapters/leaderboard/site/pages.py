"""What all pages of a site share: templates, style, script, policy, title and address."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from harness_adapters.collapse.report.wording import count, line
from harness_adapters.leaderboard.site.wording import safe_link
from harness_adapters.pages.page import dress, environment


class SitePages:
    """Makes the pages of one site.

    Args:
        title: of the site.
        url: where it will be published, if that is known.
    """

    def __init__(self, title: str, url: str | None) -> None:
        self._templates = environment(__package__)
        self._templates.filters.update(
            {
                "line": line,
                "named": _named,
                "parted": _parted,
                "count": count,
                "safe_link": safe_link,
            }
        )
        self._dress = dress(__package__, "site.css", "site.js")
        self._title = _named(title)
        self._url = url

    def render(self, template: str, *, root: str, **content: Any) -> str:  # any: for the template
        """One page.

        Args:
            template: name of its file.
            root: the way from the page to the folder of the site, with a slash at its end.
            content: what the template shows.
        """
        return self._templates.get_template(template).render(
            dress=self._dress, site=self._title, url=self._url, root=root, **content
        )


def _named(text: str) -> str:
    """A name that can be seen, and clicked on."""
    return line(text) or "(blank)"


def _parted(text: str) -> Markup:
    """A model's name that a line may end in after a slash, rather than within a word."""
    return Markup("/<wbr>").join(escape(part) for part in _named(text).split("/"))
