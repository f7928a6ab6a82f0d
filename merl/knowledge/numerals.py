"""Numbers and fractions written as words, put into figures: "a fifth of a second" is 0.2 second."""

from __future__ import annotations

import re

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
)
_ONES = {word: value for value, word in enumerate(_SMALL.split(" "))}
_ROUND = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 20 + 10 * place for place, word in enumerate(_ROUND.split(" "))}
_SHARES = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "eighth": 8,
    "tenth": 10,
    "twentieth": 20,
    "fiftieth": 50,
    "hundredth": 100,
    "thousandth": 1000,
}
_SCALED = r"seconds?|secs?|minutes?|hours?|millivolts?|mv|millimet(?:er|re)s?|mm|milliseconds?|ms"
_TIMES = {"twice": "2", "double": "2", "thrice": "3"}

_WORD = "|".join([*_ONES, *_TENS, "hundred"])
_NUMBER = re.compile(rf"\b(?:a\s+(?=hundred\b))?(?:{_WORD})(?:(?:[\s-]+|\s+and\s+)(?:{_WORD}))*\b")
_SHARE = "|".join(f"{word}s?" for word in _SHARES)
_FRACTION = re.compile(
    rf"\b(?:(?P<count>an?|one|\d+)[\s-]+)?(?P<share>{_SHARE})"
    r"(?P<of>\s+(?:that\s+|those\s+)?of\s+(?:an?\s+|one\s+|the\s+)?|\s+an?\s+|\s+as\s+|\s+the\s+)"
    rf"(?P<unit>(?:{_SCALED})\b)?"
)
#: Two-to-one, but for "0.2 to 1 mm".
_TO_ONE = re.compile(rf"(?<![\w.])([2-9])[\s-]to[\s-](?:1|one)\b(?!\s*(?:{_SCALED})\b|[.\d])")
_HALVES = re.compile(r"\b(\d+|one)\s+and\s+a\s+half\b")


def spell_out(text: str) -> str:
    """Put the numbers of a lower-case text into figures.

    "One" stays a word where it does not count a unit: "one P wave" is no measurement. A share of something
    that has no unit becomes a percentage.

    >>> spell_out("at least a fifth of a second and a quarter of the R wave")
    'at least 0.2 second and 25 percent of the R wave'
    """
    text = re.sub(r"(?<![\w.,])([1-9]\d{0,2}),(\d{3})(?!\d)", r"\1\2", text)  # thousands
    text = re.sub(r"(?<![\w.,])(\d+),(\d+)(?=\s*[a-z%°])", r"\1.\2", text)  # a decimal comma
    text = re.sub(r"\b(?:twice|thrice)\b|\bdouble(?= (?:the|that)\b)", lambda m: _TIMES[m[0]], text)
    text = _NUMBER.sub(_figures, text)
    text = re.sub(r"\b(minus|plus) (?=\d)", lambda m: "-" if m[1] == "minus" else "+", text)
    text = _TO_ONE.sub(r"\1:1", text)
    text = _HALVES.sub(lambda m: f"{m[1].replace('one', '1')}.5", text)
    return _FRACTION.sub(_share, text)


def _figures(match: re.Match[str]) -> str:
    """Write a run of number words; "sixty to one hundred" are two runs, "five and six" stay two numbers."""
    parts: list[int] = []
    joined = False
    words = re.findall(r"[a-z]+", match[0])
    for word, before, after in zip(words, ["", *words], [*words[1:], ""], strict=False):
        value = _ONES.get(word, _TENS.get(word))
        apart = after == "hundred" or (before == "and" and parts[-1:] != [] and parts[-1] % 100)
        if word == "hundred":
            parts = [*parts[:-1], (parts[-1] if parts else 1) * 100]
        elif value is not None and parts and not apart and _joins(parts[-1], value):
            parts[-1] += value
        elif value is not None:
            parts.append(value)
        joined = joined or (word == "and" and len(parts) == 1 and parts[0] < 100)
    if parts == [1] and not re.match(
        rf"[\s-]+(?:{_SCALED}|degree|percent|or more)\b", match.string[match.end() :]
    ):
        return match[0]
    return (" and " if joined else " ").join(map(str, parts))


def _joins(before: int, value: int) -> bool:
    """Whether a number word goes on the one before it: "twenty five", "hundred and twenty"."""
    if before % 100 == 0 and before:
        return True
    return before >= 20 and before % 10 == 0 and 0 < value < 10


def _share(match: re.Match[str]) -> str:
    share = match["share"]
    parts = _SHARES.get(share) or _SHARES[share.removesuffix("s")]
    count = match["count"]
    if count is None and parts != 2:
        return match[0]  # an ordinal: "every third of them"
    value = (int(count) if count and count.isdigit() else 1) / parts
    return f"{value:g} {match['unit']}" if match["unit"] else f"{100 * value:g} percent{match['of']}"
