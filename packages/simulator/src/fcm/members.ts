// Members of FCM's messages: proto3's JSON allows two spellings of each. Pure.
import { camelCase } from '../validation.ts'

/** The member of this name, in snake case or in camel case. */
export const memberOf = (parent: Readonly<Record<string, unknown>>, name: string): unknown =>
  parent[name] ?? parent[camelCase(name)]
