// /push/campaign: campaigns and their users.
import {
  CampaignCreated,
  CampaignDeleted,
  CampaignDetail,
  CampaignList,
  CampaignParams,
  CampaignUserList,
  CampaignUsers,
  CreateCampaignRequest,
  OK,
  okWith,
  OkWith,
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
  removeCampaignUsers,
  type Context,
} from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { pageOf, yesOrNo } from '../plugins/query.ts'
import { enforce, present, wanted } from '../plugins/rules.ts'
import { answers, OK_ANSWERS, PagedWith } from './answers.ts'

const tags = ['Campaigns']
const USERS_PAGE = 20

const createRules = [
  wanted(TEXT.objectMissing),
  present('appId', TEXT.appIdMissing),
  present('message', TEXT.campaignMessageMissing),
]

const text = (description: string) => Type.Optional(Type.String({ description }))
const pageParameters = {
  page: text('Page, zero-based.'),
  size: text('Elements of a page, at most 2000.'),
}

export const campaignRoutes =
  ({ config, store }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/push/campaign/create',
      {
        schema: {
          tags,
          operationId: 'createCampaign',
          summary: 'Create a campaign',
          body: Wrapped(CreateCampaignRequest),
          response: answers(OkWith(CampaignCreated)),
        },
        preValidation: enforce(createRules),
      },
      async ({ body: { requestObject } }) => okWith({ id: await createCampaign({ store }, requestObject) }),
    )

    app.route({
      method: ['DELETE', 'POST'],
      url: '/push/campaign/:id/delete',
      schema: {
        tags,
        summary: 'Delete a campaign and its users',
        description: 'A campaign that is being sent is refused unless `force`, which cancels it first.',
        params: CampaignParams,
        querystring: Type.Object({ force: text('Cancel it when it is being sent.') }),
        response: answers(OkWith(CampaignDeleted)),
      },
      handler: async ({ params, query }) => {
        const force = yesOrNo('force', query.force) ?? false
        return okWith({ deleted: await deleteCampaign(store, params.id, force) })
      },
    })

    app.get(
      '/push/campaign/:id/detail',
      {
        schema: {
          tags,
          operationId: 'describeCampaign',
          summary: 'Show a campaign and what became of it',
          params: CampaignParams,
          response: answers(OkWith(CampaignDetail)),
        },
      },
      async ({ params }) => okWith(await describeCampaign(store, params.id)),
    )

    app.get(
      '/push/campaign/list',
      {
        schema: {
          tags,
          operationId: 'listCampaigns',
          summary: 'List campaigns',
          querystring: Type.Object({
            all: text('`true`, the default: all of them; `false`: only those that were sent.'),
            sent: text('Only those that were sent, or only those that were not. Goes before `all`.'),
            ...pageParameters,
          }),
          response: answers(PagedWith(CampaignList)),
        },
      },
      async ({ query }) => {
        const sent = yesOrNo('sent', query.sent) ?? (yesOrNo('all', query.all) === false ? true : undefined)
        // Existing clients know no pages here and get everything.
        const isPaged = query.page !== undefined || query.size !== undefined
        const page = isPaged ? pageOf(query, USERS_PAGE) : undefined
        const list = await listCampaigns(store, { sent, page: page?.page ?? 0, size: page?.size })
        return { ...page, ...okWith(list) }
      },
    )

    app.route({
      method: ['PUT', 'POST'],
      url: '/push/campaign/:id/user/add',
      bodyLimit: config.campaignBodyLimit,
      schema: {
        tags,
        summary: 'Add users to a campaign',
        description: 'All of them or none. Who is in it already stays.',
        params: CampaignParams,
        body: Wrapped(CampaignUserList),
        response: OK_ANSWERS,
      },
      preValidation: enforce([wanted(TEXT.campaignUsersMissing)]),
      handler: async ({ params, body }) => {
        await addCampaignUsers(store, params.id, body.requestObject)
        return OK
      },
    })

    app.get(
      '/push/campaign/:id/user/list',
      {
        schema: {
          tags,
          operationId: 'listCampaignUsers',
          summary: 'List the users of a campaign',
          description: 'By user id. `after` the last one of the page before is the fast way through many pages.',
          params: CampaignParams,
          querystring: Type.Object({ ...pageParameters, after: text('Only users whose id comes after this one.') }),
          response: answers(PagedWith(CampaignUsers)),
        },
      },
      async ({ params, query }) => {
        const page = pageOf(query, USERS_PAGE)
        const users = await listCampaignUsers(store, params.id, { ...page, after: query.after })
        return { ...page, ...okWith({ campaignId: params.id, users }) }
      },
    )

    app.route({
      method: ['DELETE', 'POST'],
      url: '/push/campaign/:id/user/delete',
      bodyLimit: config.campaignBodyLimit,
      schema: {
        tags,
        summary: 'Remove users from a campaign',
        description: 'That some are not in it is no fault.',
        params: CampaignParams,
        body: Wrapped(CampaignUserList),
        response: OK_ANSWERS,
      },
      preValidation: enforce([wanted(TEXT.campaignUsersMissing)]),
      handler: async ({ params, body }) => {
        await removeCampaignUsers(store, params.id, body.requestObject)
        return OK
      },
    })
  }
