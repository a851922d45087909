-- CreateTable
CREATE TABLE "credential_checks" (
    "id" SERIAL NOT NULL,
    "application_id" INTEGER NOT NULL,
    "platform" VARCHAR(16) NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "claimed_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "accepted" BOOLEAN,
    "reason" VARCHAR(255),
    "ms" INTEGER,
    "tried" VARCHAR(255),

    CONSTRAINT "credential_checks_pkey" PRIMARY KEY ("id")
);

-- One check waits for each platform of an application. One that a worker has taken may have read credentials that were changed since.
CREATE UNIQUE INDEX "credential_checks_waiting" ON "credential_checks"("application_id", "platform") WHERE "claimed_at" IS NULL;
