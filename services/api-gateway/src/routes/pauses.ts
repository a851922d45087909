// The end of pauses by hand, once the fault was put right elsewhere: under both names of each platform.
import { PLATFORMS, PROVIDER_NAMES, OK, ResumePlatformRequest, TEXT, Wrapped } from '@push-server/contract'
import { resumePlatform, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { fromBody } from '../plugins/applications.ts'
import { enforce, present, required } from '../validation/rules.ts'
import { OK_RESPONSES } from './responses.ts'

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

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
              operationId: `resume${capital(name)}`,
              summary: `Push to ${PROVIDER_NAMES[platform].toUpperCase()} again`,
              description:
                'Ends every pause of the platform, also that of a tripped guard; what waited is due at once. No fault when nothing is paused.',
              body: Wrapped(ResumePlatformRequest),
              response: OK_RESPONSES,
            },
            preValidation: enforce([required(TEXT.requestMissing), present('appId', TEXT.appIdMissing)]),
          },
          async ({ body: { requestObject }, log }) => {
            await resumePlatform(store, { ...requestObject, platform }, log)
            return OK
          },
        )
  }
