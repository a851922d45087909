// /push/device: registrations.
import { CreateDeviceRequest, OK, RemoveDeviceRequest, TEXT, Wrapped } from '@push-server/contract'
import { localRegistry, registerDevice, removeDevice, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { fromBody } from '../plugins/applications.ts'
import { bodyFromQuery } from '../plugins/query-body.ts'
import { enforce, filled, present, wanted } from '../plugins/rules.ts'
import { OK_ANSWERS } from './answers.ts'

const tags = ['Devices']
const config = { scope: 'device', applications: fromBody('appId') } as const

const createRules = [
  wanted(TEXT.objectMissing),
  present('appId', TEXT.appIdMissing),
  present('activationId', TEXT.activationIdMissing),
  present('platform', TEXT.platformMissing),
  filled('token', TEXT.tokenMissing),
]
const removeRules = [
  wanted(TEXT.objectMissing),
  present('appId', TEXT.appIdMissing),
  filled('token', TEXT.tokenMissing),
]

export const deviceRoutes =
  ({ store }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const activations = localRegistry(store)

    app.post(
      '/push/device/create',
      {
        config,
        schema: {
          tags,
          operationId: 'createDevice',
          summary: 'Register a device',
          description: 'The activation ties the device to its user. A known activation or token is taken over.',
          body: Wrapped(CreateDeviceRequest),
          response: OK_ANSWERS,
        },
        preValidation: enforce(createRules),
      },
      async ({ body: { requestObject } }) => {
        await registerDevice({ store, activations }, requestObject)
        return OK
      },
    )

    for (const url of ['/push/device/remove', '/push/device/delete'])
      app.route({
        method: ['DELETE', 'POST'],
        url,
        config,
        schema: {
          tags,
          summary: 'Remove a device',
          description: 'Removes every registration of the token. That there is none is no fault.',
          body: Wrapped(RemoveDeviceRequest),
          response: OK_ANSWERS,
        },
        preValidation: [bodyFromQuery('appId', 'token'), enforce(removeRules)],
        handler: async ({ body: { requestObject } }) => {
          await removeDevice(store, requestObject)
          return OK
        },
      })
  }
