// Names of settings that the release before knew: each is served for one release beside the new one. Pure.
import type { Setting } from './setting.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What a setting was given as, and what it is called now. */
export interface FormerName {
  formerName: string
  name: string
}

type Names = Pick<Setting<unknown>, 'name' | 'formerName' | 'secret'>

/** The former name only while the new one is not given. */
export function nameInUse({ name, formerName, secret }: Names, environment: Environment): string {
  if (formerName === undefined || isGiven(name, secret, environment)) return name
  return isGiven(formerName, secret, environment) ? formerName : name
}

/** Settings that are given under their former name. */
export const formerNamesIn = (settings: readonly Names[], environment: Environment): FormerName[] =>
  settings
    .map((setting) => ({ formerName: nameInUse(setting, environment), name: setting.name }))
    .filter(({ formerName, name }) => formerName !== name)

/** A line for each setting that is given under both names: which value is meant is unknown. */
export const doubleNames = (settings: readonly Names[], environment: Environment): string[] =>
  settings.flatMap(({ name, formerName, secret }) =>
    formerName !== undefined && [name, formerName].every((each) => isGiven(each, secret, environment))
      ? [`${formerName}: former name of ${name}, which is given as well; leave ${formerName} out`]
      : [],
  )

const isGiven = (name: string, secret: boolean, environment: Environment): boolean =>
  Boolean(environment[name] || (secret && environment[`${name}_FILE`]))
