-- AlterTable
ALTER TABLE "messages" ADD COLUMN     "cancelled_at" TIMESTAMPTZ(3);

-- Without foreign keys: a lock on messages would hold up those who write to them, and rows that outlive theirs are harmless.

-- CreateTable
CREATE TABLE "message_resends" (
    "message_id" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "message_resends_pkey" PRIMARY KEY ("message_id")
);

-- CreateIndex
CREATE INDEX "message_resends_origin_id_idx" ON "message_resends"("origin_id");
