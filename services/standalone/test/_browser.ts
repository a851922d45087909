// The browser of the tests: the system's Chromium, or none.
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** `missing`: why tests are left out, or false. With TEST_BROWSER=required they fail instead. */
export async function browserPath(): Promise<{ path: string; missing: string | false }> {
  for (const path of PLACES)
    try {
      await access(path, constants.X_OK)
      return { path, missing: false }
    } catch {
      continue
    }
  const missing = `none of ${PLACES.join(', ')} is there`
  if (process.env['TEST_BROWSER'] === 'required') throw new Error(`TEST_BROWSER=required, but ${missing}`)
  return { path: '', missing }
}
