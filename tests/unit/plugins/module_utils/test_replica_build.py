# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wherever a rebuild was killed, the next run begins with data in place where there was any, and with nothing half done beside it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_fence as fence
from ansible_collections.astraldraft.ops.plugins.module_utils import _replica_build as build

DATA = "/volume/17"


class Disk:
    """Folders by their names, each with what is in it, changed as the programs that are run would."""

    def __init__(self, **folders: str) -> None:
        self.folders = {DATA + {"data": "", "partial": build.PARTIAL, "ready": build.READY, "previous": build.PREVIOUS}[name]: text
                        for name, text in folders.items()}  # fmt: skip

    def run(self, argv: list[str], _tick: object) -> SimpleNamespace:
        assert argv[:2] == ["test", "-e"]
        return SimpleNamespace(code=0 if argv[2] in self.folders else 1)

    def must(self, argv: list[str], _tick: object, what: str = "") -> bytes:
        if argv[0] == "rm":
            for path in argv[3:]:
                self.folders.pop(path, None)
        else:
            old, new = argv[-2:]
            assert new not in self.folders, what
            self.folders[new] = self.folders.pop(old)
        return b""


def folders(disk: Disk) -> build.Folders:
    return build.Folders(SimpleNamespace(data_path=DATA), disk, lambda: None)


@pytest.mark.parametrize(
    ("left", "data", "kept"),
    [
        ({"data": "old"}, "old", None),
        ({"data": "old", "partial": "half"}, "old", None),
        ({"data": "old", "ready": "new"}, "old", None),
        ({"previous": "old", "ready": "new"}, "new", "old"),
        ({"data": "new", "previous": "old"}, "new", "old"),
        ({"previous": "old"}, "old", None),
        ({}, None, None),
        ({"partial": "half"}, None, None),
    ],
)
def test_an_interrupted_run_is_settled(left: dict[str, str], data: str | None, kept: str | None) -> None:
    disk = Disk(**left)
    folders(disk).settle()
    assert disk.folders == {path: text for path, text in ((DATA, data), (DATA + build.PREVIOUS, kept)) if text}
    folders(disk).settle()
    assert disk.folders.get(DATA) == data


def test_what_is_kept_has_a_name_that_nobody_removes() -> None:
    disk = Disk(data="new", previous="old")
    path = folders(disk).keep()
    assert path.startswith(DATA + ".kept-")
    folders(disk).settle()
    assert disk.folders == {DATA: "new", path: "old"}


def test_a_position_is_still_when_it_was_the_same_three_times() -> None:
    same = fence.Fence._still()
    said = [same(answer) for answer in ({"lsn": 1}, {"lsn": 2}, None, {"lsn": 2}, {"lsn": 2}, {"lsn": 2}, {"lsn": 3})]
    assert said == [False, False, False, False, False, True, False]
