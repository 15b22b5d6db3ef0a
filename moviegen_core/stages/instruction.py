"""From instruction to caption by plain rules: what a model without instructions must be told instead.

An artist sees the result and may change it. Each rule recognizes one way to ask; what no rule recognizes is
put behind the caption as it is, so the result is never empty. English only.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import PromptError

COLOURS = (
    *("red", "orange", "yellow", "green", "blue", "purple", "violet", "pink", "white", "black", "brown"),
    *("grey", "gray", "golden", "silver", "turquoise", "beige"),
)
WEATHERS = {
    "rain": "in the rain",
    "snow": "in falling snow",
    "storm": "in a storm",
    "fog": "in fog",
    "wind": "in strong wind",
    "sun": "in bright sunshine",
}
_WEATHER_STEMS = r"(?:rain|snow|storm|thunder|lightning|fog|mist|wind|sun)"
_STYLES = (
    r"neon|marble|burning gold|gold|pencil(?: drawing| sketch)?|black[ -]and[ -]white|monochrome|sketch"
    r"|watercolou?r|oil painting|cartoon|anime|clay|origami|pixel art|stained glass|sepia"
)
_STYLE = re.compile(
    rf"\b(?:in|as|of|like|to|it|look|everything|drawn)\b.*?\b({_STYLES})\b"
    rf"|\b({_STYLES}) (?:style|look|sketch|drawing)"
)
_SMALL_TALK = frozenset(
    (
        *(
            "hello",
            "hi",
            "hey",
            "there",
            "thanks",
            "thank",
            "you",
            "please",
            "ok",
            "okay",
            "yes",
            "no",
            "test",
        ),
        *("testing", "good", "morning", "evening", "how", "are", "nice", "bye", "um", "hm", "so", "well"),
        *("cool", "great", "lol", "asdf"),
    )
)
_POLITE = re.compile(
    r"^(?:please|kindly|can you|could you|would you|i want you to|now)[, ]+|[, ]+please$", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCaption:
    """What the edited clip shows, in words, and how that was found."""

    text: str
    """Never empty."""
    rule: str
    """Which way of asking was recognized, such as "recolour"; "as it is" when none was."""


def target_caption(instruction: str, source: str = "") -> TargetCaption:
    """Say what a clip shows once an instruction was followed.

    An instruction that asks for nothing is refused with a PromptError (see ``check_instruction``).

    Args:
        instruction: such as "make the ball blue".
        source: caption of the clip as it is; may be empty.

    Returns:
        The caption and the rule that made it.
    """
    check_instruction(instruction)
    wish, source = _plain(instruction), " ".join(source.split()).rstrip(". ")
    for name, pattern, rewrite in _RULES:
        match = pattern.search(wish)
        text = rewrite(match, source) if match else ""
        if text:
            return TargetCaption(text=_sentence(text), rule=name)
    return TargetCaption(text=_sentence(f"{source}, {wish}" if source else wish), rule="as it is")


def check_instruction(instruction: str) -> None:
    """Refuse an instruction that asks for no change.

    Args:
        instruction: what the user wrote.

    Raises:
        PromptError: it is empty, or small talk, or one word that names no weather, colour or style.
    """
    words = re.findall(r"[\w'-]+", instruction.lower())
    way_out = "say what to change and how, such as: make the ball blue"
    if not words:
        raise PromptError(f"the instruction is empty; {way_out}")
    if set(words) <= _SMALL_TALK or (len(words) == 1 and words[0].isascii() and not _says_much(*words)):
        raise PromptError(f"{instruction.strip()[:60]!r} asks for no change; {way_out}")


def _says_much(word: str) -> bool:
    return word in COLOURS or bool(re.match(_WEATHER_STEMS, word)) or bool(re.fullmatch(_STYLES, word))


def _plain(instruction: str) -> str:
    wish = " ".join(instruction.split()).rstrip(".!? ")
    while (shorter := _POLITE.sub("", wish)) != wish:
        wish = shorter
    return wish[0].lower() + wish[1:] if wish[1:2].islower() or len(wish) == 1 else wish


def _sentence(text: str) -> str:
    text = re.sub(r"\s+", " ", re.sub(r"\s+([,.;])", r"\1", text)).strip(" ,;.")
    return f"{text[0].upper()}{text[1:]}."


# What a caption says of a thing


_SYNONYMS = {
    **dict.fromkeys(("man", "woman", "guy", "girl", "boy", "lady"), "person"),
    **dict.fromkeys(("kitty", "pussycat", "kitten"), "cat"),
    **dict.fromkeys(("present", "parcel"), "box"),
    **{"birdie": "bird", "songbird": "bird", "automobile": "car", "sailboat": "boat", "koala bear": "koala"},
}


def _noun(phrase: str) -> str:
    """The bare thing: "the red ball in the grass" -> "ball", "the man's shirt" -> "shirt"."""
    words = re.sub(r"^(?:the|a|an|his|her|its|their|some|that|this) ", "", phrase.strip(), flags=re.I)
    words = re.sub(r"(?<=\w) (?:in|on|at|with|of|wearing|riding) .*$", "", words).split("'s ")[-1]
    kept = [word for word in words.split() if word.lower() not in COLOURS]
    return " ".join(kept or words.split())


def _names(thing: str) -> list[str]:
    """What a caption may call a thing: as it was called, its last word, and what is the same."""
    noun = _noun(thing).lower()
    names = [noun, noun.split()[-1]]
    return names + [_SYNONYMS[name] for name in names if name in _SYNONYMS]


def _with_article(thing: str) -> str:
    if re.match(r"(?:the|a|an|some|two|three|many|his|her) ", thing) or re.search(r"[^s]s$", thing):
        return thing
    return f"{'an' if thing[:1] in 'aeiou' else 'a'} {thing}"


def _find(thing: str, caption: str) -> re.Match[str] | None:
    """Where a caption names a thing: article, words before it, and the thing."""
    any_name = "|".join(map(re.escape, _names(thing)))
    colour = next((word for word in thing.lower().split() if word in COLOURS), "")
    for needed in dict.fromkeys((colour, "")):
        word = r"(?:(?!while |with |and |an? |the )[\w-]+ )"
        words = rf"{word}{{0,3}}?{needed + ' ' if needed else ''}{word}?"
        found = re.search(rf"\b(an?|the|one|some) ({words})({any_name})\b", caption, re.I)
        if found:
            return found
    return None


# Rules: each gets the match and the source's caption, and may decline with ""


def _recolour(match: re.Match[str], source: str) -> str:
    thing, colour = _noun(match["thing"]), match["colour"].strip()
    found = _find(thing, source)
    if found is None:
        wanted = _with_article(f"{colour} {thing}")
        return f"{source}, with {wanted}" if source else wanted
    kept = [word for word in found[2].split() if word.lower() not in COLOURS and word.lower() != "bright"]
    article = found[1] if found[1].lower() not in ("a", "an") else ""
    phrase = " ".join([*kept, colour, found[3]])
    named = f"{article} {phrase}" if article else _with_article(phrase)
    return source[: found.start()] + named + source[found.end() :]


def _swap(match: re.Match[str], source: str) -> str:
    new, old = _with_article(match["new"].strip()), match["old"]
    found = _find(old, source)
    if found is None:
        return f"{source}, with {new}" if source else new
    return source[: found.start()] + new + _WORN.sub("", source[found.end() :], count=1)


_WORN = re.compile(
    r"^(?: on an? [\w-]+ surfboard)?(?: in an? [\w -]*?(?:shirt|T-shirt|dress|suit|coat|sweater))?"
    r"(?: with (?:[\w-]+ )*?(?:hair|eyes|glasses|cap|beanie|hat)"
    r"(?:, [\w -]*?(?:eyes|glasses|hat|cap))*(?: and [\w -]*?(?:eyes|glasses|cap|beanie|hat)\b)?)?"
)
"""What somebody wears goes when they go."""


def _add(match: re.Match[str], source: str) -> str:
    new = match["new"].strip()
    weather = _weather_of(new)
    if weather:
        return _join(source, weather)
    return f"{source}, with {_with_article(new)}" if source else _with_article(new)


def _remove(match: re.Match[str], source: str) -> str:
    thing = match["old"].strip()
    if re.search(_WEATHER_STEMS, thing):
        return _clear(match, source)
    if re.search(r"\b(?:style|look|colou?rs?)\b", thing):
        return ""
    clauses = re.split(r"(,? (?:while|with|and) |, )", source)
    kept = clauses[:1]
    for joint, clause in zip(clauses[1::2], clauses[2::2], strict=True):
        if not _find(thing, clause):
            kept += [joint, clause]
    left = "".join(kept)
    if left != source:
        return left
    found = _find(thing, source)
    place = _last_place(source)
    if found is not None and place is not None:
        return f"nothing but the scenery {place[0]}"
    return f"{source}, without {_noun(thing)}" if source else f"a scene without {_noun(thing)}"


def _background(match: re.Match[str], source: str) -> str:
    where = match["place"].strip()
    if not re.match(
        r"(?:in|on|at|under|over|above|beneath|inside|among|by|near)\b|underwater|downtown", where
    ):
        where = "underwater" if "underwater" in where else f"in front of {_with_article(where)}"
    where = re.sub(r"^in front of (?:a|an|the) (beach|stage|city street|street)$", r"on a \1", where)
    where = re.sub(r"^in front of (?:a|an|the) (meadow|desert|forest|city|room|park)$", r"in a \1", where)
    where = re.sub(r"^in front of (?:a|an|the) night sky$", "under the night sky", where)
    where = re.sub(r"^in front of (snowy mountains|mountains)$", r"in \1", where)
    old = _last_place(source)
    if old is None:
        return f"{source} {where}" if source else f"a scene {where}"
    return source[: old.start()] + where + source[old.end() :]


def _last_place(caption: str) -> re.Match[str] | None:
    """The place of the first clause: its last phrase that begins like a place."""
    first = re.split(r", | while ", caption)[0]
    starts = list(
        re.finditer(
            r"\b(?:in|on|at|under|over|above|beneath|inside|among|by|near) (?=the |an? |snowy |some )", first
        )
    )
    single = re.search(r"\b(?:underwater|downtown|outdoors|indoors)\b", first)
    if not starts:
        return single
    place = re.compile(r"[^,.;]+").match(first, starts[-1].start())
    worn = place is not None and re.search(r"\b(?:shirt|hat|cap|dress|glasses|beanie|place)\b", place[0])
    return None if worn else place


def _weather_of(text: str) -> str:
    found = re.search(_WEATHER_STEMS, text)
    stem = {"thunder": "storm", "lightning": "storm", "mist": "fog"}.get(found[0], found[0]) if found else ""
    return WEATHERS.get(stem, "")


def _weather(match: re.Match[str], source: str) -> str:
    return _join(_without_weather(source), _weather_of(match["weather"]))


def _clear(match: re.Match[str], source: str) -> str:  # noqa: ARG001 - every rule gets both
    return _join(_without_weather(source), "" if source else "in clear weather")


def _without_weather(source: str) -> str:
    phrase = rf",? ?\b(?:in|during|while|with)\b[^,.]*\b{_WEATHER_STEMS}(?!y mountains|-covered)\w*\b[^,.]*"
    return re.sub(phrase, "", source, flags=re.I)


def _join(source: str, phrase: str) -> str:
    return f"{source}, {phrase}".strip(", ") if source else f"a scene {phrase}".strip()


def _style(match: re.Match[str], source: str) -> str:
    style = next(filter(None, match.groups()))
    if re.search(r"pencil|sketch|drawing|painting|watercolou?r|cartoon|anime|origami", style):
        phrase = f"as {_with_article('pencil drawing' if style == 'pencil' else style)}"
    else:
        phrase = f"in {style.replace('-', ' ')}"
    return _join(_without_style(source), phrase)


def _without_style(source: str) -> str:
    return re.sub(
        rf", (?:in|as|made of|carved in|drawn in|filmed in)[^,.]*\b(?:{_STYLES}|drawing|white)\b[^,.]*",
        "",
        source,
        flags=re.I,
    )


def _plainly(match: re.Match[str], source: str) -> str:  # noqa: ARG001 - every rule gets both
    left = _without_style(source)
    return left if left != source else _join(source, "in natural colours")


def _styled(match: re.Match[str], source: str) -> str:
    if re.search(r"remove the colou?rs", match[0], re.I):
        return _join(_without_style(source), "in black and white")
    found = _STYLE.search(match[0])
    return _style(found, source) if found else ""


def _gone(match: re.Match[str], source: str) -> str:
    thing = re.sub(r"^(?:take|wish|make) | (?:away|disappear)$", "", match[0], flags=re.I)
    again = re.compile(r"(?P<old>.+)").match(thing)
    assert again is not None
    return _remove(again, source)


_Rewrite = Callable[[re.Match[str], str], str]


def _rule(name: str, rewrite: _Rewrite, *patterns: str) -> tuple[str, re.Pattern[str], _Rewrite]:
    return name, re.compile("".join(patterns), re.I), rewrite


_WEATHER_NAMED = rf"(?P<weather>{_WEATHER_STEMS}\w*)"
_COLOUR = rf"(?P<colour>(?:bright |dark |light |plain |jet-)?(?:{'|'.join(COLOURS)}))"
_COLOUR_LAST = _COLOUR + r"(?: instead of .*| rather than .*)?$"
_SOMEWHERE = (
    r"(?P<place>(?:in|on|at|under|over|above|beneath|inside|among|by) (?!place of|front of).+"
    r"|underwater|downtown)$"
)
_RULES = (
    _rule("weather", _weather, rf"^(?:make|let|have) (?:it|the weather) (?:be )?{_WEATHER_NAMED}$"),
    _rule("weather", _weather, rf"(?:weather .*?|should be ){_WEATHER_NAMED}"),
    _rule("weather", _weather, rf"^turn the (?:rain|snow|storm|fog) into (?:an? )?{_WEATHER_NAMED}"),
    _rule("weather", _weather, rf"^{_WEATHER_NAMED}$"),
    _rule("clear", _clear, rf"^(?:stop|no more|end) (?:the )?{_WEATHER_STEMS}|\bclear\b"),
    _rule(
        *("plain look", _plainly),
        r"look normal|plain (?:look|picture)|(?:bring|show|add|make).*\bcolou?r(?:s back|ful|ise|)(?:$|,)",
        r"|colou?rise|(?:remove|undo|take away) the .*(?:style|look)$",
    ),
    _rule(
        *("style", _styled),
        r"^(?:turn it|make it|make everything|draw it|sketch it|apply|change the (?:style|look)|give it",
        r"|show it|render|turn everything|carve it|let everything|remove the colou?rs).*",
    ),
    _rule(
        *("recolour", _recolour),
        rf"^(?:give .+?|let .+? have|.+? should have) an? {_COLOUR} (?P<thing>[\w -]+)$",
    ),
    _rule(
        *("background", _background),
        r"^(?:change|replace|swap|set|make) the (?:[\w -]+ )?(?:background|scene|setting)",
        r"(?: to| with| by| into| for)? (?P<place>.+)$",
    ),
    _rule(
        *("background", _background),
        r"^(?:move|put|set|show|let) (?:the scene|it|them|him|her|it happen|the [\w -]+?)(?: happen)?",
        rf" (?:to )?{_SOMEWHERE}",
    ),
    _rule("background", _background, r"^move the scene to (?P<place>.+)$"),
    _rule("background", _background, rf"^it should be {_SOMEWHERE}"),
    _rule("remove", _gone, r"^(?:take|wish) .+ away$|^make the .+ disappear$"),
    _rule(
        *("recolour", _recolour),
        r"^(?:make|turn|paint|colou?r|recolou?r|change|dye) (?P<thing>[\w' -]+?)(?:'s colou?r)?",
        rf"(?: to| into)? {_COLOUR_LAST}",
    ),
    _rule("recolour", _recolour, rf"^change the colou?r of (?P<thing>[\w' -]+?) to {_COLOUR_LAST}"),
    _rule(
        *("recolour", _recolour),
        rf"^(?:i want )?(?P<thing>the [\w' -]+?) (?:should be|to be|shall be) {_COLOUR_LAST}",
    ),
    _rule(
        *("swap", _swap),
        r"^(?:replace|swap|change|turn|exchange) (?P<old>.+?) (?:with|by|for|into|to) (?P<new>.+)$",
    ),
    _rule("swap", _swap, r"^(?:put|show) (?P<new>.+?) (?:in place of|instead of) (?P<old>.+)$"),
    _rule("swap", _swap, r"^(?P<new>.+?) instead of (?P<old>.+)$"),
    _rule("swap", _swap, r"^make (?P<old>the [\w -]+?) (?P<new>an? .+)$"),
    _rule(
        *("remove", _remove),
        r"^(?:remove|delete|erase|take out|leave out|get rid of|lose|without|hide) (?P<old>.+?)",
        r"(?: from the scene| away)?$",
    ),
    _rule(
        *("add", _add),
        r"^(?:add|insert|put|place|give it|also show|have|let|there should (?:also )?be|show) (?P<new>.+)$",
    ),
)
"""In this order; the first that has something to say decides."""
