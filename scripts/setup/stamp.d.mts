// Types of stamp.mjs for the scripts in TypeScript.
export interface Product {
  name: string
  inputs: readonly string[]
  product: string
}
export function makeOnce(product: Product, make: () => Promise<void>): Promise<void>
