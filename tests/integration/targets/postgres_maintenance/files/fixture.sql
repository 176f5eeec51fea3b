-- One table a condition, and a sound one.
DROP TABLE IF EXISTS dirty, stale, sound, bloated, parts, excluded CASCADE;
CREATE EXTENSION IF NOT EXISTS pgstattuple;
CREATE TABLE sound (id int PRIMARY KEY, v text);
INSERT INTO sound SELECT g, md5(g::text) FROM generate_series(1, 20000) g;
CREATE TABLE dirty (id int PRIMARY KEY, v text);
INSERT INTO dirty SELECT g, md5(g::text) FROM generate_series(1, 20000) g;
CREATE TABLE stale (id int PRIMARY KEY, v text);
INSERT INTO stale SELECT g, md5(g::text) FROM generate_series(1, 20000) g;
CREATE TABLE bloated (id int PRIMARY KEY, v text);
INSERT INTO bloated SELECT g, md5(g::text) FROM generate_series(1, 60000) g;
CREATE INDEX bloated_v ON bloated (v);
CREATE TABLE excluded (id int, room int4range, EXCLUDE USING gist (room WITH &&));
CREATE TABLE parts (id int, v text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10000);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10000) TO (20000);
INSERT INTO parts SELECT g, md5(g::text) FROM generate_series(1, 19999) g;
-- Half of the index is empty, and the dead rows are gone.
DELETE FROM bloated WHERE id % 4 <> 0;
SELECT pg_stat_force_next_flush();
VACUUM ANALYZE sound, dirty, stale, bloated, excluded;
DELETE FROM dirty WHERE id % 2 = 0;
UPDATE stale SET v = 'x' WHERE id <= 3000;
-- Counted before the VACUUM, not after it.
SELECT pg_stat_force_next_flush();
VACUUM stale;
-- What an interrupted rebuild leaves, and what an interrupted CREATE INDEX CONCURRENTLY does.
CREATE INDEX sound_v_ccnew ON sound (v);
CREATE INDEX sound_v ON sound (v);
UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('sound_v_ccnew'::regclass, 'sound_v'::regclass);
