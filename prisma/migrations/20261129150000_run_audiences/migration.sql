-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "audience" VARCHAR(32);

-- CreateTable
CREATE TABLE "run_reached" (
    "run_id" BIGINT NOT NULL,
    "name" VARCHAR(255) NOT NULL,

    CONSTRAINT "run_reached_pkey" PRIMARY KEY ("run_id","name")
);

-- AddForeignKey
ALTER TABLE "run_reached" ADD CONSTRAINT "run_reached_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Words that a column may hold. Processes of the version before know no audience: to them such a run is scheduled, for no time at all.
ALTER TABLE "runs" ADD CONSTRAINT "runs_audience_check" CHECK ("audience" IN ('unreached', 'unreached-devices'));
ALTER TABLE "runs" ADD CONSTRAINT "runs_audience_unscheduled" CHECK ("audience" IS NULL OR "scheduled_at" IS NULL);
CREATE INDEX "runs_audience" ON "runs" ("id") WHERE "audience" IS NOT NULL;
