-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "raw_blocks" BOOLEAN NOT NULL DEFAULT false;
