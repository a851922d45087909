// Which applications a request names. A route says where they stand in it, and a key that is bound to applications has to be for
// all of them. A route that says nothing refuses such a key; one that says OWN shows the key's applications alone.
import { forbidden } from '@push-server/contract'
import { inboxApplications, type Caller, type Context } from '@push-server/domain'
import type { FastifyRequest } from 'fastify'

export interface ApplicationsOf {
  /** Those that the path names are compared before the body is read, all others once the request is validated. */
  place: 'path' | 'query' | 'body'
  /**
   * The ids of all applications that the request is about. There are none when it names no known one; a bound key is then
   * refused. May query the database, as for the application of a campaign.
   */
  find(request: FastifyRequest): readonly string[] | Promise<readonly string[]>
}

/** The request is about all applications of the key: the handler gets them from `ownApplications`. */
export const OWN = 'own'

/** The applications that a key is bound to; undefined = any application. */
export const ownApplications = ({ caller }: FastifyRequest): readonly string[] | undefined =>
  caller && caller.appIds.length > 0 ? caller.appIds : undefined

type Members = Readonly<Record<string, unknown>>

/** In this member of the request object, as one id or a list of them. */
export const fromBody = (member: string): ApplicationsOf => ({
  place: 'body',
  find: ({ body }) => idsIn((body as { requestObject?: Members } | undefined)?.requestObject?.[member]),
})

/** In this parameter of the query. */
export const fromQuery = (name: string): ApplicationsOf => ({
  place: 'query',
  find: ({ query }) => idsIn((query as Members)[name]),
})

/** In this parameter of the query, separated by commas. */
export const fromQueryList = (name: string): ApplicationsOf => ({
  place: 'query',
  find({ query }) {
    const text = (query as Members)[name]
    return typeof text === 'string' ? text.split(',') : []
  },
})

/** Of the campaign that the path names. */
export const applicationOfCampaign = ({ campaigns }: Pick<Context['store'], 'campaigns'>): ApplicationsOf => ({
  place: 'path',
  async find({ params }) {
    const id = Number((params as { id: string }).id)
    const campaign = Number.isSafeInteger(id) ? await campaigns.find(id) : undefined
    return campaign ? [campaign.appId] : []
  },
})

/** Of the message that the path names. */
export const applicationOfMessage = ({ messages }: Pick<Context['store'], 'messages'>): ApplicationsOf => ({
  place: 'path',
  async find({ params }) {
    const message = await messages.find((params as { id: string }).id)
    return message ? [message.appId] : []
  },
})

/** Those that show the inbox message: a key has to be for all of them. */
export const applicationsOfInboxMessage = (
  context: Pick<Context, 'store' | 'config'>,
  place: ApplicationsOf['place'],
  idIn: (request: FastifyRequest) => string,
): ApplicationsOf => ({
  place,
  find: (request) => inboxApplications(context, idIn(request)),
})

function idsIn(value: unknown): string[] {
  const ids = [value].flat()
  return ids.every((id) => typeof id === 'string') ? ids : []
}

type Stage = 'before the body' | 'validated'

/**
 * Refuses a bound key with 403 unless the route says which applications the request names, and the key is for all of them. To be
 * called at both stages; each refuses as soon as it knows.
 */
export async function holdToApplications({ appIds }: Caller, request: FastifyRequest, stage: Stage): Promise<void> {
  if (appIds.length === 0) return
  const { applications } = request.routeOptions.config
  if (applications === OWN) return
  if (!applications) throw forbidden('This API key is bound to applications, and this is not about any one of them')
  if ((applications.place === 'path') !== (stage === 'before the body')) return
  const named = await applications.find(request)
  if (named.length === 0 || !named.every((appId) => appIds.includes(appId)))
    throw forbidden('This API key is bound to other applications')
}
