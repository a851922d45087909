-- DropIndex
DROP INDEX "messages_created_at_idx";

-- AlterTable
ALTER TABLE "messages" ADD COLUMN     "keyed" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "application_id" INTEGER NOT NULL,
    "key" VARCHAR(255) NOT NULL,
    "digest" BYTEA NOT NULL,
    "message_ids" UUID[],
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("application_id","key")
);

-- CreateIndex
CREATE INDEX "idempotency_keys_expires_at_idx" ON "idempotency_keys"("expires_at");

-- AddForeignKey
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- From now on the content of what nobody gets is not stored: an empty body says that nothing of the message is open.
UPDATE "messages" m SET "body" = NULL WHERE "body" IS NOT NULL
  AND NOT EXISTS (SELECT FROM "deliveries" d WHERE d."message_id" = m."id" AND d."chunk_id" IS NOT NULL);

-- What retention asks for: each holds only rows that can be removed one day, in the order in which they will be.
CREATE INDEX "messages_bodiless" ON "messages" ("keyed", "created_at") WHERE "body" IS NULL;
CREATE INDEX "chunks_settled" ON "chunks" ("settled_at") WHERE "settled_at" IS NOT NULL AND "lane" = 'direct';
CREATE INDEX "devices_dropped" ON "devices" ("dropped_at") WHERE "dropped_at" IS NOT NULL;
