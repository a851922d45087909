// /push/campaign/{id}/user/import: many users at once, line by line.
import { CampaignParams, CampaignUserLine, okWith, OkWith, PartialQuery, UserImportResult } from '@push-server/contract'
import { importCampaignUsers, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { applicationOfCampaign } from '../validation/applications.ts'
import type { Imports } from '../ndjson/imports.ts'
import { linesOf, ndjson } from '../ndjson/ndjson.ts'
import { importResponses } from '../openapi/responses.ts'

/** Lines that are staged with one statement. */
const BATCH_SIZE = 10_000

export const campaignImportRoutes =
  ({ store }: Context, imports: Imports): FastifyPluginAsyncTypebox =>
  async (app) => {
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
        querystring: PartialQuery,
        response: importResponses(OkWith(UserImportResult)),
      },
      handler: async (request) => {
        const { partial = false } = request.query
        const { id } = request.params
        return imports.run(request, { schema: CampaignUserLine, batchSize: BATCH_SIZE }, async (upload) =>
          okWith(await importCampaignUsers(store, { id, partial, ...upload })),
        )
      },
    })
  }
