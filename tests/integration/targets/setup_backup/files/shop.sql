CREATE ROLE shop LOGIN PASSWORD 'shop-password';
CREATE ROLE reader LOGIN PASSWORD 'reader-password';
CREATE DATABASE shop OWNER shop;
ALTER DATABASE shop SET work_mem = '3MB';
GRANT CONNECT ON DATABASE shop TO reader;
\connect shop
CREATE EXTENSION pg_trgm;
CREATE SCHEMA "odd schema";
ALTER SCHEMA "odd schema" OWNER TO shop;
SET ROLE shop;
CREATE TABLE orders (id bigserial PRIMARY KEY, amount numeric NOT NULL CHECK (amount > 0), note text, placed timestamptz, details jsonb);
INSERT INTO orders (amount, note, placed, details)
  SELECT n, md5(n::text), timestamptz '2026-01-01 00:00+00' + n * interval '1 minute', jsonb_build_object('n', n) FROM generate_series(1, 30000) n;
CREATE INDEX ON orders (note);
CREATE TABLE "odd schema"."We ird""T" (t int, x text);
INSERT INTO "odd schema"."We ird""T" VALUES (1, 'a'), (2, NULL), (3, E'tab\tand\nline');
CREATE TABLE parts (id int, k int) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
INSERT INTO parts SELECT n, 1 FROM generate_series(1, 100) n;
CREATE TABLE nothing (x int);
CREATE VIEW cheap AS SELECT * FROM orders WHERE amount < 10;
CREATE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 42';
GRANT SELECT ON orders TO reader;
