from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_load as loading
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_take import compress_option
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import Finished, Host
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.backups import PROPERTIES
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.test_backup_manifest import LISTING


def test_a_database_is_made_as_it_was():
    assert loading.create_database_sql('o"dd', PROPERTIES) == (
        "CREATE DATABASE \"o\"\"dd\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' OWNER \"shop\""
    )


@pytest.mark.parametrize(
    ("letter", "words"), [("i", "LOCALE_PROVIDER icu ICU_LOCALE 'de'"), ("b", "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'de'")]
)
def test_a_locale_of_another_provider_is_kept(letter, words):
    assert words in loading.create_database_sql("x", dict(PROPERTIES, locale_provider=letter, locale="de"))


def test_what_belongs_to_a_database_and_is_in_no_dump():
    properties = dict(
        PROPERTIES,
        comment="it's",
        settings=[
            {"role": None, "settings": ["work_mem=3MB", 'search_path="$user", public']},
            {"role": "shop", "settings": ["plugin.option=a'b"]},
        ],
        grants=[
            {"to": None, "privilege": "CONNECT", "grantable": False},
            {"to": "reader", "privilege": "TEMPORARY", "grantable": True},
        ],
    )
    assert loading.database_properties_sql("x", properties) == [
        'ALTER DATABASE "x" CONNECTION LIMIT -1',
        "COMMENT ON DATABASE \"x\" IS 'it''s'",
        'ALTER DATABASE "x" SET "work_mem" = \'3MB\'',
        "ALTER DATABASE \"x\" SET \"search_path\" = '$user', 'public'",
        'ALTER ROLE "shop" IN DATABASE "x" SET "plugin"."option" = \'a\'\'b\'',
        'REVOKE ALL ON DATABASE "x" FROM PUBLIC',
        'GRANT CONNECT ON DATABASE "x" TO PUBLIC',
        'GRANT TEMPORARY ON DATABASE "x" TO "reader" WITH GRANT OPTION',
    ]


def test_a_privilege_that_is_none_is_refused():
    grants = [{"to": "x", "privilege": "CONNECT ON DATABASE x TO y; DROP", "grantable": False}]
    with pytest.raises(OpsError, match="which is none"):
        loading.database_properties_sql("x", dict(PROPERTIES, grants=grants))


def test_any_name_reaches_pg_restore_as_a_database():
    assert loading.connection_string("host=elsewhere o'dd\\") == "dbname='host=elsewhere o\\'dd\\\\'"


def test_the_dump_is_divided_by_the_size_of_its_files():
    lists = loading.decode_lists(LISTING, {"3462": 100, "3463": 90}, 2)
    assert [line.split(";")[0] for line in lists[0]] == ["3462", "221", "3470", "3301"]
    assert [line.split(";")[0] for line in lists[1]] == ["3463"]
    assert len(loading.decode_lists(LISTING, {}, 8)) == 2
    assert loading.decode_lists("", {}, 2) == [[]]


@pytest.mark.parametrize(
    ("major", "compression", "option"),
    [(17, "auto", "zstd:3"), (15, "auto", "6"), (15, "gzip:9", "9"), (15, "gzip", "6"), (15, "none", "0"), (16, "lz4", "lz4")],
)
def test_compression_is_the_best_there_is(major, compression, option):
    assert compress_option(major, compression) == option


def test_what_an_old_version_cannot_compress_with_is_refused():
    with pytest.raises(OpsError, match="gzip only"):
        compress_option(15, "zstd:3")


@pytest.mark.parametrize(
    ("code", "complaint", "unreadable"),
    [
        (1, "pg_restore: error: could not read from input file: end of file", True),
        (1, 'ERROR:  invalid input syntax\nCONTEXT:  COPY orders, line 3, column locale: "x"', True),
        (1, 'ERROR:  could not extend file "base/5/1": No space left on device', False),
        (1, 'ERROR:  extension "vector" is not available', False),
        (1, 'ERROR:  invalid LC_COLLATE locale name: "de_DE.utf8"', False),
        (1, "server closed the connection unexpectedly", False),
        (137, "", False),
    ],
)
def test_what_is_wanting_where_it_is_restored_does_not_speak_against_the_backup(code, complaint, unreadable):
    found = loading.failure("pg_restore could not restore it", Host(17), Finished(code, b"", complaint))
    assert isinstance(found, OpsError) and isinstance(found, loading.Unreadable) is unreadable
    assert unreadable or "on this host, and says nothing of the backup" in found.message
