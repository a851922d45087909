-- AlterTable
ALTER TABLE "inbox_messages" ADD COLUMN     "valid_until" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "device_events" (
    "id" BIGSERIAL NOT NULL,
    "device_id" BIGINT NOT NULL,
    "application_id" INTEGER NOT NULL,
    "user_id" VARCHAR(255) NOT NULL,
    "activation_id" VARCHAR(37) NOT NULL,
    "platform" VARCHAR(16) NOT NULL,
    "active" BOOLEAN NOT NULL,
    "event" VARCHAR(16) NOT NULL,
    "reason" VARCHAR(255),
    "former_user_id" VARCHAR(255),
    "former_activation_id" VARCHAR(37),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "device_events_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "device_events_application_id_user_id_id_idx" ON "device_events"("application_id", "user_id", "id");

-- What Prisma's schema has no place for.
ALTER TABLE "device_events" ADD CONSTRAINT "device_events_event_check" CHECK ("event" IN
  ('registered', 'token-changed', 'taken-over', 'status-changed', 'dropped', 'restored', 'removed', 'imported'));

-- Events of devices that another user has now.
CREATE INDEX "device_events_former" ON "device_events" ("application_id", "former_user_id", "id") WHERE "former_user_id" IS NOT NULL;
