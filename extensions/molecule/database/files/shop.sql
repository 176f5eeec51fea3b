CREATE ROLE monitor LOGIN PASSWORD 'throwaway-monitor' IN ROLE pg_monitor;
CREATE ROLE backup LOGIN PASSWORD 'throwaway-backup' IN ROLE pg_read_all_data;

SET ROLE app;
INSERT INTO orders (writer, number, note) SELECT 'prepare', n, repeat('x', 100) FROM generate_series(1, 5000) AS n;
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO customers SELECT n, 'customer ' || n FROM generate_series(1, 2000) AS n;
-- Nobody tidies this one up before the playbook does.
CREATE TABLE carts (id int PRIMARY KEY, item text NOT NULL) WITH (autovacuum_enabled = false);
INSERT INTO carts SELECT n, repeat('y', 100) FROM generate_series(1, 20000) AS n;
DELETE FROM carts WHERE id % 10 <> 0;
