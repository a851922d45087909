// /admin/app: applications and their credentials.
import {
  ApplicationDetail,
  ApplicationDetailRequest,
  ApplicationList,
  CreateApplicationRequest,
  CreatedApplication,
  okWith,
  OK,
  OkWith,
  RemoveApplicationRequest,
  RemovedApplication,
  SwitchRawBlocksRequest,
  TEXT,
  Wrapped,
} from '@push-server/contract'
import {
  createApplication,
  describeApplication,
  listApplications,
  removeApplication,
  switchRawBlocks,
  type Context,
} from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { fromBody } from '../validation/applications.ts'
import { applicationNamed, enforce, notNull, required } from '../validation/rules.ts'
import { OK_RESPONSES, responses } from '../openapi/responses.ts'

const tags = ['Administration']
const config = { scope: 'admin', applications: fromBody('appId') } as const

export const applicationRoutes =
  ({ store, access }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/admin/app/list',
      {
        config: { scope: 'admin' },
        schema: {
          tags,
          operationId: 'listApplications',
          summary: 'List applications',
          response: responses(OkWith(ApplicationList)),
        },
      },
      async () => okWith({ applicationList: await listApplications(store) }),
    )

    app.post(
      '/admin/app/create',
      {
        config,
        schema: {
          tags,
          operationId: 'createApplication',
          summary: 'Create an application',
          body: Wrapped(CreateApplicationRequest),
          response: responses(OkWith(CreatedApplication)),
        },
        preValidation: enforce(applicationNamed),
      },
      async ({ body: { requestObject } }) => {
        await createApplication(store, requestObject.appId)
        return okWith({ appId: requestObject.appId })
      },
    )

    app.post(
      '/admin/app/detail',
      {
        config,
        schema: {
          tags,
          operationId: 'describeApplication',
          summary: 'Show an application and its settings, secrets left out',
          body: Wrapped(ApplicationDetailRequest),
          response: responses(OkWith(ApplicationDetail)),
        },
        preValidation: enforce([required(TEXT.requestMissing), notNull('appId', TEXT.appIdMissing)]),
      },
      async ({ body: { requestObject } }) => okWith(await describeApplication(store, requestObject)),
    )

    app.route({
      method: ['PUT', 'POST'],
      url: '/admin/app/raw-blocks',
      config,
      schema: {
        tags,
        operationId: 'switchRawBlocks',
        summary: 'Let messages of an application have raw blocks, or not',
        description:
          'Raw blocks (`apns`, `fcm`, `hms` in a body) go into the requests to providers as they are. They are off unless they are switched on here, and ' +
          'require the scope `message-raw`. What was accepted before is still sent.',
        body: Wrapped(SwitchRawBlocksRequest),
        response: OK_RESPONSES,
      },
      preValidation: enforce(applicationNamed),
      handler: async ({ body: { requestObject }, caller, log }) => {
        await switchRawBlocks(store, requestObject)
        log.warn({ ...requestObject, key: caller?.id }, 'raw blocks switched')
        return OK
      },
    })

    app.post(
      '/admin/app/remove',
      {
        config,
        schema: {
          tags,
          operationId: 'removeApplication',
          summary: 'Remove an application and everything of it',
          description:
            'Refused while a campaign of it is being sent. Once the response has arrived it is unknown and its name is free; its devices, messages, campaigns and what only it shows of the inbox go in the background. API keys that were for it alone are revoked. Deliveries that were still to be pushed are counted in the response and are not pushed any more.',
          body: Wrapped(RemoveApplicationRequest),
          response: responses(OkWith(RemovedApplication)),
        },
        preValidation: enforce(applicationNamed),
      },
      async ({ body: { requestObject }, log }) =>
        okWith(await removeApplication({ store, access }, requestObject.appId, log)),
    )
  }
