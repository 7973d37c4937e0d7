"""Characters that a reader does not see, or that turn the order of what they see, made visible.

An output may hide text from a judge, or show it another text than it holds. A judge is shown
`⟨U+202E⟩` in the place of such a character.
"""

from __future__ import annotations

import re

_UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and line feed
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # format characters, line separators
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef\ufe00-\ufe0d"  # tags, variation selectors
    "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters and signs that are blank
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"  # what is no character
)
_JOINERS = "(?<=[\x00-\x7f\u200c\u200d])[\u200c\u200d]|[\u200c\u200d](?=[\x00-\x7f])"
"""Zero-width joiners are how some scripts and emojis are written, one at a time; in others, and in
rows, they hide something."""

_SELECTORS = "\u034f\u180b-\u180d\u180f\ufe0e\ufe0f"
_SHAPES = f"(?<=[\x00-\x7f{_SELECTORS}])[{_SELECTORS}](?!\u20e3)"
"""So do selectors of a shape, of which ASCII has none but for the digits on keycaps."""

_HIDDEN = re.compile(f"[{_UNSEEN}]|{_JOINERS}|{_SHAPES}")
_MARK = re.compile("⟨U\\+[0-9A-F]{4,6}⟩")
_ANY_HIDDEN = re.compile(f"[{_UNSEEN}{_SELECTORS}\u200c\u200d]")


def visible(text: str) -> str:
    """The text with every hidden character shown by its code point; line ends become one."""
    plain = text.replace("\r\n", "\n")
    if not _ANY_HIDDEN.search(plain):  # as nearly always, and found out much faster
        return plain
    return _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", plain)


def without_hidden(text: str) -> str:
    """The text without hidden characters, and without the marks that `visible` puts for them."""
    unmarked = _MARK.sub("", text) if "⟨" in text else text
    return _ANY_HIDDEN.sub("", unmarked) if _ANY_HIDDEN.search(unmarked) else unmarked
