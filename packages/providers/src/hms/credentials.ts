// Credentials of an application for HMS: a project, and an OAuth client of it. The client's id is kept with its secret,
// so that neither is shown or stored in clear.
import { InvalidCredentials, readSecretObject } from '../credentials.ts'

export interface HmsCredentials {
  /** Names the project in the path of every push. */
  projectId: string
  clientId: string
  clientSecret: string
}

/** The secret as it is stored: JSON of client id and client secret. */
export const hmsSecret = ({ clientId, clientSecret }: Pick<HmsCredentials, 'clientId' | 'clientSecret'>): Buffer =>
  Buffer.from(JSON.stringify({ clientId, clientSecret }))

const NOT_JSON = 'HMS secret is not the JSON of a client id and a client secret'
const PATH_SEGMENT = /^[\x21-\x7e]+$/
const CONTROL_CHARACTER = /\p{Cc}/u

/** Reads stored credentials. Throws InvalidCredentials when a part is missing or cannot be sent. */
export function readHmsCredentials(
  { projectId }: Readonly<Record<string, string | null>>,
  secret: Buffer,
): HmsCredentials {
  const { clientId, clientSecret } = readSecretObject(secret, NOT_JSON, 'clientSecret')
  const credentials = {
    projectId: checked('projectId', projectId),
    clientId: checked('clientId', clientId),
    clientSecret: checked('clientSecret', clientSecret),
  }
  if (!PATH_SEGMENT.test(credentials.projectId))
    throw new InvalidCredentials('HMS project id must be ASCII without blanks', { field: 'projectId' })
  return credentials
}

function checked(name: keyof HmsCredentials, value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '')
    throw new InvalidCredentials(`HMS credentials lack "${name}"`, { field: name })
  if (CONTROL_CHARACTER.test(value))
    throw new InvalidCredentials(`HMS "${name}" must not have control characters`, { field: name })
  return value
}
