-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "previous_at" TIMESTAMPTZ(3),
ADD COLUMN     "previous_done" INTEGER,
ADD COLUMN     "sampled_at" TIMESTAMPTZ(3),
ADD COLUMN     "sampled_done" INTEGER;

-- CreateIndex
CREATE INDEX "campaigns_application_id_idx" ON "campaigns"("application_id");

-- Chunks whose tokens are to go: empty but for moments.
CREATE INDEX "chunks_tokens" ON "chunks" ("run_id") WHERE "run_id" IS NOT NULL AND "settled_at" IS NOT NULL AND "tokens" <> '{}';
