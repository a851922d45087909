// The API's description, in each form of its responses, against the recommended rules of a public linter and against our own. It is collected
// from the running gateway's routes.
import { randomBytes } from 'node:crypto'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { FORMS, type Form } from '../../packages/contract/src/index.ts'
import { openActivations, openContext, openMessageBatches } from '../../packages/domain/src/index.ts'
import { createLogger, readConfig } from '../../packages/runtime/src/index.ts'
import { buildApp } from '../../services/api-gateway/src/index.ts'
import { openTemporaryPostgres } from '../database/temporary-postgres.ts'
import { findUnusable, type ApiDescription } from './openapi-rules.ts'

/** One line for each problem: where it is, and which rule says so. */
export async function findOpenApiProblems(): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended-strict'] })
  const found: string[] = []
  for (const [form, source] of Object.entries(await describeApi())) {
    const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config })
    const linted = problems
      .filter(({ ignored }) => !ignored)
      .map(({ location: [place], ruleId, message }) => `${place?.pointer ?? ''} ${ruleId}: ${message}`)
    found.push(...[...linted, ...findUnusable(JSON.parse(source) as ApiDescription)].map((line) => `${form} ${line}`))
  }
  return found
}

/** As a client gets it from /v3/api-docs, in each form. */
export async function describeApi(): Promise<Record<Form, string>> {
  await using stack = new AsyncDisposableStack()
  const postgres = stack.adopt(await openTemporaryPostgres(), ({ close }) => close())
  const settings = {
    DATABASE_URL: postgres.url,
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    LOG_LEVEL: 'error',
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
  const described = FORMS.map(async (form) => {
    const { statusCode, body } = await app.inject({ url: '/v3/api-docs', headers: { 'x-push-compatibility': form } })
    if (statusCode !== 200) throw new Error(`The description in the form ${form} cannot be made: ${body}`)
    return [form, body] as const
  })
  return Object.fromEntries(await Promise.all(described)) as Record<Form, string>
}
