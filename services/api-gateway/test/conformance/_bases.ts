// R2-09: the bases of the API, and the paths that monitors know.
import { createApi } from '@push-server/testing'
import type { Checks } from './_target.ts'

export const PREFIX = '/powerauth-push-server'

export const baseChecks: Checks = {
  'R2-09 every path is served below the prefix and under the root (Base path)': async (t, { api }) => {
    const root = api.url.endsWith(PREFIX) ? api.url.slice(0, -PREFIX.length) : api.url
    for (const path of [
      '/push/service/status',
      '/actuator/health',
      '/health/live',
      '/health/ready',
      '/v3/api-docs',
      '/swagger-ui/index.html',
    ])
      for (const base of [root, root + PREFIX]) {
        const { status } = await createApi(base).get(path)
        t.equal(status, 200, base + path)
      }
    const { status } = await createApi(`${root}${PREFIX}more`).get('/push/service/status')
    t.equal(status, 404, 'a longer name is another one')
  },
}
