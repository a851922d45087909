// /push/campaign: campaigns and their users.
import {
  CampaignCreated,
  CampaignDeleted,
  CampaignDetail,
  CampaignList,
  CampaignListQuery,
  CampaignParams,
  CampaignPreview,
  CampaignUserList,
  CampaignUsers,
  CampaignUsersQuery,
  CreateCampaignRequest,
  DeleteCampaignQuery,
  OK,
  okWith,
  OkWith,
  Paged,
  paged,
  PerhapsPaged,
  PreferHeaders,
  TEXT,
  Wrapped,
} from '@push-server/contract'
import {
  addCampaignUsers,
  createCampaign,
  deleteCampaign,
  describeCampaign,
  listCampaigns,
  listCampaignUsers,
  previewCampaign,
  removeCampaignUsers,
  requireRawScope,
  type Context,
} from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { applicationOfCampaign, fromBody, OWN, ownApplications } from '../validation/applications.ts'
import { reportIgnored } from '../plugins/preferences.ts'
import { enforce, notBlank, notNull, required } from '../validation/rules.ts'
import { DEFAULT_LIMITS } from '../validation/json-limits.ts'
import { responses, OK_RESPONSES, withPreferences } from '../openapi/responses.ts'

const tags = ['Campaigns']
const creating = { scope: 'campaign', applications: fromBody('appId'), strays: 'handler' } as const
const PAGE_SIZE = 20

/** Bytes of an id with its quotes and its comma. There are so few shorter ids that a longer list of them has duplicates. */
const LEAST_USER_BYTES = 8

const createRules = [
  required(TEXT.objectMissing),
  notNull('appId', TEXT.appIdMissing),
  notNull('message', TEXT.campaignMessageMissing),
  notBlank('appId', TEXT.campaignApplicationUnknown('')),
]

export const campaignRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { store } = context
    const bodyLimit = context.config.campaignBodyLimit
    const config = { scope: 'campaign', applications: applicationOfCampaign(store) } as const
    const jsonLimits = { values: DEFAULT_LIMITS.values + Math.ceil(bodyLimit / LEAST_USER_BYTES) }

    app.post(
      '/push/campaign/create',
      {
        config: creating,
        schema: {
          tags,
          operationId: 'createCampaign',
          summary: 'Create a campaign',
          headers: PreferHeaders,
          body: Wrapped(CreateCampaignRequest),
          response: responses(withPreferences(OkWith(CampaignCreated))),
        },
        preValidation: enforce(createRules),
      },
      async (request) => {
        const { requestObject } = request.body
        requireRawScope(request.caller, [{ body: requestObject.message }])
        const id = await createCampaign(context, requestObject, (ignored) => reportIgnored(request, ignored))
        return okWith({ id })
      },
    )

    app.post(
      '/push/campaign/preview',
      {
        config: { scope: 'campaign', applications: fromBody('appId') },
        schema: {
          tags,
          operationId: 'previewCampaign',
          summary: 'What the message of a campaign would become',
          description:
            'On each platform, the request for one device as a worker would build it, without tokens. Takes the request that creates a campaign, and creates none.',
          headers: PreferHeaders,
          body: Wrapped(CreateCampaignRequest),
          response: responses(withPreferences(OkWith(CampaignPreview))),
        },
        preValidation: enforce(createRules),
      },
      async ({ body: { requestObject }, caller }) => {
        requireRawScope(caller, [{ body: requestObject.message }])
        return okWith(await previewCampaign(context, requestObject))
      },
    )

    app.route({
      method: ['DELETE', 'POST'],
      url: '/push/campaign/:id/delete',
      config,
      schema: {
        tags,
        operationId: 'deleteCampaign',
        summary: 'Delete a campaign and its users',
        description: 'A campaign that is being sent is refused unless `force`, which cancels it first.',
        params: CampaignParams,
        querystring: DeleteCampaignQuery,
        response: responses(OkWith(CampaignDeleted)),
      },
      handler: async ({ params, query: { force = false } }) =>
        okWith({ deleted: await deleteCampaign(store, params.id, force) }),
    })

    app.get(
      '/push/campaign/:id/detail',
      {
        config,
        schema: {
          tags,
          operationId: 'describeCampaign',
          summary: 'Show a campaign and what became of it',
          params: CampaignParams,
          response: responses(OkWith(CampaignDetail)),
        },
      },
      async ({ params }) => okWith(await describeCampaign(store, params.id)),
    )

    app.get(
      '/push/campaign/list',
      {
        config: { scope: 'campaign', applications: OWN },
        schema: {
          tags,
          operationId: 'listCampaigns',
          summary: 'List campaigns',
          description:
            'In the order they were made; to a key that is bound to applications, those of its applications.',
          querystring: CampaignListQuery,
          response: responses(PerhapsPaged(CampaignList)),
        },
      },
      async (request) => {
        // Clients of the reference server mean those that were not sent, by `false` and by leaving it out.
        const { all = request.form === 'all', page, size } = request.query
        const { sent = all ? undefined : request.form === 'all' } = request.query
        // Existing clients know no pages here and get everything.
        const isPaged = page !== undefined || size !== undefined
        const required = isPaged ? { page: page ?? 0, size: size ?? PAGE_SIZE } : undefined
        const filter = { sent, appIds: ownApplications(request), page: 0, size: undefined }
        return { ...required, ...okWith(await listCampaigns(store, { ...filter, ...required })) }
      },
    )

    app.route({
      method: ['PUT', 'POST'],
      url: '/push/campaign/:id/user/add',
      bodyLimit,
      config: { ...config, jsonLimits },
      schema: {
        tags,
        operationId: 'addCampaignUsers',
        summary: 'Add users to a campaign',
        description: 'All of them or none. Who is in it already stays.',
        params: CampaignParams,
        body: Wrapped(CampaignUserList),
        response: OK_RESPONSES,
      },
      preValidation: enforce([required(TEXT.campaignUsersMissing)]),
      handler: async ({ params, body }) => {
        await addCampaignUsers(store, params.id, body.requestObject)
        return OK
      },
    })

    app.get(
      '/push/campaign/:id/user/list',
      {
        config,
        schema: {
          tags,
          operationId: 'listCampaignUsers',
          summary: 'List the users of a campaign',
          description: 'By user id. `after` the last one of the page before is the fast way through many pages.',
          params: CampaignParams,
          querystring: CampaignUsersQuery,
          response: responses(Paged(CampaignUsers)),
        },
      },
      async ({ params, query: { page = 0, size = PAGE_SIZE, after, sort } }) => {
        const users = await listCampaignUsers(store, params.id, { page, size, after, sort })
        return paged({ page, size }, { campaignId: params.id, users })
      },
    )

    app.route({
      method: ['DELETE', 'POST'],
      url: '/push/campaign/:id/user/delete',
      bodyLimit,
      config: { ...config, jsonLimits },
      schema: {
        tags,
        operationId: 'deleteCampaignUsers',
        summary: 'Remove users from a campaign',
        description: 'Users who are not in it are ignored.',
        params: CampaignParams,
        body: Wrapped(CampaignUserList),
        response: OK_RESPONSES,
      },
      preValidation: enforce([required(TEXT.campaignUsersMissing)]),
      handler: async ({ params, body }) => {
        await removeCampaignUsers(store, params.id, body.requestObject)
        return OK
      },
    })
  }
