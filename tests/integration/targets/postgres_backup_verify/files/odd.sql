-- Names that have to be quoted, in a database whose encoding is not UTF-8. What all databases share is not converted: it keeps to ASCII.
CREATE ROLE "role d'ete" LOGIN;
CREATE DATABASE "l'ete = 100 %" ENCODING 'LATIN1' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0 OWNER "role d'ete";
\connect 'dbname=\'l\\\'ete = 100 %\''
CREATE SCHEMA "s=1";
CREATE TABLE "s=1"."tablé ""x"" %s" ("né" text PRIMARY KEY);
INSERT INTO "s=1"."tablé ""x"" %s" VALUES ('été'), ('hiver');
ALTER TABLE "s=1"."tablé ""x"" %s" OWNER TO "role d'ete";
