# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restoring a database beside the live one, swapping it in, and back. Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import os
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_catalogue as catalogues
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_load as loading
from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_manifest as manifests
from ansible_collections.astraldraft.ops.plugins.module_utils import _docker
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_restore as plan
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import DATABASE
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_check import brought_bytes
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_store import label
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_verify import DumpVerification
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._database_content import TABLES, count_query, literal, properties_of
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import free_bytes
from ansible_collections.astraldraft.ops.plugins.module_utils._place import last_words
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_tools import Session, connection, tools_login
from ansible_collections.astraldraft.ops.plugins.module_utils._progress import timed
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso, utc_now
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import container_of, tools
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

LOCAL = ("127.0.0.1", "::1", "localhost")
QUIET_SECONDS = 5.0
# Until the swap nobody needs it, and the transaction of the swap makes all before it lasting.
LOAD_OPTIONS = "-c synchronous_commit=off"
RESULT = {
    "verdict": "inconclusive", "name": None, "database": None, "previous": None, "keep_until": None, "swapped_at": None,
    "unavailable_seconds": None, "parts": {}, "sessions_ended": {}, "rows_written_since": None, "removed": [], "kept": [], "actions": [],
    "findings": [], "notices": [], "needed_bytes": None, "free_bytes": None,
}  # fmt: skip


class Run:
    """One run of the module against one server. ``admin``: a session there; what it finds and does is told in ``result``."""

    def __init__(self, module, result, admin, login, progress):
        self.module, self.result, self.admin, self.login, self.progress = module, result, admin, login, progress
        self.params, self.check = module.params, module.check_mode
        self.live_name = login["login_db"]
        result["database"] = self.live_name
        self.state = admin.ask(plan.STATE.format(literal(self.live_name)))[0]
        plan.refuse(self.state, self.live_name)
        self.look()

    def look(self):
        """See which databases there are."""
        self.databases = self.admin.ask(plan.DATABASES)
        self.live = plan.by_name(self.databases, self.live_name)
        self.kept = plan.kept_of(self.databases, self.live_name)
        self.result["kept"] = [plan.told(kept) for kept in self.kept]

    def act(self, sentence):
        self.tell("actions", sentence)
        self.result["changed"] = True

    def tell(self, key, sentence):
        self.result[key] = self.result[key] + [sentence]

    def begin(self):
        """Be alone, and see what is there by then. Ends what somebody who died was about to end."""
        self.admin.alone(self.live_name)
        self.look()
        for kept in self.kept:
            if kept.counting:
                self.admin.do(plan.limit_sql(kept.name, kept.limit, False))

    def drop(self, name):
        self.module.fence()
        self.admin.do(plan.drop_sql(name))

    def drop_leftover(self):
        """What a dead run was restoring."""
        name = plan.restoring_name(self.live_name)
        if plan.by_name(self.databases, name):
            self.act("drop {0}, which a restore that died left behind".format(name))
            self.tell("removed", name)
            if not self.check:
                self.drop(name)

    # Clean

    def clean(self):
        if not self.check:
            self.begin()
        self.drop_leftover()
        for kept in plan.expired(self.kept, time.time()):
            self.act("drop {0}, kept until {1}".format(kept.name, kept.until))
            self.tell("removed", kept.name)
            if not self.check:
                self.drop(kept.name)
        if not self.check:
            self.look()
        self.result["verdict"] = catalogues.PASS

    # Accept

    def accept(self):
        if not self.check:
            self.begin()
        self.result["verdict"] = catalogues.PASS
        kept = plan.last_restored(self.kept, self.live)
        if not kept or not kept.provisional:
            return
        self.act("accept that {0} is {1}".format(self.live_name, kept.backup))
        self.result.update(name=kept.backup, previous=kept.name, keep_until=kept.until)
        if not self.check:
            self.module.fence()
            comment = plan.by_name(self.databases, kept.name)["comment"]
            self.admin.do(plan.comment_sql(kept.name, plan.accepted(comment)))

    # Swap

    def swap(self, incoming, role, limit, comment, replaced_by, counting=False, **more):
        """Give the database ``incoming`` the live one's name, which is kept as ``role``. -> its name then, or None when there was none"""
        now, outgoing, record, oids = time.time(), None, None, [replaced_by]
        if self.live:
            outgoing = plan.kept_name(self.live_name, role, utc_now(), {database["name"] for database in self.databases})
            record = plan.record_of(self.live, role, replaced_by, now, self.params["keep_previous_hours"], **more)
            oids.append(self.live["oid"])
        self.tell_swap(incoming, outgoing, record)
        if self.check:
            self.result["sessions_ended"] = self.state["sessions"]
            return outgoing
        sql = plan.swap_sql(self.live_name, incoming, limit, comment, outgoing, record, counting)
        self.progress.phase("swapping")
        # What was renamed meanwhile is not what was looked at.
        self.module.fence()
        with timed(self.result["parts"], "swap_seconds"):
            done = self.admin.swap(sql, oids, self.params["swap_timeout"])
        self.result.update(
            swapped_at=to_iso(time.time()), unavailable_seconds=done.seconds if outgoing else 0.0, sessions_ended=done.ended
        )  # fmt: skip
        return outgoing

    def tell_swap(self, incoming, outgoing, record):
        self.result.update(previous=outgoing, keep_until=record["until"] if record else None)
        kept = ", which is kept as {0} until {1}".format(outgoing, record["until"]) if outgoing else ""
        self.act("put {0} in the place of {1}{2}".format(incoming, self.live_name, kept))
        if self.state["standbys"]:
            self.tell(
                "notices",
                "Sessions on the {0} standbys go on reading the database that was put aside, until they connect anew.".format(
                    self.state["standbys"]
                ),
            )
        if self.live and not self.live["open"]:
            self.tell("notices", "{0} took no connections before; afterwards it does.".format(self.live_name))

    # Undo

    def undo(self):
        if not self.check:
            self.begin()
        target = plan.last_restored(self.kept, self.live)
        self.result["verdict"] = catalogues.PASS
        if not target:
            self.tell("notices", self.why_nothing())
            return
        self.result["name"] = target.backup
        plan.refuse_swap(self.state, self.live_name)
        written = self.written(target)
        self.result["rows_written_since"] = self.describe_written(written)
        name = self.swap(
            target.name, plan.UNDONE, target.limit, target.comment, target.oid, True, backup=target.backup, manifest_sha256=target.sha256
        )  # fmt: skip
        if not self.check:
            # Nobody writes to it any more: this is what is true.
            limit = self.live["limit"]
            try:
                with timed(self.result["parts"], "count_seconds"):
                    then = plan.writes_since(target.written, self.admin.ask_in(name, plan.WRITTEN))
                    self.result["rows_written_since"] = self.describe_written(then, *self.count(name, target))
            finally:
                self.admin.do(plan.limit_sql(name, limit, False))
            self.look()

    def why_nothing(self):
        if not self.live:
            return "There is nothing to undo: there is no database {0}.".format(self.live_name)
        if self.kept and self.kept[0].role == plan.UNDONE:
            return "There is nothing to undo: the restore of {0} was undone at {1}.".format(self.live_name, self.kept[0].since)
        return "There is nothing to undo: no database is kept that {0} took the place of.".format(self.live_name)

    def written(self, kept):
        """What was written to the live database since it took the place of ``kept``, or None."""
        return plan.writes_since(kept.written, self.admin.ask_in(self.live_name, plan.WRITTEN)) if self.live["open"] else None

    @staticmethod
    def describe_written(written, tables=None, why=None):
        found = written or dict.fromkeys((*plan.COUNTERS, plan.ALTERED))
        return dict(found, known=written is not None, tables=tables or [], counted=tables is not None, why_not_counted=why)

    def count(self, name, kept):
        """-> (tables whose number of rows differs from the backup's, or None, why they were not counted or None)"""
        seconds = self.params["count_timeout"]
        if not seconds:
            return None, "count_timeout is 0."
        catalogue = catalogues.Catalogue(self.params["path"])
        try:
            entry = catalogues.find(catalogue.read(), kept.backup, DATABASE)
            manifest, _sha256 = manifests.read(catalogue.path_of(entry), kept.sha256)
        except OpsError as error:
            return None, error.message
        self.progress.phase("counting rows")
        # In a thread: the operation's lock is renewed meanwhile.
        now = in_parallel([(lambda: self.rows_of(name, seconds), seconds)], self.progress.tick)[0]
        if not isinstance(now, dict):
            return None, "Not all tables could be counted within {0:g} s{1}.".format(seconds, ": {0}".format(now) if now else "")
        then = {(table["schema"], table["name"]): table["rows"] for table in manifest["tables"]}
        return plan.other_rows(then, now), None

    def rows_of(self, name, seconds):
        """How many rows the tables of a database have: (schema, name) to a number. Raises OpsError when that takes longer."""
        deadline, session, found = Deadline(seconds), self.admin.connect(name), {}
        try:
            for table in [row[0] for row in self.admin.rows(TABLES, connection=session)]:
                self.admin.rows("SET statement_timeout = {0:d}".format(max(1, int(deadline.remaining * 1000))), connection=session)
                found[table["schema"], table["name"]] = self.admin.rows(count_query(0, table, False), connection=session)[0][0][1]
            return found
        finally:
            session.close()

    # Restore

    def restore(self):
        params, catalogue = self.params, catalogues.Catalogue(self.params["path"])
        wanted = params["database"] or self.live_name
        entry = catalogues.find(catalogue.read(), params["name"], DATABASE, params["environment"], wanted)
        self.result["name"] = entry["name"]
        plan.refuse_backup(entry, wanted, self.state)
        plan.refuse_swap(self.state, self.live_name)
        if self.is_live(entry):
            self.result.update(verdict=catalogues.PASS)
            return
        if self.check:
            self.foresee(catalogue, entry)
            return
        with catalogue.alone("restore"), tools(params, self.state["major"]) as place:
            self.begin()
            self.drop_leftover()
            left = place.leftovers(label(catalogue.folder, "restore"))
            if left:
                self.module.fence()
                place.remove(left)
            with place.workspace(label(catalogue.folder, "restore")) as work:
                self.restore_from(catalogue, entry, place, work)
        self.look()

    def is_live(self, entry):
        """Whether the live database is that backup, and nobody has written to it, or a run that was killed put it there. Says so."""
        kept = plan.last_restored(self.kept, self.live)
        if not kept or kept.sha256 != entry["manifest_sha256"]:
            return False
        if kept.provisional:
            self.result.update(previous=kept.name, keep_until=kept.until, swapped_at=kept.since)
            why = "a run that did not come to its end put it there at {0}".format(kept.since)
        else:
            written = self.written(kept)
            if written is None or any(written.values()):
                return False
            why = "nothing was written since"
        self.tell("notices", "{0} is {1} already: {2}.".format(self.live_name, entry["name"], why))
        return True

    def foresee(self, catalogue, entry):
        manifest, _sha256 = manifests.read(catalogue.path_of(entry), entry["manifest_sha256"])
        self.demand(manifest, 0, None)
        self.drop_leftover()
        name = plan.restoring_name(self.live_name)
        self.act("restore {0} into {1}".format(entry["name"], name))
        self.swap(name, plan.PREVIOUS, 0, None, 0)

    def demand(self, manifest, brought, place):
        """What is needed of the server beside the live database. Raises OpsError."""
        plan.refuse_extensions(manifest, self.state)
        needed = plan.needed_bytes(manifest, brought, self.params["space_factor"], self.params["reserve_bytes"])
        free, where = self.measure(place)
        self.result.update(needed_bytes=needed, free_bytes=free)
        if free is None and needed:
            self.tell(
                "notices",
                "How much is free where the server keeps its data could not be measured; {0} MiB are needed. Say it as free_bytes, or name "
                "the folder as data_path.".format(needed >> 20),
            )
        plan.refuse_space(needed, free, where)

    def measure(self, place):
        """-> (what is free in the file system of the server's data, or None, where that is)"""
        params, folder = self.params, self.state["data_directory"]
        if params["free_bytes"] is not None:
            return params["free_bytes"], "the server"
        if params["data_path"]:
            return free_bytes(params["data_path"]), params["data_path"]
        if params["service"] or params["container"]:
            with _docker.engine(params["docker_host"]) as client:
                found = container_of(client, params)
            source = plan.mounted_at(found.inspection.get("Mounts") or [], folder)
            if source:
                return (free_bytes(source), source) if os.path.isdir(source) else (None, source)
            # In the container's own layer, which is where those of all containers are.
            return (place.free_bytes("/"), "the disk of the containers") if place else (None, folder)
        if (self.login["login_host"] in LOCAL or self.login["login_host"].startswith("/")) and os.path.isdir(folder):
            return free_bytes(folder), folder
        return None, folder

    def restore_from(self, catalogue, entry, place, work):
        params, name = self.params, plan.restoring_name(self.live_name)
        verification = DumpVerification(
            catalogue.path_of(entry), entry, catalogues.CHECKSUM, params["jobs"], self.progress, time.time(), params["identity_path"],
            params["queries"],
        )  # fmt: skip
        self.result["parts"] = verification.check["parts"]
        started = time.monotonic()
        manifest = verification.files()
        if manifest:
            self.demand(manifest, brought_bytes(manifest, place), place)
        folder = verification.look(manifest, place, work) if manifest else None
        self.note(catalogue, entry, catalogues.CHECKSUM, verification.conclude(started))
        self.refuse_found(verification, entry)
        # Of the live one as it is now; where there is none, as it was.
        found = self.admin.ask(properties_of(self.live_name)) if self.live else []
        properties = found[0] if found else manifest["properties"]
        login = tools_login(dict(params, login_host=self.login["login_host"]), self.state)
        environment = dict(connection(place, login, work), PGOPTIONS=LOAD_OPTIONS)
        session = Session(place, work, environment, self.progress.tick)
        extra = self.prepare(verification, manifest, properties, session, folder)
        try:
            self.load(manifest, properties, session, folder, extra)
            verification.compare(manifest, session, name)
            if verification.check["findings"] and self.state["major"] == int(manifest["server_version"].split(".")[0]):
                self.note(catalogue, entry, catalogues.RESTORE, dict(verification.conclude(started), level=catalogues.RESTORE))
            self.refuse_found(verification, entry)
            verification.ask_queries(session, name)
            self.refuse_found(verification, entry)
            self.finish(session, properties)
            written, oid = self.settle()
            self.swap(
                name, plan.PREVIOUS, properties["connection_limit"], properties["comment"], oid, backup=entry["name"],
                manifest_sha256=entry["manifest_sha256"], written=written, provisional=params["provisional"],
            )  # fmt: skip
        except BaseException:
            with contextlib.suppress(OpsError):
                self.drop(name)
            raise
        self.result["verdict"] = catalogues.PASS

    def note(self, catalogue, entry, level, check):
        with catalogue.changing() as entries:
            catalogues.record_check(catalogues.find(entries, entry["name"], DATABASE), level, check)

    def refuse_found(self, verification, entry):
        findings = verification.check["findings"]
        if findings:
            self.result.update(findings=findings, verdict=catalogues.FAIL)
            raise OpsError("{0} is not restored: {1} {2} is as it was.".format(entry["name"], " ".join(findings)[:1000], self.live_name))

    def prepare(self, verification, manifest, properties, session, folder):
        """See that the cluster has what the dump names. -> further arguments for pg_restore"""
        place = session.place
        argv = ["pg_restore", "--schema-only", "--file=-", "--format=directory", folder]
        schema = place.must(argv, self.progress.tick).decode("utf-8", "replace")
        saved = verification.globals(manifest)
        missing = sorted(plan.wanted_roles(schema, saved, properties) - set(self.state["roles"]))
        if missing and not self.params["create_roles"]:
            raise OpsError(
                "The server does not have these roles, which own what is restored, or may use it: {0}. Create them, or let them be "
                "created as they were saved (create_roles: true); their passwords are then to be set.".format(", ".join(missing))
            )
        if missing:
            done = session.run_sql("\n".join(plan.roles_sql(saved, missing)) + "\n", plan.MAINTENANCE)
            if done.code:
                raise OpsError("The roles {0} could not be created: {1}".format(", ".join(missing), last_words(done.complaint)))
            self.act("create the roles {0}".format(", ".join(missing)))
        nowhere = sorted(plan.wanted_tablespaces(schema) - set(self.state["tablespaces"]))
        if nowhere:
            self.tell(
                "notices",
                "The server does not have the tablespaces {0}: what was in them is in the default one.".format(", ".join(nowhere)),
            )
        return ["--no-tablespaces"] if nowhere else []

    def load(self, manifest, properties, session, folder, extra):
        name = plan.restoring_name(self.live_name)
        self.progress.phase("restoring")
        self.act("restore {0} into {1}".format(self.result["name"], name))
        with timed(self.result["parts"], "create_seconds"):
            made = dict(manifest["properties"], owner=properties["owner"])
            # Nobody but superusers until it is what it shall be.
            self.admin.do(loading.create_database_sql(name, made) + " CONNECTION LIMIT 0")
        with timed(self.result["parts"], "load_seconds"):
            loading.load(session.place, session.environment, folder, name, self.params["jobs"], self.progress.tick, extra)

    def finish(self, session, properties):
        """Statistics for the planner, and what belongs to the database itself."""
        name = plan.restoring_name(self.live_name)
        self.progress.phase("analyzing")
        argv = ["vacuumdb", "--analyze-only", "--quiet", "--no-password", "--jobs={0}".format(self.params["jobs"])]
        with timed(self.result["parts"], "analyze_seconds"):
            session.place.must(argv + ["--dbname=" + loading.connection_string(name)], self.progress.tick, session.environment)
        for sql in loading.database_properties_sql(name, dict(properties, connection_limit=0, comment=None)):
            self.admin.do(sql)

    def settle(self):
        """Wait until nobody is in the new database, whose figures are complete then. -> (what was written to it, its oid)"""
        name, deadline = plan.restoring_name(self.live_name), Deadline(QUIET_SECONDS)
        while self.admin.ask(plan.SESSIONS_OF, (name,))[0] and not deadline.passed:
            self.progress.tick()
            time.sleep(0.1)
        written = self.admin.ask_in(name, plan.WRITTEN)
        self.state = self.admin.ask(plan.STATE.format(literal(self.live_name)))[0]
        plan.refuse_swap(self.state, self.live_name)
        self.look()
        return written, plan.by_name(self.databases, name)["oid"]
