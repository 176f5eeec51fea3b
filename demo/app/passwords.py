"""Password hashes: scrypt with a salt each, in the form ``scrypt$n$r$p$salt$hash`` (salt and hash in base64)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

_N, _R, _P = 2**14, 8, 1


def _derive(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=64 * 1024 * 1024, dklen=32)


def hash_password(password: str) -> str:
    salt = os.urandom(16)
    digest = _derive(password, salt, _N, _R, _P)
    return "$".join(["scrypt", str(_N), str(_R), str(_P), base64.b64encode(salt).decode(), base64.b64encode(digest).decode()])


def verify_password(password: str, stored: str) -> bool:
    """False for a wrong password and for a stored value that is not one of our hashes."""
    try:
        kind, n, r, p, salt, digest = stored.split("$")
        if kind != "scrypt":
            return False
        found = _derive(password, base64.b64decode(salt, validate=True), int(n), int(r), int(p))
        return hmac.compare_digest(found, base64.b64decode(digest, validate=True))
    except ValueError:
        return False


# What a login with an unknown name is compared with, so that it takes as long as one with a known name.
NOBODY = "scrypt$16384$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
