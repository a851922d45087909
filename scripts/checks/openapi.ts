// The API's description against the recommended rules of a public linter. It is collected from the running gateway's routes.
import { randomBytes } from 'node:crypto'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { openActivations, openContext, openMessageBatches } from '../../packages/domain/src/index.ts'
import { createLogger, readConfig } from '../../packages/runtime/src/index.ts'
import { buildApp } from '../../services/api-gateway/src/index.ts'
import { openTemporaryPostgres } from '../database/temporary-postgres.ts'

/** One line for each problem: where it is, and which rule says so. */
export async function findOpenApiProblems(): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended-strict'] })
  const problems = await lintFromString({ source: await describeApi(), absoluteRef: 'openapi.json', config })
  return problems
    .filter(({ ignored }) => !ignored)
    .map(({ location: [place], ruleId, message }) => `${place?.pointer ?? ''} ${ruleId}: ${message}`)
}

/** As a client gets it from /v3/api-docs. */
async function describeApi(): Promise<string> {
  await using stack = new AsyncDisposableStack()
  const postgres = stack.adopt(await openTemporaryPostgres(), ({ close }) => close())
  const settings = {
    DATABASE_URL: postgres.url,
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    LOG_LEVEL: 'silent',
  }
  const config = readConfig(settings, ['databaseUrl', 'encryptionKey'])
  const context = stack.adopt(await openContext(config, createLogger(config, 'check')), ({ close }) => close())
  const app = stack.adopt(
    await buildApp(context, {
      waiters: {
        channel: 'check',
        wait: async () => undefined,
        left: (ms) => ms,
        endWithin: () => {},
        close: async () => {},
      },
      batches: openMessageBatches(context),
      pressure: { check: () => {}, quotaOf: () => undefined, close: async () => {} },
      activations: openActivations(config, context.store),
    }),
    (app) => app.close(),
  )
  const { body } = await app.inject('/v3/api-docs')
  return body
}
