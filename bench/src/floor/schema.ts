// The tables of the floor: who has which phone, what was accepted, and what became of it.

export interface FloorSettings {
  /** Address of PostgreSQL. */
  database: string
  /** Address of Redis. */
  redis: string
  /** That the gateway listens on. */
  port: number
  /** Of the provider, with the file of the authority to trust. */
  provider: string
  caFile: string
}

export const QUEUE = 'floor'

/** Deliveries of one batch: their ids follow each other. */
export interface FloorJob {
  first: string
  last: string
}

export const SCHEMA = `
  CREATE TABLE devices (user_id text NOT NULL, token text NOT NULL);
  CREATE INDEX ON devices (user_id);
  CREATE TABLE messages (id uuid PRIMARY KEY, user_id text NOT NULL, body text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE deliveries (id bigserial PRIMARY KEY, message_id uuid NOT NULL, token text NOT NULL, sent_at timestamptz);
  CREATE INDEX ON deliveries (message_id);`

export const settingsFrom = (args: readonly string[]): FloorSettings => JSON.parse(args[2] ?? '{}') as FloorSettings

/** As BullMQ takes it. */
export function connectionTo({ redis }: FloorSettings) {
  const { hostname: host, port } = new URL(redis)
  return { host, port: Number(port), maxRetriesPerRequest: null }
}
