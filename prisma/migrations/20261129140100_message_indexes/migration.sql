-- no transaction
-- For the list of messages that failed in a time.
CREATE INDEX CONCURRENTLY "messages_application_id_created_at_id_idx" ON "messages"("application_id", "created_at", "id");

-- Empty but for moments.
CREATE INDEX CONCURRENTLY "messages_cancelling" ON "messages" ("cancelled_at") WHERE "cancelled_at" IS NOT NULL;
