-- Indexes whose worth is known. What the module must say of each is in vars/main.yml. Read on the replica by read.sql.
CREATE SCHEMA truth;
CREATE SCHEMA other;
SET search_path = truth;

CREATE TABLE items (
    id bigint PRIMARY KEY, code text CONSTRAINT items_code_key UNIQUE, serial int CONSTRAINT items_serial_key UNIQUE DEFERRABLE INITIALLY DEFERRED,
    email text, name text, a int, b int, c int, d int, e int, f int, tags jsonb, during int4range NOT NULL, guard int NOT NULL
);
INSERT INTO items SELECT n, 'c' || n, n, 'e' || n, 'n' || n, n, n % 100, n % 10, n, n, n, '{}', int4range(n, n + 1), n FROM generate_series(1, 5000) n;

-- What keeps values unique, whoever reads it.
CREATE UNIQUE INDEX items_email_unique ON items (email);
CREATE UNIQUE INDEX items_name_unique ON items (lower(name));
CREATE UNIQUE INDEX items_partial_unique ON items (a) WHERE b > 5;
CREATE UNIQUE INDEX items_guard_identity ON items (guard);
ALTER TABLE items REPLICA IDENTITY USING INDEX items_guard_identity;
ALTER TABLE items ADD CONSTRAINT items_during_excl EXCLUDE USING gist (during WITH &&);
CREATE INDEX items_clustered ON items (c, b);
ALTER TABLE items CLUSTER ON items_clustered;

-- What foreign keys need.
CREATE TABLE parents (id int PRIMARY KEY, alternative int NOT NULL, x int, y int);
CREATE UNIQUE INDEX parents_alternative ON parents (alternative);
ALTER TABLE parents ADD CONSTRAINT parents_xy UNIQUE (x, y);
INSERT INTO parents SELECT n, n, n, n FROM generate_series(1, 50) n;
CREATE TABLE children (
    id int, parent_id int REFERENCES parents, alternative int REFERENCES parents (alternative), x int, y int, maybe_id int REFERENCES parents,
    forgotten_id int CONSTRAINT children_forgotten REFERENCES parents, FOREIGN KEY (x, y) REFERENCES parents (x, y)
);
INSERT INTO children SELECT n, 1 + n % 50, 1 + n % 50, 1, 1, NULL, 1 + n % 50 FROM generate_series(1, 5000) n;
CREATE INDEX children_parent ON children (parent_id);
CREATE INDEX children_alternative ON children (alternative, id);
CREATE INDEX children_xy ON children (y, x, id);
CREATE INDEX children_maybe ON children (maybe_id) WHERE maybe_id IS NOT NULL;
-- It has the column, and does not find by it.
CREATE INDEX children_not_leading ON children (id, forgotten_id);

-- Of partitioned tables, and of one partition alone.
CREATE TABLE events (at int NOT NULL, kind text, note text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (1000);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (1000) TO (2000);
INSERT INTO events SELECT n, 'k' || n % 7, 'x' FROM generate_series(0, 1999) n;
CREATE INDEX events_kind ON events (kind);
CREATE UNIQUE INDEX events_at_unique ON events (at, lower(kind));
CREATE INDEX events_1_alone ON events_1 (note);

-- Read: here by a scan and by a bitmap, there on the replica only.
CREATE INDEX items_read ON items (d);
CREATE INDEX items_read_bitmap ON items (e);
CREATE INDEX items_read_on_replica ON items (f);

-- Nobody reads these, and nothing needs them.
CREATE INDEX items_unused ON items (a, b, c);
CREATE INDEX items_unused_descending ON items (b DESC NULLS LAST);
CREATE INDEX items_unused_expression ON items ((a + b));
CREATE INDEX items_unused_partial ON items (b) WHERE c = 1;
CREATE INDEX items_unused_hash ON items USING hash (name);
CREATE INDEX items_unused_gin ON items USING gin (tags);
CREATE INDEX items_unused_brin ON items USING brin (a);
CREATE INDEX items_unused_include ON items (c) INCLUDE (d);
CREATE INDEX items_unused_pattern ON items (name text_pattern_ops);
CREATE INDEX "Unused, and ""quoted""" ON items (a, d);
CREATE TABLE other.items (d int);
INSERT INTO other.items SELECT generate_series(1, 5000);
CREATE INDEX items_read ON other.items (d);
CREATE MATERIALIZED VIEW item_view AS SELECT id, a FROM items;
CREATE INDEX item_view_unused ON item_view (a);
CREATE UNLOGGED TABLE scratch AS SELECT n AS a FROM generate_series(1, 5000) n;
CREATE INDEX scratch_unused ON scratch (a);

-- Another one does the same.
CREATE INDEX items_same_as_key ON items (id);
CREATE UNIQUE INDEX items_code_twice ON items (code);
CREATE INDEX items_prefix ON items (a, b);
CREATE INDEX items_expression_twice ON items ((b + a));
CREATE INDEX items_expression_again ON items ((b   +   a));

ANALYZE;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT count(*) FROM items WHERE d = 77;
SET enable_bitmapscan = on;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SELECT count(*) FROM items WHERE e = 77;
