-- CreateTable
CREATE TABLE "device_respellings" (
    "device_id" BIGINT NOT NULL,

    CONSTRAINT "device_respellings_pkey" PRIMARY KEY ("device_id")
);

-- Processes of earlier versions go on storing iOS tokens as they come. Each such row is noted, whoever writes it.
CREATE FUNCTION "note_device_respelling"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "device_respellings" ("device_id") VALUES (NEW."id") ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;

CREATE TRIGGER "devices_note_respelling" AFTER INSERT OR UPDATE OF "token", "platform" ON "devices" FOR EACH ROW
WHEN (NEW."platform" = 'ios' AND NEW."token" <> lower(translate(NEW."token", '<> ', '')))
EXECUTE FUNCTION "note_device_respelling"();

-- What was there before the trigger is visited once, by the scheduler.
INSERT INTO "table_walks" ("name", "after") SELECT 'devices', '0' WHERE EXISTS (SELECT FROM "devices");
