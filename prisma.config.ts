// Prisma's command line: where the schema lies, and how `generate` runs without Prisma's download host.
import { defineConfig } from 'prisma/config'

// `generate` never runs the schema engine, yet the command downloads it when its file is missing. Naming any file that
// exists skips that. The other commands keep their ordinary behaviour.
if (process.argv.includes('generate')) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL ?? '' },
})
