// /push/campaign: test and live sends, their control, and what became of them.
import {
  audienceOf,
  CampaignAudience,
  CampaignAudienceQuery,
  CampaignFailures,
  CampaignFailuresQuery,
  CampaignParams,
  CampaignProgress,
  CampaignTested,
  OK,
  okWith,
  OkWith,
  Paged,
  paged,
  ScheduleCampaignRequest,
  SendCampaignQuery,
  TestCampaignRequest,
  TEXT,
  Wrapped,
} from '@push-server/contract'
import {
  campaignAudience,
  campaignFailures,
  campaignProgress,
  cancelCampaign,
  findCampaign,
  pauseCampaign,
  resumeCampaign,
  scheduleCampaign,
  sendCampaign,
  testCampaign,
  unscheduleCampaign,
  type Context,
} from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { preValidationAsyncHookHandler } from 'fastify'
import { applicationOfCampaign, ownApplications } from '../validation/applications.ts'
import { enforce, notBlank, notNull, required } from '../validation/rules.ts'
import { responses, OK_RESPONSES, sendResponses } from '../openapi/responses.ts'
import type { Sending } from '../parts.ts'

const tags = ['Campaigns']
const PAGE_SIZE = 100

const testRules = [
  required(TEXT.requestMissing),
  notNull('userId', TEXT.campaignTestUserMissing),
  notBlank('userId', TEXT.userEmpty),
]

/** Acts that need nothing but the campaign's id, and what they do. */
const CONTROLS = {
  pause: { summary: 'Hold a live send', act: ({ store }: Context, id: string) => pauseCampaign(store, id) },
  resume: { summary: 'Go on with a live send that is held', act: resumeCampaign },
  cancel: {
    summary: 'End a live send; what was sent stays sent',
    act: ({ store }: Context, id: string) => cancelCampaign(store, id),
  },
  unschedule: {
    summary: 'Take back a scheduled live send',
    act: ({ store }: Context, id: string) => unscheduleCampaign(store, id),
  },
}

export const campaignSendingRoutes =
  (context: Context, { quotas, ...parts }: Sending): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { store } = context
    const config = { scope: 'campaign', applications: applicationOfCampaign(store) } as const
    /**
     * An unknown campaign is reported before anything in the body is checked. Not to keys that are bound to applications: these
     * are refused alike for an unknown campaign and for one that is not theirs.
     */
    const existing: preValidationAsyncHookHandler = async (request) => {
      if (!ownApplications(request)) await findCampaign(store, (request.params as { id: string }).id)
    }

    app.post(
      '/push/campaign/send/test/:id',
      {
        config,
        schema: {
          tags,
          operationId: 'testCampaign',
          summary: 'Send a campaign to one user as a test',
          description: 'Waits for the outcome. The user need not be in the campaign; its state does not change.',
          params: CampaignParams,
          body: Wrapped(TestCampaignRequest),
          response: sendResponses(OkWith(CampaignTested)),
        },
        preValidation: [existing, enforce(testRules)],
      },
      async ({ id: correlationId, span, params, body, log, caller, arrivedAt }, reply) => {
        const { userId } = body.requestObject
        const origin = { correlationId, traceContext: span?.traceparent }
        const allowance = quotas.allowanceOf(caller)
        const isAbandoned = () => reply.raw.destroyed
        const request = { id: params.id, userId, ...parts, ...origin, allowance, arrivedAt, isAbandoned, log }
        const result = await testCampaign(context, request).finally(() => void reply.headers(allowance.headers()))
        if (!result) throw new Error('A synchronous send resolved without its tally')
        return okWith({ result })
      },
    )

    app.post(
      '/push/campaign/send/live/:id',
      {
        config,
        schema: {
          tags,
          operationId: 'sendCampaign',
          summary: 'Send a campaign to the devices of its users',
          description:
            'Responds at once; every device gets it once. The audience is that of the moment of the fan-out. ' +
            'Refused while it is being sent, and without `resend` once a live send has started.',
          params: CampaignParams,
          querystring: SendCampaignQuery,
          response: OK_RESPONSES,
        },
      },
      async ({ params, query: { resend, rate } }) => {
        await sendCampaign(store, params.id, { resend: audienceOf(resend), rate })
        return OK
      },
    )

    app.post(
      '/push/campaign/:id/schedule',
      {
        config,
        schema: {
          tags,
          operationId: 'scheduleCampaign',
          summary: 'Send a campaign at a time to come',
          description: 'One that nobody could start within CAMPAIGN_GRACE of its time is missed, and not sent.',
          params: CampaignParams,
          body: Wrapped(ScheduleCampaignRequest),
          response: OK_RESPONSES,
        },
        preValidation: existing,
      },
      async ({ params, body }) => {
        await scheduleCampaign(store, params.id, body.requestObject)
        return OK
      },
    )

    for (const [name, { summary, act }] of Object.entries(CONTROLS))
      app.post(
        `/push/campaign/:id/${name}`,
        {
          config,
          schema: {
            tags,
            operationId: `${name}Campaign`,
            summary,
            description: 'Refused with `Campaign is <state>` when its state does not allow it.',
            params: CampaignParams,
            response: OK_RESPONSES,
          },
        },
        async ({ params }) => {
          await act(context, params.id)
          return OK
        },
      )

    app.get(
      '/push/campaign/:id/audience',
      {
        config,
        schema: {
          tags,
          operationId: 'campaignAudience',
          summary: 'How many a live send would reach',
          description: 'As of now, and each device once. Counts all devices of the users: not to be polled.',
          params: CampaignParams,
          querystring: CampaignAudienceQuery,
          response: responses(OkWith(CampaignAudience)),
        },
      },
      async ({ params, query: { resend } }) =>
        okWith(await campaignAudience(store, params.id, audienceOf(resend) ?? 'all')),
    )

    app.get(
      '/push/campaign/:id/progress',
      {
        config,
        schema: {
          tags,
          operationId: 'campaignProgress',
          summary: 'How far a live send is',
          description: 'Cheap: may be polled every second. Totals are left out until the fan-out is complete.',
          params: CampaignParams,
          response: responses(OkWith(CampaignProgress)),
        },
      },
      async ({ params }) => okWith(await campaignProgress(store, params.id)),
    )

    app.get(
      '/push/campaign/:id/failures',
      {
        config,
        schema: {
          tags,
          operationId: 'campaignFailures',
          summary: 'Who was not reached by the latest live send, and why',
          description: 'In an order that stays once the live send has ended.',
          params: CampaignParams,
          querystring: CampaignFailuresQuery,
          response: responses(Paged(CampaignFailures)),
        },
      },
      async ({ params, query: { page = 0, size = PAGE_SIZE } }) =>
        paged({ page, size }, await campaignFailures(store, params.id, { page, size })),
    )
  }
