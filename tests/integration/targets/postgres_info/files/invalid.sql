-- Fails, and leaves an index that is not valid.
CREATE UNIQUE INDEX CONCURRENTLY items_broken ON truth.items (b);
