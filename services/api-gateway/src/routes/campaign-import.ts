// /push/campaign/{id}/user/import: many users at once, line by line. /push/campaign/import and /push/campaign/user/import: campaigns
// of a former server under their ids, and their users.
import {
  CampaignParams,
  CampaignUserLine,
  ImportedCampaign,
  ImportedCampaignUser,
  ImportQuery,
  ImportResult,
  okWith,
  OkWith,
} from '@push-server/contract'
import { importCampaigns, importCampaignUsers, importUsersOfCampaigns, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { applicationOfCampaign } from '../validation/applications.ts'
import type { Imports } from '../ndjson/imports.ts'
import { linesOf, ndjson } from '../ndjson/ndjson.ts'
import { importResponses } from '../openapi/responses.ts'
import { parseJson } from '../validation/json-body.ts'
import { isObject } from '../validation/schema.ts'

/** Lines that are staged with one statement. */
const BATCH_SIZE = 10_000

const CAMPAIGN =
  '{"id":"10","appId":"mobile-app","message":{"title":"T","body":"B"},"timestampCreated":"2026-02-08T12:00:00.000+00:00"}'
/** The message as the former server stores it is a text, in which each character may be escaped. */
const CAMPAIGN_LINE = { batchSize: 500, longestLine: 65_536 }
const MESSAGE_LIMITS = { depth: 16, nodes: 512, values: 512 }

/** Its message may be a text that holds JSON. */
function withMessage(line: unknown): unknown {
  if (!isObject(line) || typeof line.message !== 'string') return line
  const parsed = parseJson(Buffer.from(line.message), MESSAGE_LIMITS, 'message')
  return parsed && 'value' in parsed ? { ...line, message: parsed.value } : line
}

export const campaignImportRoutes =
  (context: Context, imports: Imports): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { store } = context
    await app.register(ndjson)

    app.route({
      method: ['PUT', 'POST'],
      url: '/push/campaign/:id/user/import',
      config: { scope: 'campaign', applications: applicationOfCampaign(store) },
      schema: {
        tags: ['Campaigns'],
        operationId: 'importCampaignUsers',
        summary: 'Import users of a campaign',
        description:
          'NDJSON (application/x-ndjson): the id of a user on each line, as a text or as {"userId":"…"}. Who is in it already ' +
          'stays. Nothing of a file with bad lines is kept unless `partial=true`.',
        body: linesOf('"1234567890"'),
        params: CampaignParams,
        querystring: ImportQuery,
        response: importResponses(OkWith(ImportResult)),
      },
      handler: async (request) => {
        const { partial = false, dryRun = false } = request.query
        const { id } = request.params
        return imports.run(request, { schema: CampaignUserLine, batchSize: BATCH_SIZE }, async (upload) =>
          okWith(await importCampaignUsers(store, { id, partial, dryRun, ...upload })),
        )
      },
    })

    app.route({
      method: ['PUT', 'POST'],
      url: '/push/campaign/import',
      config: { scope: 'admin' },
      schema: {
        tags: ['Campaigns'],
        operationId: 'importCampaigns',
        summary: 'Import campaigns that are still to be sent',
        description:
          'NDJSON (application/x-ndjson): one object per line with id, appId, message (an object, or a text that holds JSON) and ' +
          'timestampCreated. The id stays; where it is that of another campaign here, the line is a bad one. Nothing of a file ' +
          'with bad lines is kept unless `partial=true`.',
        body: linesOf(CAMPAIGN),
        querystring: ImportQuery,
        response: importResponses(OkWith(ImportResult)),
      },
      handler: async (request) => {
        const { partial = false, dryRun = false } = request.query
        const format = { schema: ImportedCampaign, ...CAMPAIGN_LINE, prepare: withMessage }
        return imports.run(request, format, async (upload) =>
          okWith(await importCampaigns(context, { partial, dryRun, ...upload })),
        )
      },
    })

    app.route({
      method: ['PUT', 'POST'],
      url: '/push/campaign/user/import',
      config: { scope: 'admin' },
      schema: {
        tags: ['Campaigns'],
        operationId: 'importUsersOfCampaigns',
        summary: 'Import users of many campaigns',
        description:
          'NDJSON (application/x-ndjson): one object per line with campaignId and userId. Who is in the campaign already stays. ' +
          'Nothing of a file with bad lines is kept unless `partial=true`.',
        body: linesOf('{"campaignId":"10","userId":"1234567890"}'),
        querystring: ImportQuery,
        response: importResponses(OkWith(ImportResult)),
      },
      handler: async (request) => {
        const { partial = false, dryRun = false } = request.query
        return imports.run(request, { schema: ImportedCampaignUser, batchSize: BATCH_SIZE }, async (upload) =>
          okWith(await importUsersOfCampaigns(store, { partial, dryRun, ...upload })),
        )
      },
    })
  }
