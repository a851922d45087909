// /push/device: registrations.
import {
  CreateDeviceRequest,
  CreateDevicesRequest,
  DeviceHistory,
  DeviceList,
  DEVICES_OF_A_PAGE,
  ListDevicesQuery,
  OK,
  paged,
  Paged,
  platformOf,
  refusal,
  RemoveDeviceRequest,
  TEXT,
  UpdateDeviceStatusRequest,
  Wrapped,
  type Violation,
} from '@push-server/contract'
import {
  listDeviceEvents,
  listDevices,
  registerDevice,
  registerDevices,
  removeDevice,
  updateDeviceStatus,
  type Activations,
  type Context,
} from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { fromBody, fromQuery } from '../validation/applications.ts'
import { bodyFromQuery } from '../validation/query-body.ts'
import { enforce, enforceBare, notBlank, notEmpty, notNull, required, type Rule } from '../validation/rules.ts'
import { reportIgnored } from '../plugins/preferences.ts'
import { responses, OK_RESPONSES } from '../openapi/responses.ts'

const tags = ['Devices']
const config = { scope: 'device', applications: fromBody('appId') } as const

const createRules = [
  required(TEXT.objectMissing),
  notNull('appId', TEXT.appIdMissing),
  notNull('activationId', TEXT.activationIdMissing),
  notNull('platform', TEXT.platformMissing),
  notEmpty('token', TEXT.tokenMissing),
  notBlank('appId', TEXT.applicationUnknown),
]

/** Left out and empty are one error, null is another. */
const activationIdsGiven: Rule = (object) => {
  const ids = object?.activationIds
  if (ids === null) return TEXT.activationIdsNull
  return ids === undefined || (Array.isArray(ids) && ids.length === 0) ? TEXT.activationIdsEmpty : undefined
}

/** Words that are no platform are left to the schema. */
const environmentSupported: Rule = (object) => {
  const { environment, platform } = object ?? {}
  if (environment === undefined || environment === null || typeof platform !== 'string') return undefined
  const named = platformOf(platform)
  return named !== undefined && named !== 'ios' ? TEXT.environmentUnsupported : undefined
}

const createMultiRules = [
  required(TEXT.objectMissing),
  notNull('appId', TEXT.appIdMissing),
  activationIdsGiven,
  notNull('platform', TEXT.platformMissing),
  environmentSupported,
  notEmpty('token', TEXT.tokenMissing),
  notBlank('appId', TEXT.applicationUnknown),
]

/** Members that only devices of one platform have. */
const OF_ONE_PLATFORM = { environment: 'ios', tokenKind: 'android', huaweiApi: 'huawei' } as const
type OfOnePlatform = keyof typeof OF_ONE_PLATFORM

/** Words that are no platform are refused later. */
function ignoredOf(request: Pick<CreateDeviceRequest, OfOnePlatform | 'platform'>): Violation[] {
  const platform = platformOf(request.platform)
  return (Object.keys(OF_ONE_PLATFORM) as OfOnePlatform[])
    .filter((name) => request[name] && OF_ONE_PLATFORM[name] !== platform)
    .map((name) => ({
      fieldName: `requestObject.${name}`,
      hint: `is for devices of ${OF_ONE_PLATFORM[name]} alone`,
    }))
}

const removeRules = [
  required(TEXT.objectMissing),
  notNull('appId', TEXT.appIdMissing),
  notEmpty('token', TEXT.tokenMissing),
]

export const deviceRoutes =
  ({ config: settings, store }: Context, activations: Activations): FastifyPluginAsyncTypebox =>
  async (app) => {
    const registry = { store, activations }

    app.post(
      '/push/device/create',
      {
        config,
        schema: {
          tags,
          operationId: 'createDevice',
          summary: 'Register a device',
          description:
            'The activation ties the device to its user. A known activation or token is taken over. Where there is a PowerAuth ' +
            'Server, its response counts, not `userId` and `activationStatus` of the request; with REGISTRATION_ALWAYS_ASK=false ' +
            'it is not called for a request that has both.',
          body: Wrapped(CreateDeviceRequest),
          response: OK_RESPONSES,
        },
        preValidation: enforce(createRules),
      },
      async (request) => {
        reportIgnored(request, ignoredOf(request.body.requestObject))
        await registerDevice(registry, request.body.requestObject, request)
        return OK
      },
    )

    app.post(
      '/push/device/create/multi',
      {
        config,
        schema: {
          tags,
          operationId: 'createDeviceForActivations',
          summary: 'Register a device for several activations',
          description:
            'All activations are looked up first; when one of them cannot be registered, nothing is changed. ' +
            'Activations keep their rows; others that had the token make way.',
          body: Wrapped(CreateDevicesRequest),
          response: OK_RESPONSES,
        },
        // Before anything of the body is checked.
        onRequest: async () => {
          if (!settings.registrationMultipleActivationsEnabled) throw refusal(TEXT.multipleActivationsDisabled)
        },
        preValidation: enforce(createMultiRules),
      },
      async (request) => {
        reportIgnored(request, ignoredOf(request.body.requestObject))
        await registerDevices(registry, request.body.requestObject, request)
        return OK
      },
    )

    app.route({
      method: ['PUT', 'POST'],
      url: '/push/device/status/update',
      // Of which application the activation is, it does not say: keys that are bound to some are refused.
      config: { scope: 'device', strays: 'foreign' },
      schema: {
        tags,
        operationId: 'updateDeviceStatus',
        summary: 'Update the status of an activation',
        description:
          'Takes a bare object, so that PowerAuth Server can call it back (ACTIVATION_STATUS_CHANGE). Without a status ' +
          'PowerAuth Server is queried for it. Only devices of an ACTIVE activation get personal messages.',
        body: UpdateDeviceStatusRequest,
        response: OK_RESPONSES,
      },
      preValidation: enforceBare([notNull('activationId', TEXT.activationIdMissing)]),
      handler: async (request) => {
        await updateDeviceStatus(registry, request.body, request)
        return OK
      },
    })

    app.get(
      '/push/device/list',
      {
        config: { scope: 'device', applications: fromQuery('appId') },
        schema: {
          tags,
          operationId: 'listDevices',
          summary: 'List the devices of a user',
          description:
            'Registered last comes first. Devices whose token was refused for good stand among them for a while.',
          querystring: ListDevicesQuery,
          response: responses(Paged(DeviceList)),
        },
      },
      async ({ query: { page = 0, size = DEVICES_OF_A_PAGE, ...query } }) => {
        const devices = await listDevices(store, query, { page, size })
        return paged({ page, size }, { ...query, devices })
      },
    )

    app.get(
      '/push/device/history',
      {
        config: { scope: 'device', applications: fromQuery('appId') },
        schema: {
          tags,
          operationId: 'listDeviceEvents',
          summary: 'What became of the devices of a user, newest first',
          description:
            'Registrations, changes of token, user and status, drops with their reason, removals and imports, for 90 days by default. ' +
            'Devices that were the user’s before stand among them up to the event that took them. A registration that changes nothing is no event.',
          querystring: ListDevicesQuery,
          response: responses(Paged(DeviceHistory)),
        },
      },
      async ({ query: { page = 0, size = DEVICES_OF_A_PAGE, ...query } }) => {
        const events = await listDeviceEvents(store, query, { page, size })
        return paged({ page, size }, { ...query, events })
      },
    )

    for (const name of ['remove', 'delete'])
      app.route({
        method: ['DELETE', 'POST'],
        url: `/push/device/${name}`,
        config,
        schema: {
          tags,
          operationId: `${name}Device`,
          summary: 'Remove a device',
          description: 'Removes every registration of the token. OK when there is none, too.',
          body: Wrapped(RemoveDeviceRequest),
          response: OK_RESPONSES,
        },
        preValidation: [bodyFromQuery('appId', 'token'), enforce(removeRules)],
        handler: async ({ body: { requestObject } }) => {
          await removeDevice(store, requestObject)
          return OK
        },
      })
  }
