// What PostgreSQL says of each registered statement: placeholders, columns. Written by `npm run generate:statements`.
/* oxlint-disable max-lines */

/** JSON of any shape; statements declare theirs with `narrow`. */
export type Json = string | number | boolean | object

export interface StatementTypes {
  'activations-bind': { values: readonly [string, number]; row: { last: string | null; bound: number } }
  'activations-find': {
    values: readonly [readonly string[]]
    row: { activationId: string; userId: string; status: string; applicationId: string | null }
  }
  'activations-keep': {
    values: readonly [
      readonly string[],
      readonly string[],
      readonly string[],
      readonly (string | null)[],
      readonly (number | null)[],
    ]
    row: never
  }
  'api-key-find': {
    values: readonly [string]
    row: {
      id: string
      name: string
      hash: Buffer<ArrayBuffer>
      scopes: readonly (string | null)[]
      lastUsedAt: Date | null
      isBound: boolean
      appIds: readonly (string | null)[]
      quota: Json | null
    }
  }
  'api-key-insert': {
    values: readonly [string, string, Uint8Array, readonly string[], readonly string[]]
    row: { name: string }
  }
  'api-key-insert-first': {
    values: readonly [string, string, Uint8Array, readonly string[], readonly string[]]
    row: { id: string }
  }
  'api-key-lock': { values: readonly []; row: { pg_advisory_xact_lock: string | null } }
  'api-key-revoke': { values: readonly [string]; row: { id: string } }
  'api-key-touch': { values: readonly [string, number]; row: never }
  'application-create': { values: readonly [string]; row: { id: number } }
  backlog: {
    values: readonly []
    row: { platform: string; lane: string; chunks: number; deliveries: number; oldestDueSeconds: number }
  }
  'backlog-paused': { values: readonly []; row: { platform: string; count: number } }
  'backlog-paused-applications': {
    values: readonly []
    row: { platform: string; lanes: string; reason: string; application: string }
  }
  'backlog-waiting': { values: readonly []; row: { applicationId: number; platform: string; deliveries: number } }
  'breaker-count': {
    values: readonly [string, readonly number[], readonly number[], readonly number[], readonly string[]]
    row: { application_id: number }
  }
  'breaker-open': {
    values: readonly [string, readonly number[], number, number, number]
    row: { applicationId: number; opened: boolean; justOpened: boolean }
  }
  'breaker-take-back': { values: readonly []; row: { id: number } }
  'campaign-audience': { values: readonly [number]; row: { platform: string; devices: number; users: number } }
  'campaign-create': { values: readonly [number, string, Date | null, readonly string[] | null]; row: { id: number } }
  'campaign-delete': { values: readonly [number]; row: { id: number } }
  'campaign-detail': {
    values: readonly [number]
    row: {
      id: number
      appId: string
      message: Json
      platforms: readonly (string | null)[] | null
      sent: boolean
      createdAt: Date
      runId: number | null
      state: string
      paused: boolean
      scheduledAt: Date | null
      completedAt: Date | null
      sentAt: Date | null
      tallies: Json
      rateBase: Json | null
    }
  }
  'campaign-hold': { values: readonly [number]; row: { id: number } }
  'campaign-import-apply': {
    values: readonly [number, number]
    row: { last: number | null; total: number; imported: number }
  }
  'campaign-import-drop-taken': { values: readonly [number]; row: { count: number; lines: readonly (number | null)[] } }
  'campaign-import-is-behind': { values: readonly []; row: { behind: boolean } }
  'campaign-import-stage': {
    values: readonly [
      readonly number[],
      readonly number[],
      readonly number[],
      readonly string[],
      readonly (Date | null)[],
      readonly Date[],
    ]
    row: never
  }
  'campaign-list': {
    values: readonly [boolean | null, readonly string[] | null, number, number | null]
    row: { id: number; appId: string; message: Json; platforms: readonly (string | null)[] | null; sent: boolean }
  }
  'campaign-lock': { values: readonly [number]; row: { id: number } }
  'campaign-user-add': { values: readonly [number, readonly string[]]; row: never }
  'campaign-user-list': { values: readonly [number, string | null, number, number]; row: { userId: string } }
  'campaign-user-remove': { values: readonly [number, readonly string[]]; row: never }
  'chunk-claim': {
    values: readonly [readonly number[], string, number]
    row: {
      id: number
      epoch: number
      applicationId: number
      platform: string
      lane: string
      runId: number | null
      try: number
      seed: string
      isAwaited: boolean
      probe: boolean
      expiresAt: number
      claimedAt: number
    }
  }
  'chunk-contents': {
    values: readonly [readonly number[], readonly number[], readonly string[]]
    row: {
      chunkId: number
      credentialsVersion: number | null
      id: number | null
      position: number | null
      token: string | null
      attempts: number | null
      environment: string | null
      tokenKind: string | null
      obstacle: string | null
      newToken: string | null
      isDue: boolean | null
      nextAttemptAt: number | null
      messageId: string | null
      correlationId: string | null
      traceContext: string | null
      body: Json | null
      silent: boolean | null
      priority: string | null
      validUntil: number | null
      createdAt: number | null
    }
  }
  'chunk-expire': { values: readonly [number]; row: { id: number; platform: string; notified: string | null } }
  'chunk-handled': { values: readonly [readonly number[]]; row: { id: number } }
  'chunk-passed-by': {
    values: readonly [readonly number[]]
    row: { id: number; isFree: boolean | null; notified: string | null }
  }
  'chunk-record': {
    values: readonly [
      string,
      readonly number[],
      readonly number[],
      readonly boolean[],
      readonly (Date | null)[],
      readonly number[],
      readonly number[],
      readonly string[],
      readonly (string | null)[],
      readonly number[],
      readonly (Date | null)[],
      readonly (string | null)[],
    ]
    row: {
      id: number
      settled: boolean
      try: number
      pending: number
      ended: number
      delayMs: number
      dropped: number
      notified: number | null
    }
  }
  'chunk-record-and-drop': {
    values: readonly [
      string,
      readonly number[],
      readonly number[],
      readonly boolean[],
      readonly (Date | null)[],
      readonly number[],
      readonly number[],
      readonly string[],
      readonly (string | null)[],
      readonly number[],
      readonly (Date | null)[],
      readonly (string | null)[],
      readonly string[],
      readonly string[],
      readonly Date[],
      readonly boolean[],
    ]
    row: {
      id: number
      settled: boolean
      try: number
      pending: number
      ended: number
      delayMs: number
      dropped: number
      notified: number | null
    }
  }
  'chunk-renew': { values: readonly [string, readonly number[], readonly number[], number]; row: { id: number } }
  'chunk-set-aside': { values: readonly [number]; row: { id: number; try: number; pending: number; delayMs: number } }
  'chunk-settle-unrecordable': {
    values: readonly [number, string, number, string]
    row: {
      id: number
      settled: boolean
      try: number
      pending: number
      ended: number
      delayMs: number
      dropped: number
      notified: number | null
    }
  }
  'chunk-stopped': {
    values: readonly [
      readonly number[],
      readonly number[],
      readonly string[],
      readonly string[],
      readonly (number | null)[],
    ]
    row: { place: number }
  }
  'chunk-sweep': {
    values: readonly [number, number]
    row: {
      id: number
      applicationId: number
      platform: string
      lane: string
      try: number
      size: number
      overdue: number
      isRecent: boolean
    }
  }
  'chunk-unclaim': { values: readonly [readonly number[], readonly number[]]; row: never }
  'clock-read': { values: readonly []; row: { time: number } }
  'credential-check-finish': { values: readonly [number, boolean, string | null, number, string]; row: never }
  'credential-check-read': {
    values: readonly [number]
    row: { accepted: boolean | null; reason: string | null; ms: number | null; tried: string | null }
  }
  'credential-check-request': { values: readonly [number, string]; row: { id: number } }
  'credential-check-take': { values: readonly [string]; row: { id: number; applicationId: number } }
  'credentials-keys': { values: readonly []; row: { keyId: string; credentials: number } }
  'credentials-lock': {
    values: readonly [number, string]
    row: { settings: Json; secret: Buffer<ArrayBuffer>; key_id: string }
  }
  'credentials-open': {
    values: readonly [number, string]
    row: { app_id: string; version: number; settings: Json; secret: Buffer<ArrayBuffer>; key_id: string }
  }
  'credentials-put': { values: readonly [number, string, string, Uint8Array, string]; row: never }
  'credentials-remove': { values: readonly [number, string]; row: never }
  'database-capacity': { values: readonly []; row: { connections: number } }
  'database-limits': {
    values: readonly []
    row: { statement_timeout: number; lock_timeout: number; idle_in_transaction_session_timeout: number }
  }
  'device-discard': { values: readonly [readonly number[]]; row: never }
  'device-event-list': {
    values: readonly [number, string, number, number]
    row: {
      event: string
      createdAt: Date
      userId: string
      activationId: string
      platform: string
      active: boolean
      reason: string | null
      formerUserId: string | null
      formerActivationId: string | null
    }
  }
  'device-find': {
    values: readonly [number, readonly string[], readonly string[], string]
    row: { id: number; activationId: string }
  }
  'device-insert': {
    values: readonly [
      readonly number[],
      readonly string[],
      readonly string[],
      readonly string[],
      readonly (string | null)[],
      readonly string[],
      readonly boolean[],
      readonly number[],
      readonly (string | null)[],
    ]
    row: never
  }
  'device-list': {
    values: readonly [number, string, number, number]
    row: {
      activationId: string
      platform: string
      environment: string | null
      token: string
      tokenKind: string | null
      active: boolean
      registeredAt: Date
      droppedAt: Date | null
      dropReason: string | null
      doubtfulSince: Date | null
      doubtReason: string | null
    }
  }
  'device-lock': { values: readonly [readonly string[]]; row: { pg_advisory_xact_lock: string | null } }
  'device-prospect': {
    values: readonly [string, readonly string[], readonly string[], string]
    row: { applicationId: number; shared: boolean }
  }
  'device-remove': { values: readonly [string, readonly string[], string]; row: never }
  'device-set-status': { values: readonly [string, string]; row: never }
  'device-update': {
    values: readonly [
      readonly number[],
      readonly string[],
      readonly string[],
      readonly string[],
      readonly (string | null)[],
      readonly string[],
      readonly boolean[],
      readonly number[],
      readonly (string | null)[],
      readonly number[],
    ]
    row: never
  }
  'doubt-forget': { values: readonly []; row: never }
  'doubt-hold': {
    values: readonly [number, string, number, readonly string[], readonly string[], readonly string[], readonly Date[]]
    row: { environment: string }
  }
  'doubt-prove': { values: readonly [number, string, number, string]; row: { id: number } }
  'fan-out': {
    values: readonly [number, number, number, string, number, number, number, number, boolean]
    row: { id: number; platform: string; total: number }
  }
  'fan-out-finish': { values: readonly [number]; row: never }
  'fan-out-late': {
    values: readonly [number, number, number, string, number, number]
    row: { id: number; platform: string; total: number }
  }
  'fan-out-lock': { values: readonly [number]; row: { id: number } }
  'fan-out-partition': { values: readonly [number, number, number]; row: never }
  'fan-out-set-up': { values: readonly []; row: { memory: string | null; workers: string | null } }
  'fan-out-set-up-late': { values: readonly []; row: { set_config: string | null } }
  'fan-out-take': {
    values: readonly [number]
    row: {
      partition: number
      bucketFrom: number
      bucketTo: number
      late: boolean
      paused: boolean
      respelling: boolean
      partitions: number
    }
  }
  'import-apply': {
    values: readonly [string, number, boolean]
    row: { last: string | null; total: number; imported: number; updated: number }
  }
  'import-drop-foreign': { values: readonly [number]; row: { count: number; lines: readonly (number | null)[] } }
  'import-stage': {
    values: readonly [
      readonly number[],
      readonly number[],
      readonly string[],
      readonly string[],
      readonly string[],
      readonly (string | null)[],
      readonly string[],
      readonly boolean[],
      readonly number[],
      readonly (Date | null)[],
      readonly (string | null)[],
    ]
    row: never
  }
  'inbox-count-unread': { values: readonly [string, string, number | null]; row: { count: number } }
  'inbox-create': {
    values: readonly [string, string, string, string, string, readonly string[], Date | null]
    row: {
      id: string
      type: string
      subject: string
      summary: string
      createdAt: Date
      readAt: Date | null
      validUntil: Date | null
      userId: string
      body: string
      appIds: readonly (string | null)[]
    }
  }
  'inbox-delete': { values: readonly [string, string | null, number | null]; row: { id: number } }
  'inbox-find': {
    values: readonly [string, number | null]
    row: {
      id: string
      type: string
      subject: string
      summary: string
      createdAt: Date
      readAt: Date | null
      validUntil: Date | null
      userId: string
      body: string
      appIds: readonly (string | null)[]
    }
  }
  'inbox-hide': { values: readonly [number, readonly number[], boolean]; row: { count: number } }
  'inbox-import-apply': {
    values: readonly [number, number, number | null]
    row: { last: number | null; total: number; imported: number; updated: number }
  }
  'inbox-import-delete-returned': { values: readonly [number, number]; row: { id: number } }
  'inbox-import-drop-foreign': { values: readonly [number]; row: { count: number; lines: readonly (number | null)[] } }
  'inbox-import-stage': {
    values: readonly [
      readonly number[],
      readonly string[],
      readonly string[],
      readonly string[],
      readonly string[],
      readonly string[],
      readonly string[],
      readonly Date[],
      readonly (Date | null)[],
      readonly (Date | null)[],
      readonly string[],
    ]
    row: never
  }
  'inbox-list': {
    values: readonly [string, readonly string[], number, number, number | null]
    row: {
      found: number
      id: string | null
      type: string | null
      subject: string | null
      summary: string | null
      createdAt: Date | null
      readAt: Date | null
      validUntil: Date | null
    }
  }
  'inbox-lock-of-user': { values: readonly [string, string]; row: { applicationId: number; messageId: number | null } }
  'inbox-lock-some': { values: readonly [number, number]; row: { id: number } }
  'inbox-read': {
    values: readonly [string, string | null, number | null]
    row: {
      id: string
      type: string
      subject: string
      summary: string
      createdAt: Date
      readAt: Date | null
      validUntil: Date | null
      userId: string
      body: string
      appIds: readonly (string | null)[]
    }
  }
  'inbox-read-all': { values: readonly [string, string, number | null]; row: { id: number } }
  'message-audiences': {
    values: readonly [readonly string[], readonly string[], readonly string[]]
    row: {
      appId: string
      applicationId: number
      rawBlocks: boolean
      configured: readonly (string | null)[]
      huaweiApis: string | null
      deviceId: number | null
      userId: string | null
      activationId: string | null
      platform: string | null
      environment: string | null
      token: string | null
      tokenKind: string | null
      active: boolean | null
      respelling: boolean
    }
  }
  'message-awaited': {
    values: readonly [readonly string[]]
    row: { id: number; applicationId: number; platform: string; size: number }
  }
  'message-cancel': {
    values: readonly [readonly string[], readonly number[]]
    row: { cancelled: number; notified: number | null }
  }
  'message-cancel-lock': { values: readonly [readonly string[]]; row: { id: number } }
  'message-cancel-mark': { values: readonly [string]; row: { id: string } }
  'message-cancel-marked': { values: readonly [number]; row: { id: string } }
  'message-cancel-pending': { values: readonly [string]; row: { count: number } }
  'message-cancel-unmark': { values: readonly [readonly string[]]; row: never }
  'message-failed': {
    values: readonly [string, Date, string, Date, string | null, number]
    row: {
      lastId: string | null
      lastAt: Date | null
      isMore: boolean
      id: string | null
      userId: string | null
      createdAt: Date | null
      isResendable: boolean | null
      deliveries: Json | null
    }
  }
  'message-find': {
    values: readonly [string]
    row: { id: string; appId: string | null; userId: string; createdAt: Date; deliveries: Json }
  }
  'message-find-keyed': {
    values: readonly [readonly string[], readonly string[]]
    row: { appId: string; key: string; digest: Buffer<ArrayBuffer>; messageIds: readonly (string | null)[] }
  }
  'message-find-stored': {
    values: readonly [readonly string[]]
    row: {
      storedId: number
      id: number | null
      seed: string | null
      platform: string | null
      applicationId: number | null
      size: number | null
      paused: boolean | null
    }
  }
  'message-find-under-keys': {
    values: readonly [readonly number[], readonly string[]]
    row: { applicationId: number; key: string; digest: Buffer<ArrayBuffer>; messageIds: readonly (string | null)[] }
  }
  'message-list': {
    values: readonly [string, string, number, number]
    row: { id: string | null; appId: string; userId: string | null; createdAt: Date | null; counts: Json }
  }
  'message-outdated': { values: readonly [readonly number[]]; row: { id: number } }
  'message-store': {
    values: readonly [
      readonly number[],
      readonly number[],
      readonly number[],
      readonly string[],
      readonly string[],
      readonly (string | null)[],
      readonly string[],
      readonly boolean[],
      readonly boolean[],
      readonly (string | null)[],
      readonly (Date | null)[],
      readonly (string | null)[],
      readonly number[],
      readonly string[],
      readonly (string | null)[],
      readonly (number | null)[],
      readonly number[],
      readonly string[],
      readonly string[],
      readonly (string | null)[],
      readonly string[],
      readonly string[],
      readonly (string | null)[],
      readonly string[],
      readonly number[],
      readonly string[],
      readonly (string | null)[],
      readonly (Date | null)[],
      number,
      readonly number[],
      readonly number[],
      readonly (string | null)[],
      readonly (string | null)[],
    ]
    row: {
      storedId: number | null
      id: number | null
      seed: string | null
      platform: string | null
      applicationId: number | null
      size: number | null
      paused: boolean | null
    }
  }
  'message-store-keyed': {
    values: readonly [
      readonly number[],
      readonly number[],
      readonly number[],
      readonly string[],
      readonly string[],
      readonly (string | null)[],
      readonly string[],
      readonly boolean[],
      readonly boolean[],
      readonly (string | null)[],
      readonly (Date | null)[],
      readonly (string | null)[],
      readonly number[],
      readonly string[],
      readonly (string | null)[],
      readonly (number | null)[],
      readonly number[],
      readonly string[],
      readonly string[],
      readonly (string | null)[],
      readonly string[],
      readonly string[],
      readonly (string | null)[],
      readonly string[],
      readonly number[],
      readonly string[],
      readonly (string | null)[],
      readonly (Date | null)[],
      number,
      readonly number[],
      readonly number[],
      readonly (string | null)[],
      readonly (string | null)[],
      readonly string[],
      readonly Uint8Array[],
      readonly string[],
      number,
    ]
    row: {
      place: number | null
      digest: Buffer<ArrayBuffer> | null
      messageIds: readonly (string | null)[] | null
      storedId: number | null
      id: number | null
      seed: string | null
      platform: string | null
      applicationId: number | null
      size: number | null
      paused: boolean | null
    }
  }
  'message-tallies': {
    values: readonly [readonly string[]]
    row: { messageId: string; platform: string; status: string; count: number }
  }
  'message-waiting': {
    values: readonly [string, number, number, number]
    row: {
      lastChunkId: number | null
      isMore: boolean
      chunkId: number | null
      position: number | null
      messageId: string | null
      userId: string | null
      activationId: string | null
      platform: string | null
      reason: string | null
      attempts: number | null
      nextAttemptAt: number | null
      inDelivery: boolean | null
      createdAt: Date | null
    }
  }
  'pause-probe': {
    values: readonly []
    row: { id: number; applicationId: number; platform: string; lane: string; try: number; size: number }
  }
  'pause-probed': { values: readonly [number, string, number]; row: never }
  'pause-put': {
    values: readonly [number, string, number, string]
    row: { notified: number | null; paused: number; appId: string | null }
  }
  'pause-resume': { values: readonly [number, string, boolean]; row: { resumed: number } }
  'recipient-lock-messages': { values: readonly [readonly number[]]; row: { id: string } }
  'recipient-read-direct': {
    values: readonly [number, number, readonly number[]]
    row: { id: number; obstacle: string; isReplaceable: boolean }
  }
  'recipient-read-run': { values: readonly [number, readonly number[]]; row: { position: number; obstacle: string } }
  'recipient-read-unchanged': { values: readonly [number]; row: { isUnchanged: boolean | null } }
  'recipient-take-tokens': { values: readonly [readonly number[], readonly string[]]; row: { id: number } }
  'removal-active': { values: readonly [number]; row: { campaignId: number } }
  'removal-begin': { values: readonly [number]; row: { pending: number; notified: number | null } }
  'removal-clear-campaign-users': { values: readonly [number, number]; row: { count: number } }
  'removal-clear-campaigns': { values: readonly [number]; row: never }
  'removal-clear-chunks': { values: readonly [number, number]; row: { count: number } }
  'removal-clear-device-events': { values: readonly [number, number]; row: { count: number } }
  'removal-clear-devices': { values: readonly [number, number]; row: { count: number } }
  'removal-clear-messages': { values: readonly [number, number]; row: { count: number } }
  'removal-clear-run-chunks': { values: readonly [number, number]; row: { count: number } }
  'removal-cleared': { values: readonly [number]; row: never }
  'removal-leave-keys': { values: readonly [number, string]; row: { id: string; revoked: boolean } }
  'removal-lock': { values: readonly [string]; row: { id: number } }
  'removal-lock-campaigns': { values: readonly [number]; row: { id: number } }
  'removal-next': { values: readonly []; row: { id: number } }
  'resend-abandon': { values: readonly [string]; row: never }
  'resend-begin': { values: readonly [string, string, number]; row: { message_id: string } }
  'resend-find': {
    values: readonly [string]
    row: {
      id: string
      appId: string
      userId: string
      activationId: string | null
      priority: string
      silent: boolean
      personal: boolean
      platforms: readonly (string | null)[] | null
      body: Json | null
      validUntil: Date | null
    }
  }
  'resend-lock': { values: readonly [string]; row: { originId: string; locked: string | null } }
  'resend-reached': { values: readonly [string]; row: { deviceId: number; platform: string; token: string } }
  'respelling-done': { values: readonly [readonly number[]]; row: never }
  'respelling-fanning-out': { values: readonly []; row: { fanningOut: boolean } }
  'respelling-hold-fan-outs': { values: readonly []; row: never }
  'respelling-lock': {
    values: readonly [readonly number[]]
    row: { id: number; applicationId: number; token: string; registeredAt: Date }
  }
  'respelling-lock-noted': { values: readonly [readonly number[]]; row: { id: number } }
  'respelling-noted': { values: readonly [number]; row: { id: number } }
  'respelling-pending': { values: readonly []; row: { pending: boolean } }
  'respelling-remove': { values: readonly [readonly number[]]; row: never }
  'respelling-respell': { values: readonly [readonly number[], readonly string[], readonly number[]]; row: never }
  'respelling-set-up': { values: readonly []; row: { set_config: string | null } }
  'respelling-visit': { values: readonly [number, number]; row: { id: number; old: boolean } }
  'retain-campaign-chunks': { values: readonly [number]; row: { id: number } }
  'retain-campaign-users': { values: readonly [number]; row: { '?column?': number | null } }
  'retain-campaigns': { values: readonly [number]; row: { id: number } }
  'retain-chunks': { values: readonly [number, number]; row: { id: number } }
  'retain-device-events': { values: readonly [number, number]; row: { id: number } }
  'retain-devices': { values: readonly [number, number]; row: { id: number } }
  'retain-inbox-expired': { values: readonly [number]; row: { id: number } }
  'retain-inbox-old': { values: readonly [number, number]; row: { id: number } }
  'retain-keys': { values: readonly [number]; row: { key: string } }
  'retain-messages': { values: readonly [number, number, boolean]; row: { id: string } }
  'retain-resends': { values: readonly [number, number]; row: { message_id: string } }
  'retain-tokens': { values: readonly [number]; row: { key: string } }
  'run-base-open': { values: readonly [number, number]; row: { isOpen: boolean } }
  'run-cancel': {
    values: readonly [number]
    row: { runId: number | null; state: string | null; notified: number | null }
  }
  'run-chunk-close': { values: readonly [number]; row: { id: number } }
  'run-chunk-content': {
    values: readonly [number]
    row: {
      credentialsVersion: number | null
      body: Json
      validUntil: number | null
      createdAt: number
      rate: number | null
      tokens: Json
      environments: Json | null
      tokenKinds: Json | null
      outcomes: Buffer<ArrayBuffer> | null
      reasonNames: Json | null
      retries: Json | null
      reasons: Json
      sent: number
      failed: number
      now: number
      isUnchanged: boolean | null
    }
  }
  'run-chunk-forget': { values: readonly [number]; row: { id: number } }
  'run-chunk-record': {
    values: readonly [
      number,
      string,
      number,
      Uint8Array,
      number,
      number,
      string,
      readonly string[],
      string | null,
      boolean,
      Date | null,
    ]
    row: {
      id: number
      settled: boolean
      try: number
      pending: number
      ended: number
      delayMs: number
      dropped: number
      notified: number | null
    }
  }
  'run-chunk-record-and-drop': {
    values: readonly [
      number,
      string,
      number,
      Uint8Array,
      number,
      number,
      string,
      readonly string[],
      string | null,
      boolean,
      Date | null,
      readonly string[],
      readonly string[],
      readonly Date[],
      readonly boolean[],
    ]
    row: {
      id: number
      settled: boolean
      try: number
      pending: number
      ended: number
      delayMs: number
      dropped: number
      notified: number | null
    }
  }
  'run-fail': { values: readonly [number]; row: { id: number } }
  'run-failures': {
    values: readonly [number, number, number]
    row: { userId: string; platform: string; reason: string }
  }
  'run-fanning-out': {
    values: readonly []
    row: { id: number; campaignId: number; applicationId: number; isPartitioned: boolean; audience: string | null }
  }
  'run-fire': { values: readonly [number]; row: { id: number; campaignId: number; state: string } }
  'run-forget-reached': { values: readonly [number]; row: never }
  'run-note-reached': { values: readonly [number, number]; row: never }
  'run-open': { values: readonly [number]; row: { id: number; applicationId: number; platform: string; try: number } }
  'run-pause': {
    values: readonly [number]
    row: { runId: number | null; state: string | null; notified: number | null }
  }
  'run-reasons': { values: readonly [number]; row: { reason: string; count: number } }
  'run-reserve': { values: readonly [number, number]; row: { waitMs: number } }
  'run-resume': {
    values: readonly [number]
    row: { runId: number | null; state: string | null; notified: number | null }
  }
  'run-sample': { values: readonly []; row: never }
  'run-settle': { values: readonly []; row: { id: number; campaignId: number } }
  'run-start': {
    values: readonly [number, number | null, Date | null, string | null]
    row: { runId: number | null; state: string | null; notified: number | null }
  }
  'run-start-lock': { values: readonly [number]; row: { id: number } }
  'run-unschedule': {
    values: readonly [number]
    row: { runId: number | null; state: string | null; notified: number | null }
  }
  'session-end': { values: readonly [number, string]; row: { sent: boolean | null } }
  'token-find': {
    values: readonly [string]
    row: { value: Buffer<ArrayBuffer>; key_id: string; issued_at: Date; expires_at: Date }
  }
  'token-lock': { values: readonly [string]; row: { pg_advisory_xact_lock: string | null } }
  'token-put': { values: readonly [string, Uint8Array, string, Date, Date]; row: never }
  'user-import-apply': {
    values: readonly [number, string, number]
    row: { lastCampaign: number | null; lastUser: string | null; total: number; added: number; areThere: boolean }
  }
  'user-import-drop-unknown': { values: readonly [number]; row: { count: number; lines: readonly (number | null)[] } }
  'user-import-stage': { values: readonly [readonly number[], readonly number[], readonly string[]]; row: never }
  'walk-end': { values: readonly [string]; row: never }
  'walk-move': { values: readonly [string, string]; row: never }
  'walk-take': { values: readonly [string]; row: { after: string } }
}
