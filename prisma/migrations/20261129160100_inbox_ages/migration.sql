-- no transaction
-- For the removal of inbox messages that are past the age of a setting.
CREATE INDEX CONCURRENTLY "inbox_messages_created_at_idx" ON "inbox_messages"("created_at");

-- For the removal of those that have expired.
CREATE INDEX CONCURRENTLY "inbox_messages_valid_until" ON "inbox_messages" ("valid_until") WHERE "valid_until" IS NOT NULL;
