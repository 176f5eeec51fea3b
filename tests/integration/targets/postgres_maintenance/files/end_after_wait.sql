-- Ends who holds the lock, half a second after the lock timeout of the first attempt.
DO $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'astraldraft.ops' AND wait_event_type = 'Lock') LOOP
        PERFORM pg_sleep(0.05);
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
    PERFORM pg_sleep(1);
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%SHARE UPDATE%' AND pid <> pg_backend_pid();
END $$
