// /push/device/import: many devices at once, line by line.
import { DeviceImportQuery, ImportedDevice, ImportResult, okWith, OkWith } from '@push-server/contract'
import { importDevices, type Activations, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { fromQuery } from '../validation/applications.ts'
import type { Imports } from '../ndjson/imports.ts'
import { linesOf, ndjson } from '../ndjson/ndjson.ts'
import { importResponses } from '../openapi/responses.ts'

const EXAMPLE =
  '{"appId":"mobile-app","userId":"123","activationId":"49414e31-f3df-4cea-87e6-f214ca3b8412","platform":"ios","token":"aabbcc"}'

/** Lines that are stored with one statement. */
const BATCH_SIZE = 5_000

interface ImportParts {
  imports: Imports
  activations: Activations
}

export const deviceImportRoutes =
  ({ store }: Context, { imports, activations }: ImportParts): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(ndjson)

    app.route({
      method: ['PUT', 'POST'],
      url: '/push/device/import',
      config: { scope: 'admin', applications: fromQuery('appId') },
      schema: {
        tags: ['Devices'],
        operationId: 'importDevices',
        summary: 'Import devices',
        description:
          'NDJSON (application/x-ndjson): one object per line with userId, activationId, platform, token and, optionally, ' +
          'appId, active, environment, tokenKind, huaweiApi and timestampLastRegistered. Where the query names no application, each line does. Of several lines about one activation the last counts. ' +
          'Activations are not looked up. Nothing of a file with bad lines is kept unless `partial=true`.',
        body: linesOf(EXAMPLE),
        querystring: DeviceImportQuery,
        response: importResponses(OkWith(ImportResult)),
      },
      handler: async (request) => {
        const { appId, partial = false, dryRun = false } = request.query
        const format = { schema: ImportedDevice, batchSize: BATCH_SIZE }
        return imports.run(request, format, async (upload) =>
          okWith(await importDevices(store, { appId, partial, dryRun, keep: activations.keeps, ...upload })),
        )
      },
    })
  }
