// API keys of a test.
import { createApiKey, type Context, type KeyRequest } from '@push-server/domain'

/** Resolves with the text of a new key; rejects when one of its applications does not exist. */
export async function makeApiKey(
  { store: { apiKeys } }: Pick<Context, 'store'>,
  { name = 'test', appIds = [], ...request }: Partial<KeyRequest> & Pick<KeyRequest, 'scopes'>,
): Promise<string> {
  const made = await createApiKey(apiKeys, { ...request, name, appIds })
  if ('unknown' in made) throw new Error(`There is no application ${made.unknown.join(', ')}`)
  return made.text
}
