// Ends pauses by hand, once their cause has been corrected elsewhere: under both names of each platform.
import { capitalized, PLATFORMS, PROVIDER_NAMES, OK, ResumePlatformRequest, TEXT, Wrapped } from '@push-server/contract'
import { resumePlatform, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { fromBody } from '../validation/applications.ts'
import { enforce, notNull, required } from '../validation/rules.ts'
import { OK_RESPONSES } from '../openapi/responses.ts'

export const pauseRoutes =
  ({ store }: Pick<Context, 'store'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    for (const platform of PLATFORMS)
      for (const name of [platform, PROVIDER_NAMES[platform]])
        app.post(
          `/admin/app/${name}/resume`,
          {
            config: { scope: 'admin', applications: fromBody('appId') },
            schema: {
              tags: ['Administration'],
              operationId: `resume${capitalized(name)}`,
              summary: `Push to ${PROVIDER_NAMES[platform].toUpperCase()} again`,
              description:
                'Ends every pause of the platform, also that of an open circuit breaker; what waited is due at once. OK when nothing is paused, too.',
              body: Wrapped(ResumePlatformRequest),
              response: OK_RESPONSES,
            },
            preValidation: enforce([required(TEXT.requestMissing), notNull('appId', TEXT.appIdMissing)]),
          },
          async ({ body: { requestObject }, log }) => {
            await resumePlatform(store, { ...requestObject, platform }, log)
            return OK
          },
        )
  }
