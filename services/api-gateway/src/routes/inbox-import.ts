// /inbox/messages/import: inbox messages of a former server, line by line.
import { ImportedInboxMessage, ImportQuery, ImportResult, okWith, OkWith } from '@push-server/contract'
import { importInbox, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Imports } from '../ndjson/imports.ts'
import { linesOf, ndjson } from '../ndjson/ndjson.ts'
import { importResponses } from '../openapi/responses.ts'

const EXAMPLE =
  '{"id":"ae641389-d37a-4425-bd14-41c29484596f","userId":"user-1","type":"text","subject":"Subject","summary":"Summary","body":"Body",' +
  '"read":false,"timestampCreated":"2026-08-25T22:34:58.702+00:00","applications":["mobile-app"]}'

/** A body of 65 536 characters, each of which may be escaped. */
const FORMAT = { schema: ImportedInboxMessage, batchSize: 1_000, longestLine: 524_288 }

export const inboxImportRoutes =
  (context: Context, imports: Imports): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(ndjson)

    app.route({
      method: ['PUT', 'POST'],
      url: '/inbox/messages/import',
      config: { scope: 'admin' },
      schema: {
        tags: ['Inbox'],
        operationId: 'importInboxMessages',
        summary: 'Import inbox messages',
        description:
          'NDJSON (application/x-ndjson): one object per line in the format of the `detail` response. Ids and times stay. A message ' +
          'that is known is left as it is, except that it is marked as read where the line is, with the earlier time. One that was ' +
          'deleted here, or that has ended, is not stored and counts as kept. Nothing of a file with bad lines is kept unless `partial=true`.',
        body: linesOf(EXAMPLE),
        querystring: ImportQuery,
        response: importResponses(OkWith(ImportResult)),
      },
      handler: async (request) => {
        const { partial = false, dryRun = false } = request.query
        return imports.run(request, FORMAT, async (upload) =>
          okWith(await importInbox(context, { partial, dryRun, ...upload })),
        )
      },
    })
  }
