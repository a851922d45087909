// /admin/app/import: applications with their credentials, line by line.
import { ImportedApplication, ImportQuery, ImportResult, okWith, OkWith } from '@push-server/contract'
import { importApplications, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Imports } from '../ndjson/imports.ts'
import { linesOf, ndjson } from '../ndjson/ndjson.ts'
import { importResponses } from '../openapi/responses.ts'

const EXAMPLE =
  '{"appId":"mobile-app","hmsProjectId":"HMS123","hmsClientId":"100000001","hmsClientSecret":"0123456789abcdef"}'

/** Two keys in base64, each character of which may be escaped. */
const FORMAT = { schema: ImportedApplication, batchSize: 100, longestLine: 524_288 }

export const applicationImportRoutes =
  ({ store }: Context, imports: Imports): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(ndjson)

    app.route({
      method: ['PUT', 'POST'],
      url: '/admin/app/import',
      config: { scope: 'admin' },
      schema: {
        tags: ['Administration'],
        operationId: 'importApplications',
        summary: 'Import applications with their credentials',
        description:
          'NDJSON (application/x-ndjson): one object per line with appId and, of each platform whose secret is given, its ' +
          'credentials. They are parsed as by `update`. An application that is known gets the credentials of its line. Nothing of ' +
          'a file with bad lines is kept unless `partial=true`.',
        body: linesOf(EXAMPLE),
        querystring: ImportQuery,
        response: importResponses(OkWith(ImportResult)),
      },
      handler: async (request) => {
        const { partial = false, dryRun = false } = request.query
        return imports.run(request, FORMAT, async (upload) =>
          okWith(await importApplications(store, { partial, dryRun, ...upload })),
        )
      },
    })
  }
