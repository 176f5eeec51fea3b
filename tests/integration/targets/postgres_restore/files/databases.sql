SELECT datname, datallowconn, datconnlimit, pg_get_userbyid(datdba), shobj_description(oid, 'pg_database') IS NOT NULL,
       (SELECT array_agg(setconfig ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = oid),
       has_database_privilege('reader', oid, 'CONNECT')
  FROM pg_database WHERE datname LIKE 'shop%' ORDER BY datname;
