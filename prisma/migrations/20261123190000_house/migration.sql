-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "applications" (
    "id" SERIAL NOT NULL,
    "app_id" VARCHAR(255) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "applications_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "credentials" (
    "application_id" INTEGER NOT NULL,
    "platform" VARCHAR(16) NOT NULL,
    "version" SERIAL NOT NULL,
    "settings" JSONB NOT NULL,
    "secret" BYTEA NOT NULL,
    "key_id" VARCHAR(16) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "credentials_pkey" PRIMARY KEY ("application_id","platform")
);

-- CreateTable
CREATE TABLE "devices" (
    "id" BIGSERIAL NOT NULL,
    "application_id" INTEGER NOT NULL,
    "user_id" VARCHAR(255) NOT NULL,
    "activation_id" VARCHAR(37) NOT NULL,
    "platform" VARCHAR(16) NOT NULL,
    "environment" VARCHAR(16),
    "token" VARCHAR(1024) NOT NULL,
    "bucket" SMALLINT NOT NULL,
    "active" BOOLEAN NOT NULL,
    "registered_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "dropped_at" TIMESTAMPTZ(3),
    "drop_reason" VARCHAR(255),

    CONSTRAINT "devices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "activations" (
    "activation_id" VARCHAR(37) NOT NULL,
    "user_id" VARCHAR(255) NOT NULL,
    "status" VARCHAR(16) NOT NULL,
    "application_id" VARCHAR(255),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "activations_pkey" PRIMARY KEY ("activation_id")
);

-- CreateTable
CREATE TABLE "messages" (
    "id" UUID NOT NULL,
    "application_id" INTEGER NOT NULL,
    "user_id" VARCHAR(255) NOT NULL,
    "activation_id" VARCHAR(37),
    "priority" VARCHAR(8) NOT NULL,
    "silent" BOOLEAN NOT NULL,
    "personal" BOOLEAN NOT NULL,
    "body" JSONB,
    "valid_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "messages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "deliveries" (
    "id" BIGSERIAL NOT NULL,
    "message_id" UUID NOT NULL,
    "chunk_id" BIGINT,
    "position" SMALLINT,
    "device_id" BIGINT NOT NULL,
    "activation_id" VARCHAR(37) NOT NULL,
    "platform" VARCHAR(16) NOT NULL,
    "environment" VARCHAR(16),
    "token" VARCHAR(1024) NOT NULL,
    "status" VARCHAR(8) NOT NULL,
    "reason" VARCHAR(255),
    "attempts" SMALLINT NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3),
    "provider_id" VARCHAR(255),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "chunks" (
    "id" BIGSERIAL NOT NULL,
    "application_id" INTEGER NOT NULL,
    "platform" VARCHAR(16) NOT NULL,
    "lane" VARCHAR(8) NOT NULL,
    "run_id" BIGINT,
    "seed" UUID NOT NULL DEFAULT gen_random_uuid(),
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "try" SMALLINT NOT NULL DEFAULT 0,
    "owner" VARCHAR(64),
    "epoch" INTEGER NOT NULL DEFAULT 0,
    "lease_until" TIMESTAMPTZ(3),
    "settled_at" TIMESTAMPTZ(3),
    "swept_at" TIMESTAMPTZ(3),
    "total" INTEGER NOT NULL,
    "sent" INTEGER NOT NULL DEFAULT 0,
    "failed" INTEGER NOT NULL DEFAULT 0,
    "reasons" JSONB NOT NULL DEFAULT '{}',
    "waiter" VARCHAR(63),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "device_ids" BIGINT[],
    "tokens" TEXT[],
    "environments" TEXT[],
    "outcomes" BYTEA,

    CONSTRAINT "chunks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "provider_pauses" (
    "application_id" INTEGER NOT NULL,
    "platform" VARCHAR(16) NOT NULL,
    "lanes" VARCHAR(8) NOT NULL,
    "reason" VARCHAR(255) NOT NULL,
    "paused_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "probes" INTEGER NOT NULL DEFAULT 0,
    "next_probe_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "provider_pauses_pkey" PRIMARY KEY ("application_id","platform","lanes")
);

-- CreateTable
CREATE TABLE "provider_tokens" (
    "key" VARCHAR(255) NOT NULL,
    "value" BYTEA NOT NULL,
    "key_id" VARCHAR(16) NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "provider_tokens_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "campaigns" (
    "id" BIGSERIAL NOT NULL,
    "application_id" INTEGER NOT NULL,
    "message" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "campaigns_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "campaign_users" (
    "campaign_id" BIGINT NOT NULL,
    "user_id" VARCHAR(255) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "campaign_users_pkey" PRIMARY KEY ("campaign_id","user_id")
);

-- CreateTable
CREATE TABLE "runs" (
    "id" BIGSERIAL NOT NULL,
    "campaign_id" BIGINT NOT NULL,
    "state" VARCHAR(16) NOT NULL,
    "rate" INTEGER,
    "scheduled_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "paused_at" TIMESTAMPTZ(3),
    "cancelled_at" TIMESTAMPTZ(3),
    "settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "run_partitions" (
    "run_id" BIGINT NOT NULL,
    "partition" SMALLINT NOT NULL,
    "bucket_from" SMALLINT NOT NULL,
    "bucket_to" SMALLINT NOT NULL,
    "cut_at" TIMESTAMPTZ(3),
    "devices" INTEGER,

    CONSTRAINT "run_partitions_pkey" PRIMARY KEY ("run_id","partition")
);

-- CreateIndex
CREATE UNIQUE INDEX "applications_app_id_key" ON "applications"("app_id");

-- CreateIndex
CREATE UNIQUE INDEX "devices_activation_id_key" ON "devices"("activation_id");

-- CreateIndex
CREATE INDEX "devices_application_id_user_id_idx" ON "devices"("application_id", "user_id");

-- CreateIndex
CREATE INDEX "devices_application_id_token_idx" ON "devices"("application_id", "token");

-- CreateIndex
CREATE INDEX "devices_application_id_bucket_idx" ON "devices"("application_id", "bucket");

-- CreateIndex
CREATE INDEX "messages_application_id_user_id_created_at_idx" ON "messages"("application_id", "user_id", "created_at");

-- CreateIndex
CREATE INDEX "messages_created_at_idx" ON "messages"("created_at");

-- CreateIndex
CREATE INDEX "deliveries_message_id_idx" ON "deliveries"("message_id");

-- CreateIndex
CREATE INDEX "deliveries_chunk_id_position_idx" ON "deliveries"("chunk_id", "position");

-- CreateIndex
CREATE INDEX "chunks_run_id_idx" ON "chunks"("run_id");

-- CreateIndex
CREATE INDEX "runs_campaign_id_idx" ON "runs"("campaign_id");

-- AddForeignKey
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "devices" ADD CONSTRAINT "devices_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "messages" ADD CONSTRAINT "messages_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "chunks" ADD CONSTRAINT "chunks_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "chunks" ADD CONSTRAINT "chunks_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "provider_pauses" ADD CONSTRAINT "provider_pauses_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "campaigns" ADD CONSTRAINT "campaigns_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "campaign_users" ADD CONSTRAINT "campaign_users_campaign_id_fkey" FOREIGN KEY ("campaign_id") REFERENCES "campaigns"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "runs" ADD CONSTRAINT "runs_campaign_id_fkey" FOREIGN KEY ("campaign_id") REFERENCES "campaigns"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run_partitions" ADD CONSTRAINT "run_partitions_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Words that a column may hold. Prisma's schema has no place for these.
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_platform_check" CHECK ("platform" IN ('ios', 'android', 'huawei'));
ALTER TABLE "devices" ADD CONSTRAINT "devices_platform_check" CHECK ("platform" IN ('ios', 'android', 'huawei'));
ALTER TABLE "devices" ADD CONSTRAINT "devices_environment_check" CHECK ("environment" IN ('development', 'production'));
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_status_check" CHECK ("status" IN ('pending', 'sent', 'failed', 'skipped'));
ALTER TABLE "chunks" ADD CONSTRAINT "chunks_lane_check" CHECK ("lane" IN ('direct', 'campaign'));
ALTER TABLE "chunks" ADD CONSTRAINT "chunks_tally_check" CHECK ("sent" + "failed" <= "total");
ALTER TABLE "provider_pauses" ADD CONSTRAINT "provider_pauses_lanes_check" CHECK ("lanes" IN ('all', 'campaign'));
ALTER TABLE "runs" ADD CONSTRAINT "runs_state_check" CHECK ("state" IN ('created', 'scheduled', 'fanning-out', 'sending', 'sent', 'cancelled', 'failed', 'missed'));

-- What is open is small and asked for all the time; what is settled is large and is not.
CREATE INDEX "chunks_open_due" ON "chunks" ("due_at") WHERE "settled_at" IS NULL;
CREATE INDEX "chunks_open_expires" ON "chunks" ("expires_at") WHERE "settled_at" IS NULL;
CREATE INDEX "chunks_open_application" ON "chunks" ("application_id", "platform") WHERE "settled_at" IS NULL;
