-- AlterTable
ALTER TABLE "devices" ADD COLUMN     "drop_doubtful" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "provider_pauses" ADD COLUMN     "probe_chunk_id" BIGINT;

-- CreateTable
CREATE TABLE "token_guards" (
    "application_id" INTEGER NOT NULL,
    "platform" VARCHAR(16) NOT NULL,
    "minute_from" TIMESTAMPTZ(3) NOT NULL,
    "pushes" INTEGER NOT NULL,
    "doubtful" INTEGER NOT NULL,
    "recent" VARCHAR(64) NOT NULL,
    "tripped_at" TIMESTAMPTZ(3),

    CONSTRAINT "token_guards_pkey" PRIMARY KEY ("application_id","platform")
);

-- AddForeignKey
ALTER TABLE "token_guards" ADD CONSTRAINT "token_guards_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE INDEX "devices_dropped_doubtful" ON "devices" ("application_id", "platform", "dropped_at") WHERE "drop_doubtful";
