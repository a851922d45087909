-- AlterTable
ALTER TABLE "campaigns" ADD COLUMN     "deleted_at" TIMESTAMPTZ(3),
ADD COLUMN     "valid_until" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "chunks" ADD COLUMN     "close_reason" VARCHAR(255),
ADD COLUMN     "reason_names" TEXT[],
ADD COLUMN     "retries" JSONB,
ADD COLUMN     "user_ids" TEXT[];

-- AlterTable
ALTER TABLE "run_partitions" ADD COLUMN     "late" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "paced_until" TIMESTAMPTZ(6);

-- A campaign has at most one run that is not over: two calls at the same moment cannot both start one.
CREATE UNIQUE INDEX "runs_one_active" ON "runs" ("campaign_id") WHERE "state" IN ('scheduled', 'fanning-out', 'sending');
CREATE INDEX "campaigns_deleted" ON "campaigns" ("deleted_at") WHERE "deleted_at" IS NOT NULL;
CREATE INDEX "runs_active" ON "runs" ("state") WHERE "state" IN ('scheduled', 'fanning-out', 'sending');
CREATE INDEX "chunks_open_run" ON "chunks" ("run_id") WHERE "settled_at" IS NULL AND "run_id" IS NOT NULL;

-- Tokens and ids hardly compress, and a run writes a million of them.
ALTER TABLE "chunks" ALTER COLUMN "tokens" SET STORAGE EXTERNAL;
ALTER TABLE "chunks" ALTER COLUMN "device_ids" SET STORAGE EXTERNAL;
ALTER TABLE "chunks" ALTER COLUMN "user_ids" SET STORAGE EXTERNAL;
