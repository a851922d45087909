-- AlterTable
ALTER TABLE "messages" ADD COLUMN     "confirm_at" TIMESTAMPTZ(3),
ADD COLUMN     "correlation_id" VARCHAR(1024),
ADD COLUMN     "key_id" VARCHAR(64),
ADD COLUMN     "trace_context" VARCHAR(255);
