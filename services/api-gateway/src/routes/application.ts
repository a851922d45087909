// /admin/app: applications and their credentials.
import {
  ApplicationDetail,
  ApplicationDetailRequest,
  ApplicationList,
  CreateApplicationRequest,
  OK,
  okWith,
  OkWith,
  RemoveCredentialsRequest,
  TEXT,
  UpdateIosRequest,
  Wrapped,
} from '@push-server/contract'
import {
  createApplication,
  describeApplication,
  listApplications,
  removeCredentials,
  updateIos,
  type Context,
} from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { bodyFromQuery } from '../plugins/query-body.ts'
import { enforce, filled, present, wanted } from '../plugins/rules.ts'
import { answers, OK_ANSWERS } from './answers.ts'

const tags = ['Administration']
const named = [wanted(TEXT.objectMissing), present('appId', TEXT.appIdMissing)]

const iosRules = [
  ...named,
  filled('bundle', TEXT.bundleMissing),
  filled('keyId', TEXT.keyIdMissing),
  filled('teamId', TEXT.teamIdMissing),
  filled('privateKeyBase64', TEXT.privateKeyMissing),
]

export const applicationRoutes =
  ({ store }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/admin/app/list',
      {
        schema: {
          tags,
          operationId: 'listApplications',
          summary: 'List applications',
          response: answers(OkWith(ApplicationList)),
        },
      },
      async () => okWith({ applicationList: await listApplications(store) }),
    )

    app.post(
      '/admin/app/create',
      {
        schema: {
          tags,
          operationId: 'createApplication',
          summary: 'Create an application',
          body: Wrapped(CreateApplicationRequest),
          response: answers(OkWith(CreateApplicationRequest)),
        },
        preValidation: enforce(named),
      },
      async ({ body: { requestObject } }) => {
        await createApplication(store, requestObject.appId)
        return okWith({ appId: requestObject.appId })
      },
    )

    app.post(
      '/admin/app/detail',
      {
        schema: {
          tags,
          operationId: 'describeApplication',
          summary: 'Show an application and its settings, secrets left out',
          body: Wrapped(ApplicationDetailRequest),
          response: answers(OkWith(ApplicationDetail)),
        },
        preValidation: enforce([wanted(TEXT.requestMissing), present('appId', TEXT.appIdMissing)]),
      },
      async ({ body: { requestObject } }) => okWith(await describeApplication(store, requestObject)),
    )

    app.route({
      method: ['PUT', 'POST'],
      url: '/admin/app/ios/update',
      schema: {
        tags,
        summary: 'Set the APNs credentials',
        description: 'The key is parsed; one that cannot sign for APNs is refused and changes nothing. Ends a pause.',
        body: Wrapped(UpdateIosRequest),
        response: OK_ANSWERS,
      },
      preValidation: enforce(iosRules),
      handler: async ({ body: { requestObject } }) => {
        await updateIos(store, requestObject)
        return OK
      },
    })

    app.route({
      method: ['DELETE', 'POST'],
      url: '/admin/app/ios/remove',
      schema: {
        tags,
        summary: 'Remove the APNs credentials',
        body: Wrapped(RemoveCredentialsRequest),
        response: OK_ANSWERS,
      },
      preValidation: [bodyFromQuery('appId'), enforce(named)],
      handler: async ({ body: { requestObject } }) => {
        await removeCredentials(store, requestObject.appId, 'ios')
        return OK
      },
    })
  }
