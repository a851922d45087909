-- Each delivery is written twice: when it is stored, and when it has its outcome. With room on its page the second write touches none
-- of the three indexes. Measured with batches of 50: 73 % instead of none, and a fifth less of the log. It applies to new pages.
ALTER TABLE "deliveries" SET (fillfactor = 60);

-- By default a table is vacuumed once a fifth of it has changed, and analysed after a tenth: of a hundred million rows that is days
-- of traffic. These are vacuumed after a hundredth, and after as many new rows, whose pages are then known to be visible to all.
ALTER TABLE "messages" SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE "deliveries" SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);

-- A settled chunk leaves its entries in the three indexes of open ones until a vacuum. The sweep and the reading of the backlog pass
-- all of them, so not the size of the table counts, but how many have settled.
ALTER TABLE "chunks" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_insert_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000);

-- Few rows, which are written all the time and read by every claim: they stay on a page or two.
ALTER TABLE "token_guards" SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
ALTER TABLE "runs" SET (fillfactor = 50);
