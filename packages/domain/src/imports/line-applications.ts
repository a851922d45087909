// The applications that lines name: each is looked up once for a file.
import type { LineError } from '@push-server/contract'
import type { ApplicationRow, Store } from '@push-server/store'

export interface LineApplications {
  /** Looks up those of some lines, in one query. */
  load(appIds: readonly (string | null | undefined)[]): Promise<void>
  /** The application of a line, or what is wrong with its name. `load` has been called for it. */
  of(line: number, appId: string | null | undefined): ApplicationRow | LineError
}

/** `only`: the application of the whole file, which lines need not name and may not contradict. */
export function createLineApplications({ applications }: Pick<Store, 'applications'>, only?: string): LineApplications {
  const known = new Map<string, ApplicationRow | undefined>()
  return {
    async load(appIds) {
      const names = new Set(appIds.map((appId) => appId ?? only).filter((appId) => appId !== undefined))
      const unknown = [...names].filter((appId) => !known.has(appId))
      const rows = new Map((await applications.findAll(unknown)).map((row) => [row.appId, row]))
      for (const appId of unknown) known.set(appId, rows.get(appId))
    },
    of(line, appId) {
      const wrong = (hint: string) => ({ line, fieldName: 'appId', hint })
      if (only !== undefined && (appId ?? only) !== only) return wrong('is not the application of the query')
      const name = appId ?? only
      if (name === undefined) return wrong('must not be null: neither the line nor the query names an application')
      return known.get(name) ?? wrong('is not a known application')
    },
  }
}
