// /admin/app: applications and their credentials.
import {
  ApplicationDetail,
  ApplicationDetailRequest,
  ApplicationList,
  CreateApplicationRequest,
  okWith,
  OkWith,
  TEXT,
  Wrapped,
} from '@push-server/contract'
import { createApplication, describeApplication, listApplications, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { fromBody } from '../plugins/applications.ts'
import { enforce, present, wanted } from '../plugins/rules.ts'
import { answers } from './answers.ts'

const tags = ['Administration']
const config = { scope: 'admin', applications: fromBody('appId') } as const
const named = [wanted(TEXT.objectMissing), present('appId', TEXT.appIdMissing)]

export const applicationRoutes =
  ({ store }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/admin/app/list',
      {
        config: { scope: 'admin' },
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
        config,
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
        config,
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
  }
