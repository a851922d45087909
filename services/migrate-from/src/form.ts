// Which members clients of the source know, which setting gives them these, and whether the target does.
import { isDeepStrictEqual } from 'node:util'
import { shapedAs, VERSION_RESPONSES, type VersionForm } from '@push-server/contract'
import { ConfigError } from '@push-server/runtime'
import type { SourceVersion } from './source.ts'
import type { Target } from './target.ts'

export const formOf = (version: SourceVersion): VersionForm => (version === '1.10' ? '1.10' : '1.9')

/** What to set, by where clients call. Below a prefix the newer members are the default. */
export function settingsOf(version: SourceVersion): { atRoot: string; belowPrefix: string | undefined } {
  const form = formOf(version)
  return { atRoot: `ROOT_COMPATIBILITY=${form}`, belowPrefix: form === '1.10' ? undefined : `COMPATIBILITY=${form}` }
}

interface ApplicationList {
  responseObject?: { applicationList?: { appId: string }[] }
}

/** The setting that is missing; undefined when clients get what they know. `base`: where they call. */
export async function missingSetting(
  { get, post }: Pick<Target, 'get' | 'post'>,
  { version, base }: { version: SourceVersion; base: string },
): Promise<string | undefined> {
  const form = formOf(version)
  const list = (await get('/admin/app/list')) as ApplicationList
  const applications = list.responseObject?.applicationList
  if (!applications) throw new ConfigError(`${base} is not the base of this API: it lists no applications`)
  const [first] = applications
  if (!first) throw new ConfigError(`There is no application at ${base} yet: move the data first`)
  const detail = await post('/admin/app/detail', { requestObject: { appId: first.appId } })
  const { listApplications, describeApplication } = VERSION_RESPONSES[form]
  if (!listApplications || !describeApplication) throw new Error(`no responses of ${form}`)
  const isKnown = isDeepStrictEqual(shapedAs(listApplications, list), list) && hasPlatforms(first, form)
  if (isKnown && isDeepStrictEqual(shapedAs(describeApplication, detail), detail)) return undefined
  const isRoot = new URL(base).pathname === '/'
  return `${isRoot ? 'ROOT_COMPATIBILITY' : 'COMPATIBILITY'}=${form}`
}

/** A platform of the family that each version names. */
const FAMILY: Readonly<Record<VersionForm, string>> = { '1.9': 'ios', '1.10': 'apns' }
const hasPlatforms = (application: object, form: VersionForm) => Object.hasOwn(application, FAMILY[form])
