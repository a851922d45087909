-- AlterTable
ALTER TABLE "activations" ADD COLUMN     "application_row" INTEGER;

-- CreateTable
CREATE TABLE "api_key_applications" (
    "key_id" VARCHAR(64) NOT NULL,
    "application_id" INTEGER NOT NULL,

    CONSTRAINT "api_key_applications_pkey" PRIMARY KEY ("key_id","application_id")
);

-- CreateTable
CREATE TABLE "table_walks" (
    "name" VARCHAR(64) NOT NULL,
    "after" VARCHAR(64) NOT NULL DEFAULT '',

    CONSTRAINT "table_walks_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE INDEX "api_key_applications_application_id_idx" ON "api_key_applications"("application_id");

-- AddForeignKey
ALTER TABLE "activations" ADD CONSTRAINT "activations_application_row_fkey" FOREIGN KEY ("application_row") REFERENCES "applications"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_key_applications" ADD CONSTRAINT "api_key_applications_key_id_fkey" FOREIGN KEY ("key_id") REFERENCES "api_keys"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_key_applications" ADD CONSTRAINT "api_key_applications_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- A key belongs to an application that was there when the key was made. A younger one of that name is another application.
INSERT INTO "api_key_applications" ("key_id", "application_id")
SELECT k."id", a."id" FROM "api_keys" k
JOIN "applications" a ON a."app_id" = ANY (k."app_ids") AND a."created_at" <= k."created_at"
WHERE k."revoked_at" IS NULL;

-- Names of applications that are gone come off. A list is never emptied, as that would mean all: such a key is revoked.
UPDATE "api_keys" k SET "revoked_at" = now()
WHERE k."revoked_at" IS NULL AND k."app_ids" <> '{}'
  AND NOT EXISTS (SELECT FROM "api_key_applications" b WHERE b."key_id" = k."id");

UPDATE "api_keys" k SET "app_ids" = ARRAY(
  SELECT a."app_id" FROM "api_key_applications" b JOIN "applications" a ON a."id" = b."application_id"
  WHERE b."key_id" = k."id" ORDER BY array_position(k."app_ids", a."app_id"::text))
WHERE EXISTS (SELECT FROM "api_key_applications" b WHERE b."key_id" = k."id");

-- Activations may be a million: the scheduler binds them in steps.
INSERT INTO "table_walks" ("name") SELECT 'activations' WHERE EXISTS (SELECT FROM "activations");
