// /admin/app/{ios,android,huawei}: the credentials of an application on each platform.
import {
  OK,
  PLATFORMS,
  RemoveCredentialsRequest,
  TEXT,
  UpdateAndroidRequest,
  UpdateHuaweiRequest,
  UpdateIosRequest,
  Wrapped,
} from '@push-server/contract'
import { removeCredentials, updateAndroid, updateHuawei, updateIos, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { fromBody } from '../plugins/applications.ts'
import { bodyFromQuery } from '../plugins/query-body.ts'
import { enforce, filled, present, wanted } from '../plugins/rules.ts'
import { OK_ANSWERS } from './answers.ts'

const tags = ['Administration']
const config = { scope: 'admin', applications: fromBody('appId') } as const
const description =
  'Credentials that the provider could not be reached with are refused and change nothing. Ends a pause.'
const methods = ['PUT', 'POST']
const named = [wanted(TEXT.objectMissing), present('appId', TEXT.appIdMissing)]

const iosRules = [
  ...named,
  filled('bundle', TEXT.bundleMissing),
  filled('keyId', TEXT.keyIdMissing),
  filled('teamId', TEXT.teamIdMissing),
  filled('privateKeyBase64', TEXT.privateKeyMissing),
]
const androidRules = [
  ...named,
  filled('projectId', TEXT.projectIdMissing),
  filled('privateKeyBase64', TEXT.privateKeyMissing),
]

export const credentialsRoutes =
  ({ store }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.route({
      method: methods,
      url: '/admin/app/ios/update',
      config,
      schema: {
        tags,
        description,
        summary: 'Set the APNs credentials',
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
      method: methods,
      url: '/admin/app/android/update',
      config,
      schema: {
        tags,
        description,
        summary: 'Set the FCM credentials',
        body: Wrapped(UpdateAndroidRequest),
        response: OK_ANSWERS,
      },
      preValidation: enforce(androidRules),
      handler: async ({ body: { requestObject } }) => {
        await updateAndroid(store, requestObject)
        return OK
      },
    })

    app.route({
      method: methods,
      url: '/admin/app/huawei/update',
      config,
      schema: {
        tags,
        description,
        summary: 'Set the HMS credentials',
        body: Wrapped(UpdateHuaweiRequest),
        response: OK_ANSWERS,
      },
      handler: async ({ body: { requestObject } }) => {
        await updateHuawei(store, requestObject)
        return OK
      },
    })

    for (const platform of PLATFORMS)
      app.route({
        method: ['DELETE', 'POST'],
        url: `/admin/app/${platform}/remove`,
        config,
        schema: {
          tags,
          summary: `Remove the credentials of ${platform}`,
          body: Wrapped(RemoveCredentialsRequest),
          response: OK_ANSWERS,
        },
        preValidation: [bodyFromQuery('appId'), ...(platform === 'huawei' ? [] : [enforce(named)])],
        handler: async ({ body: { requestObject } }) => {
          await removeCredentials(store, requestObject.appId, platform)
          return OK
        },
      })
  }
