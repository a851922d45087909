-- AlterTable
ALTER TABLE "deliveries" ADD COLUMN     "former_tokens" TEXT[];
