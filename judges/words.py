"""English words for the lexical judge: those that say nothing, and what others have in common."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

FUNCTION_WORDS = frozenset(
    "a about after again all also am an and any are as at be because been before being "
    "between both but by can could did do does doing down during each either else every few "
    "for from further get got had has have having he her here hers him his how i if in into "
    "is it its itself just let may me might more most my no nor not now of off on once only "
    "or other our out over own per please said same say she should since so some such than "
    "that the their them then there these they this those though through to too under until "
    "up upon us very via was we were what when where which while who whom whose why will with "
    "within without would yet you your".split()
)

_IRREGULAR = {
    past: verb
    for verb, pasts in (
        pair.split(":")
        for pair in "begin:began,begun bite:bit,bitten break:broke,broken bring:brought "
        "build:built burn:burnt buy:bought catch:caught choose:chose,chosen come:came deal:dealt "
        "draw:drew,drawn drink:drank,drunk drive:drove,driven eat:ate,eaten fall:fell,fallen "
        "feel:felt fight:fought find:found flee:fled fly:flew,flown forbid:forbade,forbidden "
        "forget:forgot,forgotten give:gave,given go:went,gone grow:grew,grown hear:heard "
        "hide:hid,hidden hold:held keep:kept know:knew,known lead:led leave:left lend:lent "
        "lie:lay,lain lose:lost make:made mean:meant meet:met pay:paid ride:rode,ridden "
        "ring:rang,rung run:ran see:saw,seen seek:sought sell:sold send:sent shake:shook,shaken "
        "shoot:shot sing:sang,sung sit:sat sleep:slept speak:spoke,spoken spend:spent "
        "stand:stood steal:stole,stolen stick:stuck strike:struck swear:swore,sworn swim:swam,swum "
        "take:took,taken teach:taught tear:tore,torn tell:told think:thought throw:threw,thrown "
        "understand:understood wake:woke,woken wear:wore,worn win:won withdraw:withdrew,withdrawn "
        "write:wrote,written child:children man:men woman:women foot:feet tooth:teeth "
        "person:people wife:wives life:lives".split()
    )
    for past in pasts.split(",")
}

_SUFFIXES = (
    "isations", "izations", "isation", "ization", "nesses", "ments", "ising", "izing", "ment",
    "ness", "ised", "ized", "ions", "ings", "ing", "ion", "ers", "ors", "als", "ed", "er", "or",
    "es", "ly", "al", "s", "e",
)  # fmt: skip
_LONG_REST = {"al": 5, "als": 5, "er": 4, "ers": 4, "or": 4, "ors": 4, "ly": 4}
_FEWEST_LETTERS = 3
_VERB_ENDINGS = ("ed", "ing", "es", "e")
_PLAIN_LETTERS = str.maketrans("øłđıßæœ", "oldisae")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """What a word shares with the other forms of it, without accents.

    A light stemmer: it takes off one ending, and knows the common irregular verbs.
    """
    if not word.isascii():
        parts = unicodedata.normalize("NFD", word.translate(_PLAIN_LETTERS))
        word = "".join(char for char in parts if not unicodedata.combining(char))
    word = _IRREGULAR.get(word, word)
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and _stands(word[: -len(suffix)], suffix):
            return _even(word[: -len(suffix)])
    return _even(word)


def _stands(rest: str, suffix: str) -> bool:
    """Whether what is left can be a word."""
    if suffix == "s" and rest.endswith(("s", "u", "i")):
        return False  # press, virus, crisis
    if suffix in _VERB_ENDINGS and len(rest) == 2 and rest[0] in "aeiou":
        return True  # owed, using
    return len(rest) >= _LONG_REST.get(suffix, _FEWEST_LETTERS) and any(
        vowel in rest for vowel in "aeiouy"
    )


def _even(rest: str) -> str:
    """What stopping and stop, negotiation and negotiate, parties and party end in alike."""
    if len(rest) > _FEWEST_LETTERS:
        if rest[-1] == rest[-2] and rest[-1] not in "aeious":
            rest = rest[:-1]
        if len(rest) > 5 and rest.endswith(("at", "ate")):
            rest = rest[: rest.rindex("a")]
        elif rest.endswith("y"):
            rest = f"{rest[:-1]}i"
    return rest
