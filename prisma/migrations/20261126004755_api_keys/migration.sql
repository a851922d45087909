-- CreateTable
CREATE TABLE "api_keys" (
    "id" VARCHAR(64) NOT NULL,
    "name" VARCHAR(255) NOT NULL,
    "hash" BYTEA NOT NULL,
    "scopes" TEXT[],
    "app_ids" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- A list that is absent could be read as "any": it is always there. Nor may one hold an empty name.
ALTER TABLE "api_keys" ALTER COLUMN "scopes" SET NOT NULL, ALTER COLUMN "app_ids" SET NOT NULL;
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_scopes_check" CHECK (cardinality("scopes") > 0 AND "scopes" <@ ARRAY['device', 'message', 'campaign', 'inbox', 'admin', 'queue-ui', 'metrics']);
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_app_ids_check" CHECK (array_position("app_ids", NULL) IS NULL AND NOT '' = ANY ("app_ids"));
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_hash_check" CHECK (octet_length("hash") = 32);
