// Texts of a notification that the phone looks up in the application. Pure.
import { readText } from './json.ts'

/**
 * The text itself or, without one, what stands in for a localised one: the texts of the application are not at hand, so its
 * key and the arguments are shown.
 */
export function textOf(text: unknown, key: unknown, args: unknown): string | undefined {
  const plain = readText(text)
  if (plain !== undefined || typeof key !== 'string') return plain
  return Array.isArray(args) && args.length > 0 ? `${key} (${args.join(', ')})` : key
}
