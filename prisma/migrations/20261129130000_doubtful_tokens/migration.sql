-- Without foreign keys: a lock on devices or applications would hold up those who write to them, and rows that outlive theirs are harmless.

-- CreateTable
CREATE TABLE "proven_credentials" (
    "application_id" INTEGER NOT NULL,
    "platform" VARCHAR(16) NOT NULL,
    "environment" VARCHAR(16) NOT NULL,
    "version" INTEGER NOT NULL,
    "proven_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "proven_credentials_pkey" PRIMARY KEY ("application_id","platform","environment")
);

-- CreateTable
CREATE TABLE "doubtful_tokens" (
    "device_id" BIGINT NOT NULL,
    "application_id" INTEGER NOT NULL,
    "platform" VARCHAR(16) NOT NULL,
    "environment" VARCHAR(16) NOT NULL,
    "version" INTEGER NOT NULL,
    "reason" VARCHAR(255) NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "doubtful_tokens_pkey" PRIMARY KEY ("device_id")
);

-- CreateIndex
CREATE INDEX "doubtful_tokens_application_id_platform_idx" ON "doubtful_tokens"("application_id", "platform");

-- CreateIndex
CREATE INDEX "doubtful_tokens_since_idx" ON "doubtful_tokens"("since");
