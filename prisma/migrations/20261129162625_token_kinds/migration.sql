-- Processes of the version before know no kinds. Their workers push to every token as to the usual one of its platform: FCM refuses an
-- installation id (INVALID_ARGUMENT, doubtful), version 2 of Huawei's API refuses a token of version 3 (80300007, doubtful), so that the
-- delivery fails, and the device is dropped unless the circuit breaker holds it. A run that their scheduler fans out has no kinds, with the
-- same end. Their gateways leave the kind of a row as it is when they register another token for it: a worker therefore sends as an
-- installation id only what has its format. No phone names a kind before its gateway knows them: replace workers and schedulers first.

-- AlterTable
ALTER TABLE "chunks" ADD COLUMN     "token_kinds" TEXT[];

-- AlterTable
ALTER TABLE "devices" ADD COLUMN     "token_kind" VARCHAR(8);

-- Not validated, which would read the whole table under its lock: all rows there are have null.
ALTER TABLE "devices" ADD CONSTRAINT "devices_token_kind_check" CHECK ("token_kind" IN ('fid', 'v3')) NOT VALID;
