"""Honest return docs: what a module returned, held against what it says it returns."""

from __future__ import annotations

from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.documented import Documented, text_of

# Ansible's own keys, which no module documents.
STANDARD = {"changed", "failed", "msg", "exception", "invocation", "diff", "warnings", "deprecations", "skipped", "skip_reason"}
TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "dict": (dict,),
    "float": (float, int),
    "int": (int,),
    "list": (list,),
    "str": (str,),
}


def dishonest(module: Documented, result: dict[str, Any]) -> list[str]:
    """Sentences about what in one ``result`` is not as documented."""
    failed = bool(result.get("failed"))
    found = compare(module.returned, {key: value for key, value in result.items() if key not in STANDARD}, failed, "")
    if "changed" not in result and not failed:
        found.append("changed is not returned")
    if failed and not result.get("msg"):
        found.append("it fails without a message (msg)")
    return found


def compare(described: dict[str, Any], values: dict[str, Any], failed: bool, above: str) -> list[str]:
    found = [f"{above}{key} is returned and not documented" for key in sorted(set(values) - set(described))]
    for key, about in described.items():
        if key in values:
            found += wrong_type(about, values[key], f"{above}{key}", failed)
        elif owed(about, failed, nested=bool(above)):
            found.append(f"{above}{key} is documented ({about.get('returned', 'always there')}) and not returned")
    return found


def owed(about: dict[str, Any], failed: bool, nested: bool) -> bool:
    """Whether a key must be there by its ``returned``. Inside a dict that says nothing else, it is part of the dict."""
    when = str(about.get("returned") or ("always" if nested else ""))
    return when == "always" or when == "success" and not failed or when == "failure" and failed


def wrong_type(about: dict[str, Any], value: Any, where: str, failed: bool) -> list[str]:
    kind = about.get("type")
    if value is None:  # what a failure came before is not known, which needs no saying
        says_so = failed or "V(null)" in text_of(about.get("description"))
        return [] if says_so else [f"{where} is null, which its description does not say (V(null))"]
    if kind not in TYPES:
        return [] if kind == "raw" else [f"{where} has the type {kind!r}, which is none"]
    if not isinstance(value, TYPES[kind]) or isinstance(value, bool) and kind != "bool":
        return [f"{where} is {value!r}, documented as {kind}"]
    found = []
    if kind == "dict" and "contains" in about:
        found += compare(about["contains"], value, failed, where + ".")
    if kind == "list":
        element = {key: about[key] for key in ("contains", "description") if key in about}
        for index, item in enumerate(value):
            found += wrong_type(dict(element, type=about.get("elements")), item, f"{where}[{index}]", failed)
    return found


def never_seen(module: Documented, results: list[dict[str, Any]]) -> list[str]:
    """Documented keys that no path returned."""
    seen = {key for result in results for key in result}
    return sorted(set(module.returned) - seen)
