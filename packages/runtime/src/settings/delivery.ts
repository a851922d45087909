// Settings of delivery: workers, the sweep, campaigns, and the circuit breaker of the device table.
import { choice, count, countUpTo, duration, percentage, period } from '../setting.ts'

export const WORKER_SETTINGS = {
  directDeliveries: count(
    'DIRECT_DELIVERIES',
    'Maximum number of deliveries of direct messages that one worker has in hand at a time.',
    { fallback: '4000', formerName: 'DIRECT_CONCURRENCY', formerTimes: 200 },
  ),
  directBatchChunks: count(
    'DIRECT_BATCH_CHUNKS',
    'Maximum number of chunks of direct messages that one worker claims or records with one statement. While a statement is on its way, further chunks gather for the next one.',
    { fallback: '100' },
  ),
  campaignConcurrency: count(
    'CAMPAIGN_CONCURRENCY',
    'Maximum number of chunks of campaigns that one worker processes at a time.',
    { fallback: '8' },
  ),
  leaseTime: period(
    'LEASE_TIME',
    'Time for which a worker that no longer renews its claim keeps a chunk. Another worker may claim the chunk afterwards.',
    { fallback: '30s' },
  ),
  sweepInterval: period(
    'SWEEP_INTERVAL',
    'Interval at which schedulers enqueue due chunks without a job, and rewrite rows of earlier versions.',
    { fallback: '5s' },
  ),
  sweepAfter: duration('SWEEP_AFTER', 'Time for which a chunk has to be due before the sweep gives it a new job.', {
    fallback: '10s',
  }),
  deliveryMaxAge: duration(
    'DELIVERY_MAX_AGE',
    'Maximum age of a direct delivery. An older one fails with the reason `TooOld`.',
    { fallback: '24h' },
  ),
  providerIdle: period(
    'PROVIDER_IDLE',
    'Time without pushes after which a worker closes the connections of an application to its provider.',
    { fallback: '10m' },
  ),
  stopTimeout: duration(
    'STOP_TIMEOUT',
    'Maximum time that a stopping worker waits for its pushes in flight, and a stopping gateway for its requests. The process has ended two seconds later.',
    {
      fallback: '20s',
    },
  ),
  http2Transport: choice('lean', 'node')(
    'HTTP2_TRANSPORT',
    'Implementation of HTTP/2 towards APNs and FCM. `lean` is our own client, `node` is that of Node.js at several times the processor time.',
    { fallback: 'lean' },
  ),
} as const

export const CAMPAIGN_SETTINGS = {
  campaignBodyLimit: count(
    'CAMPAIGN_BODY_LIMIT',
    'Maximum size, in bytes, of a request body that adds users to a campaign.',
    { fallback: '16777216' },
  ),
  campaignPartition: count(
    'CAMPAIGN_PARTITION',
    'Number of users of a campaign whose devices are fanned out to chunks in one transaction.',
    { fallback: '100000' },
  ),
  campaignGrace: duration(
    'CAMPAIGN_GRACE',
    'Maximum delay of a scheduled campaign. A campaign that no scheduler has started by then is `missed` and not sent.',
    { fallback: '1h' },
  ),
  deliveryMaxAgeCampaign: duration(
    'DELIVERY_MAX_AGE_CAMPAIGN',
    'Maximum age of a delivery of a campaign. An older one fails with the reason `TooOld`.',
    { fallback: '72h' },
  ),
} as const

export const CIRCUIT_BREAKER_SETTINGS = {
  breakerPercent: percentage(
    'CIRCUIT_BREAKER_PERCENT',
    'Percentage of doubtful responses within a minute beyond which the circuit breaker of an application’s device table opens. While it is open no device is dropped for a doubtful response, and campaigns wait.',
    { fallback: '20', formerName: 'GUARD_PERCENT' },
  ),
  breakerPushes: count(
    'CIRCUIT_BREAKER_PUSHES',
    'Minimum number of pushes within the minute before the circuit breaker can open by percentage.',
    { fallback: '50', formerName: 'GUARD_PUSHES' },
  ),
  breakerRecent: countUpTo(50)(
    'CIRCUIT_BREAKER_RECENT',
    'Number of doubtful responses among the last 50 pushes at which the circuit breaker opens whatever the percentage.',
    { fallback: '20', formerName: 'GUARD_RECENT' },
  ),
} as const
