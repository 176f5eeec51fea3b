-- On the replica.
SET enable_seqscan = off;
SELECT count(*) FROM truth.items WHERE f = 77;
