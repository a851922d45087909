-- CreateTable
CREATE TABLE "quotas" (
    "id" SERIAL NOT NULL,
    "key_id" VARCHAR(64),
    "application_id" INTEGER,
    "messages_per_second" INTEGER,
    "burst" INTEGER,
    "backlog" INTEGER,

    CONSTRAINT "quotas_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "quotas_key_id_key" ON "quotas"("key_id");

-- CreateIndex
CREATE UNIQUE INDEX "quotas_application_id_key" ON "quotas"("application_id");

-- AddForeignKey
ALTER TABLE "quotas" ADD CONSTRAINT "quotas_key_id_fkey" FOREIGN KEY ("key_id") REFERENCES "api_keys"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "quotas" ADD CONSTRAINT "quotas_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "quotas" ADD CONSTRAINT "quotas_subject" CHECK (num_nonnulls(key_id, application_id) = 1);
ALTER TABLE "quotas" ADD CONSTRAINT "quotas_values" CHECK (messages_per_second > 0 AND burst > 0 AND backlog > 0);
ALTER TABLE "quotas" ADD CONSTRAINT "quotas_backlog" CHECK (backlog IS NULL OR application_id IS NOT NULL);
