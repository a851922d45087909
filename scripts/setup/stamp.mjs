// Remembers from which inputs something was made, by their content: times of files change with every checkout.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = 'node_modules/.setup'

/** Runs `make` unless the file `product` exists and was made from `inputs` as they are now. */
export async function makeOnce({ name, inputs, product }, make) {
  const stamp = join(FOLDER, name)
  const content = fingerprint(inputs)
  if (existsSync(product) && existsSync(stamp) && readFileSync(stamp, 'utf8') === content) return
  await make()
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(stamp, content)
}

function fingerprint(files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}
