from __future__ import annotations

import gzip
import io
import os
import socket
import tarfile

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _stack_files as stack_files
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

HIDDEN = "a-secret-nobody-may-see"


@pytest.fixture
def site(tmp_path):
    """A folder as a service's: a secret, a link, an empty folder."""
    folder = tmp_path / "site"
    (folder / "secrets").mkdir(parents=True)
    (folder / "secrets").chmod(0o700)
    (folder / "secrets" / "password").write_text(HIDDEN, encoding="utf-8")
    (folder / "secrets" / "password").chmod(0o400)
    (folder / "nginx.conf").write_text("server {}\n", encoding="utf-8")
    (folder / "nginx.conf").chmod(0o640)
    (folder / "current").symlink_to("nginx.conf")
    (folder / "empty").mkdir()
    return folder


def packed(*paths):
    return stack_files.pack(stack_files.look([str(path) for path in paths]))


def put(data, root, suffix="old"):
    found = stack_files.changes(stack_files.unpack(data), str(root))
    return [stack_files.write(change, suffix) for change in found]


def by_path(entries):
    return {entry.path: entry for entry in entries}


def test_what_is_packed_is_what_is_unpacked(site):
    data, entries = packed(site)
    assert stack_files.unpack(data) == entries
    found = by_path(entries)
    assert found[str(site / "secrets" / "password")].mode == 0o400
    assert found[str(site / "current")].content == b"nginx.conf"
    assert found[str(site / "empty")].type == "folder"
    assert str(site.parent) in found, "the folders above, so that they can be made as they were"


def test_the_same_files_give_the_same_archive(site):
    first = packed(site)[0]
    os.utime(site, (1, 1))
    assert packed(site)[0] == first
    (site / "nginx.conf").chmod(0o600)
    assert packed(site)[0] != first


def test_what_is_not_there_is_told(site):
    found = stack_files.look([str(site / "nothing"), str(site / "*.conf"), str(site / "*.none")])
    assert found.missing == [str(site / "nothing"), str(site / "*.none")]
    assert str(site / "nginx.conf") in found.there and str(site / "secrets") not in found.there


def test_a_link_that_leads_nowhere_is_not_there(site):
    (site / "broken").symlink_to("nowhere")
    assert stack_files.look([str(site / "broken")]).missing == [str(site / "broken")]


def test_a_path_through_links_is_kept_where_it_is(site, tmp_path):
    (tmp_path / "way").symlink_to(site)
    found = stack_files.look([str(tmp_path / "way")]).there
    assert str(tmp_path / "way") in found and str(site / "nginx.conf") in found
    assert list(stack_files.look([str(tmp_path / "way" / "nginx.conf")]).there)[-1] == str(site / "nginx.conf")


def test_what_is_no_file_is_told(site):
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(site)
        listener.bind("socket")
        os.chdir(here)
        assert stack_files.look([str(site)]).left_out == [str(site / "socket")]


def test_a_relative_path_is_refused():
    with pytest.raises(OpsError, match="etc is no absolute path"):
        stack_files.look(["etc"])


def test_too_much_is_refused_before_it_is_read(site):
    with pytest.raises(OpsError, match=r"have 33 bytes, and no more than 5 are taken .* The largest are .*password, .*nginx.conf"):
        stack_files.refuse_too_much(stack_files.look([str(site)]), 5)


def test_a_file_that_goes_meanwhile_is_left_out(site):
    found = stack_files.look([str(site)])
    (site / "nginx.conf").unlink()
    assert str(site / "nginx.conf") not in by_path(stack_files.pack(found)[1])


def test_a_name_that_is_no_text_is_refused(tmp_path):
    with open(os.path.join(os.fsencode(tmp_path), b"\xff"), "wb"):
        pass
    with pytest.raises(OpsError, match="is no text in UTF-8"):
        packed(tmp_path)


def archive_of(*headers):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for header in headers:
            archive.addfile(header)
    return gzip.compress(buffer.getvalue())


def strange(name, kind=tarfile.REGTYPE):
    header = tarfile.TarInfo(name)
    header.type = kind
    return header


@pytest.mark.parametrize("header", [strange("../etc/passwd"), strange("a/./b"), strange("/etc/passwd"), strange("x", tarfile.FIFOTYPE)])
def test_what_no_host_can_have_is_refused(header):
    with pytest.raises(stack_files.Unreadable, match="no file of a host"):
        stack_files.unpack(archive_of(header))


def test_a_broken_archive_is_unreadable(site):
    data = packed(site)[0]
    for broken in (data[:-9], data[:40] + b"\x00\x00" + data[42:], b"", b"nothing", gzip.compress(b"no archive" * 100)):
        with pytest.raises(stack_files.Unreadable):
            stack_files.unpack(broken)


def test_files_come_back_below_another_root(site, tmp_path):
    data = packed(site)[0]
    root = tmp_path / "aside"
    root.mkdir()
    assert set(put(data, root)) == {None}
    there = root / str(site).lstrip("/")
    password = there / "secrets" / "password"
    assert password.read_text(encoding="utf-8") == HIDDEN and password.stat().st_mode & 0o7777 == 0o400
    assert (there / "secrets").stat().st_mode & 0o7777 == 0o700
    assert (there / "current").readlink().name == "nginx.conf" and (there / "empty").is_dir()
    assert put(data, root) == [], "a second time there is nothing to do"


def test_what_was_there_keeps_a_name(site):
    data = packed(site)[0]
    (site / "nginx.conf").write_text("altered\n", encoding="utf-8")
    (site / "current").unlink()
    (site / "current").symlink_to("elsewhere")
    assert sorted(put(data, "/")) == [str(site / "current.old"), str(site / "nginx.conf.old")]
    assert (site / "nginx.conf").read_text(encoding="utf-8") == "server {}\n"
    assert (site / "nginx.conf.old").read_text(encoding="utf-8") == "altered\n"
    assert os.readlink(site / "current.old") == "elsewhere"
    (site / "nginx.conf").write_text("again\n", encoding="utf-8")
    assert put(data, "/") == [str(site / "nginx.conf.old.1")], "and does not take one from another"
    (site / "nginx.conf").write_text("again\n", encoding="utf-8")
    (site / "nginx.conf").chmod(0o640)
    assert put(data, "/") == [str(site / "nginx.conf.old.1")]


def test_a_mode_alone_is_a_difference(site):
    data = packed(site)[0]
    (site / "secrets" / "password").chmod(0o444)
    put(data, "/")
    assert (site / "secrets" / "password").stat().st_mode & 0o7777 == 0o400


def test_a_folder_in_the_place_of_a_file_is_refused(site):
    data = packed(site)[0]
    (site / "nginx.conf").unlink()
    (site / "nginx.conf").mkdir()
    with pytest.raises(OpsError, match=r"nginx.conf is a folder here and a file in the backup. Nothing was written"):
        stack_files.changes(stack_files.unpack(data))
    (site / "empty").rmdir()
    (site / "empty").write_text("", encoding="utf-8")
    (site / "nginx.conf").rmdir()
    with pytest.raises(OpsError, match=r"empty is a file here and a folder in the backup"):
        stack_files.changes(stack_files.unpack(data))


def test_nothing_is_written_through_a_link_out_of_the_root(site, tmp_path):
    data = packed(site)[0]
    root = tmp_path / "aside"
    above = root / str(tmp_path).lstrip("/")
    above.mkdir(parents=True)
    (above / "site").symlink_to(site)
    with pytest.raises(OpsError, match="outside of"):
        stack_files.changes(stack_files.unpack(data), str(root))


def test_a_diff_has_no_content(site):
    data = packed(site)[0]
    (site / "secrets" / "password").unlink()
    (site / "nginx.conf").write_text("altered\n", encoding="utf-8")
    found = stack_files.diff(stack_files.changes(stack_files.unpack(data)))
    assert found["before"] == "{0} 0640 8 bytes\n".format(site / "nginx.conf")
    assert "{0} 0400 23 bytes\n".format(site / "secrets" / "password") in found["after"] and HIDDEN not in str(found)


def test_a_row_can_be_without_its_hash(site):
    entry = by_path(packed(site)[1])[str(site / "secrets" / "password")]
    assert stack_files.row(entry)["sha256"] and stack_files.row(entry, hashed=False)["sha256"] is None
    assert stack_files.row(entry)["mode"] == "0400" and HIDDEN not in str(stack_files.row(entry))
