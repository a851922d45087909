-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "raw_blocks" BOOLEAN NOT NULL DEFAULT false;

-- Keys may have the scope of raw blocks.
ALTER TABLE "api_keys" DROP CONSTRAINT "api_keys_scopes_check";
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_scopes_check" CHECK (cardinality("scopes") > 0 AND "scopes" <@ ARRAY['device', 'message', 'message-raw', 'campaign', 'inbox', 'admin', 'queue-ui', 'metrics']);
