// The database client that Prisma writes from the schema; it is not kept in git.
import { makeOnce } from './stamp.mjs'
import { quietly, step } from './step.mjs'

const EXPECTED = {
  name: 'prisma-client',
  inputs: ['prisma/schema.prisma', 'pnpm-lock.yaml'],
  product: 'packages/store/src/generated/client.ts',
}

export async function generatePrismaClient(node) {
  const generate = () => quietly(node, ['node_modules/prisma/build/index.js', 'generate'])
  await makeOnce(EXPECTED, () => step('Generating the database client', generate))
}
