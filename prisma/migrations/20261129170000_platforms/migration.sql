-- AlterTable
ALTER TABLE "campaigns" ADD COLUMN     "platforms" TEXT[];

-- AlterTable
ALTER TABLE "messages" ADD COLUMN     "platforms" TEXT[];
