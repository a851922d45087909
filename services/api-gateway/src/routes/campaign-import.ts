// /push/campaign/{id}/user/import: many users at once, line by line.
import { CampaignParams, CampaignUserLine, okWith, OkWith, PartialQuery, UserImportResult } from '@push-server/contract'
import { importCampaignUsers, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { applicationOfCampaign } from '../plugins/applications.ts'
import { linesOf, ndjson, readNdjson } from '../plugins/ndjson.ts'
import { answers } from './answers.ts'

/** Lines that are staged with one statement. */
const BATCH_SIZE = 10_000

export const campaignImportRoutes =
  ({ config, store }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(ndjson)

    app.route({
      method: ['PUT', 'POST'],
      url: '/push/campaign/:id/user/import',
      config: { scope: 'campaign', applications: applicationOfCampaign(store) },
      schema: {
        tags: ['Campaigns'],
        summary: 'Import users of a campaign',
        description:
          'NDJSON (application/x-ndjson): the id of a user on each line, as a text or as {"userId":"…"}. Who is in it already ' +
          'stays. Nothing of a file with bad lines is kept unless `partial=true`.',
        body: linesOf('"1234567890"'),
        params: CampaignParams,
        querystring: PartialQuery,
        response: answers(OkWith(UserImportResult)),
      },
      handler: async (request) => {
        const { partial = false } = request.query
        const options = { schema: CampaignUserLine, limit: config.importLimit, batchSize: BATCH_SIZE }
        const batches = readNdjson(request, options)
        return okWith(await importCampaignUsers(store, { id: request.params.id, partial, batches }))
      },
    })
  }
