// Registration of a token, which activations tie to users.
import {
  ApiError,
  invalidRequest,
  isInstallationId,
  normaliseToken,
  platformOf,
  refusal,
  refusalNaming,
  TEXT,
  type ActivationStatus,
  type CreateDeviceRequest,
  type CreateDevicesRequest,
  type Platform,
  type Violation,
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
  const { fields, shared } = await prepare(registry, rest, [activationId])
  warnOfKind(fields, caller)
  if (shared) throw refusal(TEXT.deviceTokenShared)
  const activation = believedActivation(registry, rest) ?? (await findActivation())
  const checked = checkActivation(rest, activation)
  if ('failure' in checked) throw refusedFor(registry, rest, { activation, text: checked.failure })
  const registered = [{ activationId, ...checked }]
  if ((await storeDevices(registry, { fields, registered, several: 'refuse' })) === 'shared')
    throw refusal(TEXT.deviceTokenShared)

  async function findActivation() {
    const found = findActivations(registry, { request: rest, activationIds: [activationId], caller })
    return (await found.catch(refuseUnavailable(TEXT.activationUnknown)))[0]
  }
}

/**
 * Registers a device for several activations, each with its own user. All are looked up first: when one fails, nothing is
 * changed.
 */
export async function registerDevices(
  registry: Registry,
  request: CreateDevicesRequest,
  caller: RequestedBy,
): Promise<void> {
  const { activationIds: given, ...rest } = request
  const activationIds = [...new Set(given)]
  const { fields } = await prepare(registry, rest, activationIds)
  warnOfKind(fields, caller)
  const activations = await findActivations(registry, { request: rest, activationIds, caller }).catch(
    refuseUnavailable(TEXT.registrationFailed),
  )
  const registered: RegisteredActivation[] = []
  for (const [index, activationId] of activationIds.entries()) {
    const checked = checkActivation(rest, activations[index])
    if ('failure' in checked) {
      // The response does not say which one; support needs to know.
      caller.log.warn({ activationId, reason: checked.failure }, 'device registration refused')
      throw refusedFor(registry, rest, { activation: activations[index], text: TEXT.registrationFailed })
    }
    registered.push({ activationId, ...checked })
  }
  await storeDevices(registry, { fields, registered, several: 'replace' })
}

type Request = Omit<CreateDeviceRequest, 'activationId'>
/** What all registrations of one device have in common. */
type DeviceFields = Omit<Registration, 'activationId' | 'userId' | 'active'>

/** Checks that need no activation, and the fields of the device. */
async function prepare(
  { store: { devices } }: Registry,
  { appId, token: text, ...request }: Request,
  activationIds: readonly string[],
): Promise<{ fields: DeviceFields; shared: boolean }> {
  const platform = platformNamed(request.platform)
  const prospect = await devices.prospect(appId, activationIds, { platform, token: normaliseToken(platform, text) })
  if (!prospect) throw refusal(TEXT.applicationUnknown)
  const read = readToken(platform, { token: text, ...request })
  if ('hint' in read) throw invalidRequest([{ fieldName: 'requestObject.token', hint: read.hint }])
  const { applicationId, shared } = prospect
  return { fields: { applicationId, platform, environment: request.environment ?? null, ...read }, shared }
}

/** FCM takes a registration token for none that has this format. */
function warnOfKind({ platform, token, tokenKind, applicationId }: DeviceFields, { log }: RequestedBy): void {
  if (platform === 'android' && !tokenKind && isInstallationId(token))
    log.warn(
      { applicationId },
      'token has the format of an installation id, and is registered without the tokenKind "fid"',
    )
}

function platformNamed(name: string): Platform {
  const platform = platformOf(name)
  if (!platform) throw new ApiError('ERROR_REQUEST', `No platform is called ${name}`)
  return platform
}

interface ActivationSearch {
  request: Request
  activationIds: readonly string[]
  caller: RequestedBy
}

const findActivations = ({ activations }: Registry, { request, activationIds, caller }: ActivationSearch) =>
  activations.find({
    activationIds,
    caller,
    hint: {
      appId: request.appId,
      userId: request.userId,
      // The schema has checked that it is one of the words.
      status: request.activationStatus as ActivationStatus | null | undefined,
    },
  })

/** What a registration says of its activation when it names both user and status; otherwise undefined. */
function claimOf({ userId, activationStatus }: Request): Pick<Activation, 'userId' | 'status'> | undefined {
  if (isLeftOut(userId) || isLeftOut(activationStatus)) return undefined
  // The schema has checked that it is one of the words.
  return { userId, status: activationStatus as ActivationStatus }
}

const isLeftOut = (value: string | null | undefined): value is null | undefined => value === null || value === undefined

/** No application is compared: the caller knows the activation, and the registry is not called. */
function believedActivation({ activations }: Registry, request: Request): Activation | undefined {
  const claim = activations.believes ? claimOf(request) : undefined
  return claim && { ...claim, applicationId: null }
}

/** The activation when a device may be registered for it, otherwise why it may not. */
function checkActivation(
  request: Request,
  activation: Activation | undefined,
): { activation: Activation } | { failure: string } {
  // Only clients of versions 2.x say what they know, and only these versions have texts of their own.
  const [unknown, removed] = claimOf(request)
    ? [TEXT.activationNotFound, TEXT.activationRemoved]
    : [TEXT.activationNotActive, TEXT.activationNotActive]
  if (!activation) return { failure: unknown }
  if (activation.status === 'REMOVED') return { failure: removed }
  const isForeign = activation.applicationId !== null && activation.applicationId !== request.appId
  return isForeign ? { failure: TEXT.activationOfOther } : { activation }
}

const USER_REQUIRED: Violation = {
  fieldName: 'requestObject.userId',
  hint: 'is required for an activation that is not known yet, without PowerAuth Server',
}

/** The text that clients know, and the member that it says nothing of. */
const refusedFor = (
  { activations }: Registry,
  { userId }: Request,
  { activation, text }: { activation: Activation | undefined; text: string },
) =>
  activations.keeps && activation === undefined && isLeftOut(userId)
    ? refusalNaming(text, [USER_REQUIRED])
    : refusal(text)

interface RegisteredActivation {
  activationId: string
  activation: Activation
}

interface NewRegistrations {
  fields: DeviceFields
  registered: readonly RegisteredActivation[]
  several: 'replace' | 'refuse'
}

const storeDevices = (
  { store: { devices }, activations }: Registry,
  { fields, registered, several }: NewRegistrations,
) =>
  devices.register(
    registered.map(({ activationId, activation: { userId, status } }) => ({
      ...fields,
      activationId,
      userId,
      active: status === 'ACTIVE',
    })),
    {
      several,
      keep: activations.keeps ? registered.map((one) => keptActivation(fields, one)) : [],
    },
  )

/** An activation that belongs to an application belongs to this one: `checkActivation` has checked it. */
const keptActivation = ({ applicationId }: DeviceFields, { activationId, activation }: RegisteredActivation) => ({
  ...activation,
  activationId,
  applicationRow: activation.applicationId === null ? null : applicationId,
})
