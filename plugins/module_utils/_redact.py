# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data without its secrets, and no larger than it may be. Private: other collections must not import it.

A secret is known by the name it goes by, by the form it has, or because somebody lists it. What is in doubt is hidden.
"""

from __future__ import annotations

import math
import re

MASK = "********"
#: Listed values that are shorter would hide half of every sentence. They are still hidden by their names.
SHORTEST_SECRET = 4
DEEPEST = 30

# Found anywhere in a name, whatever stands around it.
_ALWAYS = re.compile("passw(or)?d|passphrase|secret|credential|privatekey|apikey|accesskey|authtoken")
# Whole words of a name, or its end. A number under such a name is a count or a fencing token, and stays.
_WORDS = frozenset(("auth", "authorization", "cookie", "dsn", "key", "pass", "pwd", "salt", "token", "vault"))
_ENDINGS = ("key", "token", "dsn")

# They begin where a word does, and names are bounded: the time they take grows with a text, not with its square.
_URL_PASSWORD = re.compile(r"((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,31}://[^\s:/@]*:)(?:(?!://)\S)+@", re.IGNORECASE)
# Over HTTP a name by itself is a credential, too: a token, or the key of a Sentry DSN.
_HTTP_USER = re.compile(r"(https?://)[^\s/@:]+@", re.IGNORECASE)
_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)
_AUTHORIZATION = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{16,}", re.IGNORECASE)
_PAIR = re.compile(
    r"""(?<![\w.-])([\w.-]{1,128})(["']?\s*=\s*|["']?\s*:\s*(?!//))((?:bearer\s+|basic\s+)?(?:"[^"]*"|'[^']*'|[^\s"'&;,)}\]]+))""",
    re.IGNORECASE,
)


def is_secret(name, value=""):
    """Whether what goes by ``name`` is to be hidden. ``value`` matters where a number is no secret."""
    words = re.split(r"[^a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", str(name)).lower())
    if value is None or isinstance(value, bool):
        return False
    if _ALWAYS.search("".join(words)):
        return True
    if isinstance(value, (int, float)):
        return False
    # A plural is told by its last letter.
    return any(word in _WORDS or word[:-1] in _WORDS or word.rstrip("s").endswith(_ENDINGS) for word in words)


def redact_text(text, secrets=()):
    """``text`` without the ``secrets`` (list of str), passwords in URLs, ``name=value`` pairs of secret names, and private keys."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    text = _PRIVATE_KEY.sub(MASK, text)
    text = _URL_PASSWORD.sub(r"\1" + MASK + "@", text)
    text = _HTTP_USER.sub(r"\1" + MASK + "@", text)
    text = _AUTHORIZATION.sub(r"\1 " + MASK, text)
    return _PAIR.sub(lambda pair: pair.group(1) + pair.group(2) + MASK if is_secret(pair.group(1)) else pair.group(0), text)


def redact(value, secrets=(), name="", depth=0):
    """A copy of ``value`` (what JSON can hold) without secrets. ``name`` is what it goes by."""
    if is_secret(name, value) or depth > DEEPEST:
        return MASK
    if isinstance(value, dict):
        named = value.get("name")
        # A variable of an environment in the long form: {name: DB_PASSWORD, value: x}.
        hidden = "value" if isinstance(named, str) and is_secret(named, value.get("value")) else None
        return {
            redact_text(str(key), secrets): MASK if key == hidden else redact(item, secrets, str(key), depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return _redact_list(value, secrets, depth)
    if isinstance(value, (bool, int, float)) or value is None:
        return MASK if not isinstance(value, bool) and str(value) in secrets else value
    return redact_text(str(value), secrets)


def _redact_list(values, secrets, depth):
    """The items without secrets; an argument list may name one in the item before it (``--password x``)."""
    found, flag = [], ""
    for item in values:
        found.append(redact(item, secrets, flag, depth + 1))
        flag = item if isinstance(item, str) and item.startswith("-") and "=" not in item else ""
    return found


def shorten(value, longest, most):
    """A copy of ``value`` with no string longer than ``longest`` and no list or dict of more than ``most`` items.

    What was left out is counted where it was. Returns ``(copy, whether something was left out)``. The copy holds only what
    JSON in UTF-8 can.
    """
    if isinstance(value, dict):
        names = sorted(value, key=str)
        pairs = [(_text(str(name), 200)[0], shorten(value[name], longest, most)) for name in names]
        kept = {key: item for key, (item, _cut) in pairs[:most]}
        if len(pairs) > most:
            kept["..."] = "{0} more left out".format(len(pairs) - most)
        return kept, len(pairs) > most or any(cut for _key, (_item, cut) in pairs)
    if isinstance(value, (list, tuple)):
        items = [shorten(item, longest, most) for item in value]
        left_out = ["... {0} more left out".format(len(items) - most)] if len(items) > most else []
        return [item for item, _cut in items[:most]] + left_out, bool(left_out) or any(cut for _item, cut in items)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value), False
    if isinstance(value, (bool, int, float)) or value is None:
        return value, False
    return _text(str(value), longest)


def _text(text, longest):
    text = text.encode("utf-8", "replace").decode("utf-8")
    if len(text) <= longest:
        return text, False
    return "{0}... ({1} more characters)".format(text[:longest], len(text) - longest), True
