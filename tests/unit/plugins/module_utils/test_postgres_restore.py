"""What is refused, what is kept, what is renamed. Real restores are those of the integration target."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_restore as plan
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.backups import NOW, PROPERTIES, entry, manifest

MOMENT = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC)
STATE = {
    "version": "17.5", "number": 170005, "major": 17, "port": 5432, "in_recovery": False, "superuser": True, "prepared": [], "slots": [],
    "subscriptions": [], "sessions": {}, "standbys": 0, "extensions": ["plpgsql"], "roles": ["postgres"], "tablespaces": ["pg_default"],
}  # fmt: skip
WRITTEN = {"inserted": 5, "updated": 0, "deleted": 0, "tables": "a", "since": "yesterday"}


def database(name, oid, comment=None, **more):
    return dict({"name": name, "oid": oid, "comment": comment, "bytes": 8, "open": True, "limit": -1}, **more)


def put_aside(name, oid, replaced_by, role=plan.PREVIOUS, now=NOW, of="shop", hours=72, **more):
    record = plan.record_of(database(of, oid, "its own"), role, replaced_by, now, hours, backup="b", manifest_sha256="s", written=WRITTEN)
    return database(name, oid, plan.comment_of(record), open=False, **more)


def kept_of(*databases):
    return plan.kept_of(databases, "shop")


def test_where_it_is_restored_into_has_one_name():
    assert plan.restoring_name("shop") == plan.restoring_name("shop") != plan.restoring_name("shops")


@pytest.mark.parametrize("name", ["shop", "s" * 63, "é" * 31, "名" * 21])
def test_names_fit(name):
    found = [plan.restoring_name(name), plan.kept_name(name, plan.PREVIOUS, MOMENT, ())]
    assert all(len(one.encode()) <= 63 for one in found)
    assert plan.restoring_name("s" * 62) != plan.restoring_name("s" * 63)


def test_a_name_that_is_taken_is_not_used():
    first = plan.kept_name("shop", plan.UNDONE, MOMENT, ())
    assert first == "shop__undone_20261124_120000"
    assert plan.kept_name("shop", plan.UNDONE, MOMENT, {first}) == first + "_2"


def test_who_took_whose_place_stands_in_the_comment():
    kept = kept_of(database("shop", 2), put_aside("shop__before_1", 1, 2), database("other", 3, '{"astraldraft.ops": 1}'))
    assert [one.name for one in kept] == ["shop__before_1"]
    assert (kept[0].comment, kept[0].limit, kept[0].replaced_by, kept[0].written) == ("its own", -1, 2, WRITTEN)
    assert kept[0].until == "2026-11-27T12:00:00.000Z"


def test_what_is_accepted_is_not_provisional_any_more():
    record = plan.record_of(database("shop", 1), plan.PREVIOUS, 2, NOW, 72, backup="b", provisional=True)
    comment = plan.comment_of(record)
    before, after = (kept_of(database("shop__before_1", 1, text))[0] for text in (comment, plan.accepted(comment)))
    assert before.provisional and not after.provisional
    assert before._replace(provisional=False) == after


def test_of_another_database_nothing_is_kept():
    assert kept_of(put_aside("shop__before_1", 1, 2, of="other")) == []


def test_the_last_restore_is_undone_once():
    live, before = database("shop", 2), put_aside("shop__before_1", 1, 2)
    assert plan.last_restored(kept_of(before), live).name == "shop__before_1"
    # Undone: the old one is live, what was restored is kept.
    live, undone = database("shop", 1), put_aside("shop__undone_1", 2, 1, plan.UNDONE, NOW + 1)
    assert plan.last_restored(kept_of(undone), live) is None
    # An older restore than the one that was undone is not undone by asking twice.
    older = put_aside("shop__before_0", 9, 1, now=NOW - 9)
    assert plan.last_restored(kept_of(older, undone), live) is None


@pytest.mark.parametrize(
    "kept", [put_aside("shop__before_1", 1, 3), put_aside("shop__before_1", 1, 2, limit=plan.INVALID), database("shop__before_1", 1)]
)
def test_what_did_not_make_way_for_the_live_one_or_is_half_dropped_is_not_put_back(kept):
    assert plan.last_restored(kept_of(kept), database("shop", 2)) is None


def test_whose_time_is_over_goes_and_what_is_half_dropped():
    over, half = put_aside("shop__before_0", 1, 2, hours=-1), put_aside("shop__before_1", 3, 4, limit=plan.INVALID)
    found = plan.expired(kept_of(over, half, put_aside("shop__before_2", 5, 6)), NOW)
    assert {kept.name for kept in found} == {over["name"], half["name"]}


def test_whoever_counted_did_not_come_to_an_end():
    found = put_aside("shop__undone_1", 1, 2, plan.UNDONE)
    assert [one.counting for one in kept_of(found, dict(found, name="b", open=True, limit=0))] == [False, True]


def test_what_was_written_is_not_known_after_a_crash():
    now = dict(WRITTEN, inserted=7, updated=1)
    assert plan.writes_since(WRITTEN, now) == {"inserted": 2, "updated": 1, "deleted": 0, "altered": False}
    assert plan.writes_since(WRITTEN, dict(now, tables="b"))["altered"]
    assert plan.writes_since(WRITTEN, dict(now, since="today")) is None
    assert plan.writes_since(None, WRITTEN) is None


def test_tables_with_other_rows_are_named():
    then, now = {("public", "a"): 1, ("public", "b"): 2, ("public", "c"): 3}, {("public", "a"): 1, ("public", "b"): 5, ("public", "d"): 1}
    found = plan.other_rows(then, now)
    assert [(one["name"], one["rows_then"], one["rows_now"]) for one in found] == [("b", 2, 5), ("c", 3, 0), ("d", 0, 1)]


@pytest.mark.parametrize(
    ("name", "more", "says"),
    [
        ("postgres", {}, "the server's own"),
        ("shop", {"in_recovery": True}, "a standby"),
        ("shop", {"number": 120000, "version": "12.1"}, "12.1"),
        ("shop", {"superuser": False}, "a superuser"),
    ],
)
def test_servers_that_take_no_restore(name, more, says):
    with pytest.raises(OpsError, match=says):
        plan.refuse(dict(STATE, **more), name)
    plan.refuse(STATE, "shop")


@pytest.mark.parametrize(("key", "says"), [("prepared", "prepared transactions: x, y"), ("slots", "slots: x"), ("subscriptions", ": x")])
def test_what_is_in_the_way_of_a_swap_is_named(key, says):
    with pytest.raises(OpsError, match=says):
        plan.refuse_swap(dict(STATE, **{key: ["x", "y"]}), "shop")
    plan.refuse_swap(STATE, "shop")


def test_backups_that_are_not_restored():
    plan.refuse_backup(entry(1), "shop", STATE)
    for found, wanted, says in (
        (entry(1, bad=True), "shop", "marked bad: broken"),
        (entry(1), "other", "database: shop"),
        (entry(1, server_version="18.0"), "shop", "of version 18.0"),
    ):
        with pytest.raises(OpsError, match=says):
            plan.refuse_backup(found, wanted, STATE)


def test_extensions_that_are_not_there():
    plan.refuse_extensions(manifest(), STATE)
    with pytest.raises(OpsError, match="postgis"):
        plan.refuse_extensions(manifest(extensions=[{"name": "postgis"}]), STATE)


def test_space():
    assert plan.needed_bytes(manifest(), 5, 1.5, 100) == 15105 and plan.needed_bytes(manifest(), 5, 0, 100) == 0
    plan.refuse_space(10, None, "x")
    plan.refuse_space(10, 10, "x")
    with pytest.raises(OpsError, match="Make room"):
        plan.refuse_space(10, 9, "x")


GLOBALS = """
CREATE ROLE app;
ALTER ROLE app WITH NOSUPERUSER LOGIN;
CREATE ROLE "odd ""r"" role";
ALTER ROLE "odd ""r"" role" WITH NOLOGIN;
CREATE ROLE report;
ALTER ROLE report WITH NOLOGIN;
ALTER ROLE report SET work_mem TO '64MB';
CREATE ROLE unused;
GRANT report TO app WITH INHERIT TRUE GRANTED BY postgres;
"""
SCHEMA = """
SET default_tablespace = '';
CREATE TABLE public.unused (unused text);
ALTER TABLE public.unused OWNER TO app;
SET default_tablespace = fast;
SET default_tablespace = "s p";
GRANT SELECT ON TABLE public.unused_too TO "odd ""r"" role";
ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA public GRANT SELECT ON TABLES TO report;
"""


def test_the_roles_that_a_dump_names():
    properties = dict(PROPERTIES, grants=[{"to": "visitor"}, {"to": None}], settings=[{"role": "setter"}, {"role": None}])
    found = plan.wanted_roles(SCHEMA.replace("public.unused ", "public.x "), GLOBALS, properties)
    assert found >= {"app", 'odd "r" role', "report", "shop", "visitor", "setter"}
    assert "postgres" not in found


def test_a_role_that_nothing_belongs_to_is_not_wanted():
    assert "unused" not in plan.wanted_roles("CREATE TABLE unused (a int);\nALTER TABLE a OWNER TO app;\n", GLOBALS, PROPERTIES)


def test_roles_are_made_as_they_were():
    assert plan.roles_sql(GLOBALS, ['odd "r" role', "report"]) == [
        'CREATE ROLE "odd ""r"" role";',
        "CREATE ROLE report;",
        'ALTER ROLE "odd ""r"" role" WITH NOLOGIN;',
        "ALTER ROLE report WITH NOLOGIN;",
        "ALTER ROLE report SET work_mem TO '64MB';",
    ]
    assert plan.roles_sql(GLOBALS, ["app"])[-1] == "GRANT report TO app WITH INHERIT TRUE GRANTED BY postgres;"


def test_tablespaces_that_a_dump_names():
    assert plan.wanted_tablespaces(SCHEMA) == {"fast", "s p"}


def test_the_swap_is_one_transaction():
    record = plan.record_of(database("shop", 1, "it's"), plan.PREVIOUS, 2, NOW, 1)
    sql = plan.swap_sql("shop", "shop__restoring_1", 50, "it's", "shop__before_1", record)
    lines = sql.split(";\n")
    assert lines[0] == "BEGIN" and lines[-1] == "COMMIT"
    assert lines[1:3] == ['ALTER DATABASE "shop" RENAME TO "shop__before_1"', 'ALTER DATABASE "shop__restoring_1" RENAME TO "shop"']
    assert 'ALTER DATABASE "shop__before_1" ALLOW_CONNECTIONS false CONNECTION LIMIT -1' in lines
    assert 'ALTER DATABASE "shop" ALLOW_CONNECTIONS true CONNECTION LIMIT 50' in lines
    assert "COMMENT ON DATABASE \"shop\" IS 'it''s'" in lines
    counting = plan.swap_sql("shop", "a", 50, None, "b", record, counting=True)
    assert 'ALTER DATABASE "b" ALLOW_CONNECTIONS true CONNECTION LIMIT 0' in counting and 'COMMENT ON DATABASE "shop" IS NULL' in counting


def test_without_a_live_one_there_is_one_rename():
    assert plan.swap_sql("shop", "new", -1, None).count("RENAME") == 1


def test_where_a_container_keeps_its_data():
    folders = {"/": "/a", "/data/pg": "/b", "/data/pg2": "/c"}
    mounts = [{"Destination": inside, "Source": outside} for inside, outside in folders.items()]
    assert plan.mounted_at(mounts, "/data/pg/17") == "/b"
    assert plan.mounted_at(mounts[1:], "/var/lib") is None
