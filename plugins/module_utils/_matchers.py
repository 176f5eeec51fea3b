# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

r"""Matchers of labels as people write them for Prometheus and Alertmanager. Private: other collections must not import it.

``name=value``, ``!=``, ``=~``, ``!~``, read as Alertmanager and amtool do: by the classic rules (a value may stand without quotes, ``\"``,
``\\`` and ``\n`` mean what they say, any other backslash means itself), and only where those do not fit by the ones for UTF-8 (names in
quotes, Go's escapes). So a text means here what it means there.
"""

from __future__ import annotations

import collections
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

OPERATORS = {"=": (False, True), "!=": (False, False), "=~": (True, True), "!~": (True, False)}  # to (is_regex, is_equal)
_SIGNS = {meaning: sign for sign, meaning in OPERATORS.items()}
_CLASSIC = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL | re.ASCII)
_QUOTED = r'"(?:[^"\\\n]|\\.)*"'
_BARE = r"[^\s{}!=~,\\\"'`]+"
_UTF8 = re.compile(r"\s*({0}|{1})\s*(=~|=|!=|!~)\s*({0}|{1})\s*".format(_QUOTED, _BARE))
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_FLAGS = re.compile(r"^\(\?([ims]+)\)")
_SIMPLE = {"n": "\n", '"': '"', "\\": "\\"}
_GO = dict(_SIMPLE, a="\a", b="\b", f="\f", r="\r", t="\t", v="\v")
_GO_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
#: No label of a real alert has it: a pattern that matches it matches just anything.
_ANYTHING = "\u2063 any value at all \u2063"
HOW = "Write it as name=value, name!=value, name=~pattern or name!~pattern, with quotes around a value where needed."

Base = collections.namedtuple("Base", "name value is_regex is_equal")


class Matcher(Base):
    """One matcher. Two are the same when they are written alike, whatever the quotes."""

    __slots__ = ()

    @property
    def operator(self):
        return _SIGNS[(self.is_regex, self.is_equal)]

    def __str__(self):
        """As every Alertmanager reads it, whichever rules it goes by."""
        name = self.name if _NAME.fullmatch(self.name) else quote(self.name)
        return "{0}{1}{2}".format(name, self.operator, quote(self.value))

    def matches(self, value):
        """Whether a label with this value fulfils it; a label that is not there has the empty value."""
        found = bool(compiled(self).fullmatch(value)) if self.is_regex else self.value == value
        return found == self.is_equal

    @property
    def says_little(self):
        """Whether just any alert, or any that has the label at all, may fulfil it."""
        try:
            return not self.value or self.is_regex and self.is_equal and self.matches(_ANYTHING)
        except OpsError:
            return True  # a pattern of Go's that Python does not know: what it says cannot be told here


def quote(text):
    return '"{0}"'.format(text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))


def compiled(matcher):
    """The pattern of a matcher. Raises OpsError on one that is none, or that Python would read in another way than Go."""
    text = _FLAGS.sub(r"(?\1:", matcher.value, count=1)
    text += ")" if text != matcher.value else ""
    try:
        if "[[:" in text:
            raise re.error("classes such as [[:alpha:]] are not known here")
        return re.compile("(?:{0})".format(text), re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise OpsError("The pattern of the matcher {0} is none: {1}. Correct it.".format(matcher, error))


def parse(text):
    """The Matcher that ``text`` is. Raises OpsError that says how to write one."""
    match = _CLASSIC.fullmatch(text)
    if match:
        value = _classic_value(match.group(3))
        if value is not None:
            return _made(match.group(1), match.group(2), value)
    match = _UTF8.fullmatch(text)
    if match:
        name, value = _go_text(match.group(1)), _go_text(match.group(3))
        if name and value is not None:
            return _made(name, match.group(2), value)
    why = ""
    if text.strip().startswith("{") or text.strip().endswith("}"):
        why = ": leave the braces out, and give each matcher as an item of the list"
    elif _CLASSIC.fullmatch(text):
        why = ": a double quote in its value is not escaped, or does not end"
    raise OpsError("{0!r} is no matcher{1}. {2}".format(text, why, HOW))


def parse_all(texts):
    """The matchers of a list of texts, each once, in its order."""
    return list(dict.fromkeys(parse(text) for text in texts))


def _made(name, operator, value):
    try:
        value.encode("utf-8"), name.encode("utf-8")
    except UnicodeEncodeError:
        raise OpsError("The matcher of {0!r} is not UTF-8. Correct it.".format(name))
    return Matcher(name, value, *OPERATORS[operator])


def _classic_value(raw):
    """What a value means by the classic rules, None where they do not fit."""
    quoted = raw.startswith('"')
    raw = raw[1:] if quoted else raw
    found, position, open_quote = [], 0, quoted
    while position < len(raw):
        sign, last = raw[position], position == len(raw) - 1
        if sign == "\\" and not last:
            following = raw[position + 1]
            found.append(_SIMPLE.get(following, "\\" + following))
            position += 1
        elif sign == '"':
            if not (open_quote and last):
                return None
            open_quote = False
        else:
            found.append(sign)
        position += 1
    return None if open_quote else "".join(found)


def _go_text(token):
    """What a token means by the rules for UTF-8: as it is, or in quotes with Go's escapes. None where one of those is none."""
    if not token.startswith('"'):
        return token
    wrong = []

    def one(match):
        hexadecimal, short, long, octal, letter = match.groups()
        if letter is not None:
            if letter not in _GO:
                wrong.append(letter)
            return _GO.get(letter, "")
        number = int(octal, 8) if octal else int(hexadecimal or short or long, 16)
        # A byte above ASCII would be a part of a character; nobody writes one so.
        if number > (0x10FFFF if short or long else 0x7F) or 0xD800 <= number <= 0xDFFF:
            wrong.append(match.group())
            return ""
        return chr(number)

    text = _GO_ESCAPE.sub(one, token[1:-1])
    return None if wrong else text


# -- matchers as the API has them


def to_api(matcher):
    return {"name": matcher.name, "value": matcher.value, "isRegex": matcher.is_regex, "isEqual": matcher.is_equal}


def of_api(item):
    """The Matcher of what the API says. Before 0.22 it knew no isEqual."""
    return Matcher(item["name"], item["value"], bool(item["isRegex"]), bool(item.get("isEqual", True)))


def fulfilled(matchers, labels):
    """Whether an alert with these labels fulfils all of them."""
    return all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)


def too_broad(matchers):
    """Why these matchers may hide what nobody thought of, in a sentence; None where they are narrow enough.

    Narrow is: one of them that says more than a severity or the name of an alert, which every environment has, or two that say something.
    One that any alert fulfils, such as ``job=~".*"``, or any that has the label, such as ``job!=""``, says nothing.
    """
    telling = [matcher for matcher in matchers if not matcher.says_little]
    if all(matcher.matches("") for matcher in telling):
        return "nearly every alert fulfils them" if matchers else "there are none"
    names = {matcher.name for matcher in telling}
    if len(names) == 1 and names <= {"severity", "alertname"}:
        return "of {0} alone, which every environment and service has".format(
            "a severity" if "severity" in names else "the name of an alert"
        )
    return None
