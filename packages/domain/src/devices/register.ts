// Registration: a token, tied to users through activations.
import {
  ApiError,
  invalidRequest,
  normaliseToken,
  platformOf,
  refusal,
  TEXT,
  type ActivationStatus,
  type CreateDeviceRequest,
  type CreateDevicesRequest,
  type Platform,
} from '@push-server/contract'
import type { Registration, Store } from '@push-server/store'
import { refuseUnavailable, type Activation, type Activations, type RequestedBy } from '../activations/index.ts'
import { readToken } from './token.ts'

export interface Registry {
  store: Pick<Store, 'devices'>
  activations: Activations
}

/** Refuses with the texts of POST /push/device/create, in their order; nothing is changed then. */
export async function registerDevice(
  registry: Registry,
  request: CreateDeviceRequest,
  caller: RequestedBy,
): Promise<void> {
  const { activationId, ...rest } = request
  const { registration, shared } = await prepare(registry, rest, [activationId])
  if (shared) throw refusal(TEXT.deviceTokenShared)
  const [activation] = await askFor(registry, { request: rest, activationIds: [activationId], caller }).catch(
    refuseUnavailable(TEXT.activationUnknown),
  )
  const judged = judge(request.appId, activation)
  if ('failure' in judged) throw refusal(judged.failure)
  const held = [{ activationId, ...judged }]
  if ((await store(registry, { registration, held, several: 'refuse' })) === 'shared')
    throw refusal(TEXT.deviceTokenShared)
}

/**
 * The same for several activations of one device, which all have their own user. All are asked first; when one fails, nothing
 * is changed.
 */
export async function registerDevices(
  registry: Registry,
  request: CreateDevicesRequest,
  caller: RequestedBy,
): Promise<void> {
  const { activationIds: given, ...rest } = request
  const activationIds = [...new Set(given)]
  const { registration } = await prepare(registry, rest, activationIds)
  const activations = await askFor(registry, { request: rest, activationIds, caller }).catch(
    refuseUnavailable(TEXT.registrationFailed),
  )
  const held: Held[] = []
  for (const [index, activationId] of activationIds.entries()) {
    const judged = judge(request.appId, activations[index])
    if ('failure' in judged) {
      // The answer does not say which one; support wants to know.
      caller.log.warn({ activationId, reason: judged.failure }, 'a device is not registered')
      throw refusal(TEXT.registrationFailed)
    }
    held.push({ activationId, ...judged })
  }
  await store(registry, { registration, held, several: 'replace' })
}

type Request = Omit<CreateDeviceRequest, 'activationId'>
type Place = Omit<Registration, 'activationId' | 'userId' | 'active'>

/** What can be said before anybody is asked for the activations. */
async function prepare(
  { store: { devices } }: Registry,
  { appId, token: text, ...request }: Request,
  activationIds: readonly string[],
): Promise<{ registration: Place; shared: boolean }> {
  const platform = platformNamed(request.platform)
  const prospect = await devices.prospect(appId, activationIds, { platform, token: normaliseToken(platform, text) })
  if (!prospect) throw refusal(TEXT.applicationUnknown)
  const read = readToken(platform, text)
  if ('hint' in read) throw invalidRequest([{ fieldName: 'requestObject.token', hint: read.hint }])
  const { applicationId, shared } = prospect
  return { registration: { applicationId, platform, environment: request.environment ?? null, ...read }, shared }
}

function platformNamed(name: string): Platform {
  const platform = platformOf(name)
  if (!platform) throw new ApiError('ERROR_REQUEST', `No platform is called ${name}`)
  return platform
}

interface Asking {
  request: Request
  activationIds: readonly string[]
  caller: RequestedBy
}

const askFor = ({ activations }: Registry, { request, activationIds, caller }: Asking) =>
  activations.ask({
    activationIds,
    caller,
    hint: {
      appId: request.appId,
      userId: request.userId,
      // The schema has checked that it is one of the words.
      status: request.activationStatus as ActivationStatus | null | undefined,
    },
  })

/** The activation, if a device may be registered for it, or why not. */
function judge(appId: string, activation: Activation | undefined): { activation: Activation } | { failure: string } {
  if (!activation || activation.status === 'REMOVED') return { failure: TEXT.activationNotActive }
  const isForeign = activation.applicationId !== null && activation.applicationId !== appId
  return isForeign ? { failure: TEXT.activationOfOther } : { activation }
}

interface Held {
  activationId: string
  activation: Activation
}

interface Storing {
  registration: Place
  held: readonly Held[]
  several: 'replace' | 'refuse'
}

const store = ({ store: { devices }, activations }: Registry, { registration, held, several }: Storing) =>
  devices.register(
    held.map(({ activationId, activation: { userId, status } }) => ({
      ...registration,
      activationId,
      userId,
      active: status === 'ACTIVE',
    })),
    {
      several,
      keep: activations.keeps ? held.map((one) => keptOf(registration, one)) : [],
    },
  )

/** One that belongs to an application belongs to this one: `judge` has seen to it. */
const keptOf = ({ applicationId }: Place, { activationId, activation }: Held) => ({
  ...activation,
  activationId,
  applicationRow: activation.applicationId === null ? null : applicationId,
})
