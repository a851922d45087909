// Types of stamp.mjs for the scripts in TypeScript.
export interface Wanted {
  name: string
  inputs: readonly string[]
  product: string
}
export function makeOnce(wanted: Wanted, make: () => Promise<void>): Promise<void>
