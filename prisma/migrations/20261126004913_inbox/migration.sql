-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "cleared_at" TIMESTAMPTZ(3),
ALTER COLUMN "app_id" DROP NOT NULL;

-- CreateTable
CREATE TABLE "inbox_messages" (
    "id" BIGSERIAL NOT NULL,
    "public_id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "user_id" VARCHAR(255) NOT NULL,
    "type" VARCHAR(8) NOT NULL,
    "subject" VARCHAR(255) NOT NULL,
    "summary" VARCHAR(255) NOT NULL,
    "body" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "read_at" TIMESTAMPTZ(3),

    CONSTRAINT "inbox_messages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "inbox_message_applications" (
    "message_id" BIGINT NOT NULL,
    "application_id" INTEGER NOT NULL,

    CONSTRAINT "inbox_message_applications_pkey" PRIMARY KEY ("message_id","application_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "inbox_messages_public_id_key" ON "inbox_messages"("public_id");

-- CreateIndex
CREATE INDEX "inbox_messages_user_id_created_at_id_idx" ON "inbox_messages"("user_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "inbox_message_applications_application_id_idx" ON "inbox_message_applications"("application_id");

-- AddForeignKey
ALTER TABLE "inbox_message_applications" ADD CONSTRAINT "inbox_message_applications_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "inbox_messages"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "inbox_message_applications" ADD CONSTRAINT "inbox_message_applications_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema has no place for.
ALTER TABLE "inbox_messages" ADD CONSTRAINT "inbox_messages_type_check" CHECK ("type" IN ('text', 'html'));

-- What a user has not read is little, and is counted at every look at the inbox.
CREATE INDEX "inbox_messages_unread" ON "inbox_messages" ("user_id", "created_at", "id") WHERE "read_at" IS NULL;
