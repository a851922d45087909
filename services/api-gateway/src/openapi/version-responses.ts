// An operation whose responses are described in the form of a version, by the table that responses are given their form by. Pure.
import { VERSION_RESPONSES, type VersionForm } from '@push-server/contract'
import type { Operation } from './operations.ts'
import type { Schema } from './schema.ts'
import { headersNamed } from './shared-responses.ts'
import { inVersion } from './version-schema.ts'

/** Leaves an operation that the version does not have as it is. */
export function respondInVersion(form: VersionForm, { operationId = '', responses = {} }: Operation): void {
  const own = VERSION_RESPONSES[form][operationId]
  const { '200': success } = responses
  const media = success?.content?.['application/json']
  if (!own || !success || !media?.schema) return
  const { schema: full } = media
  media.schema = inVersion(own, full)
  if (hasMessageIds(full) && !hasMessageIds(media.schema))
    success.headers = { ...success.headers, ...headersNamed(['X-Message-Ids', 'X-Message-Ids-Omitted']) }
}

const hasMessageIds = ({ properties }: Schema) =>
  properties?.['responseObject']?.properties?.['messageIds'] !== undefined
