// The interface of what is measured: anything that makes pushes, and the options that all of them get.

export interface ClientOptions {
  /** Of the load server, on localhost. */
  port: number
  /** PEM file of the authority to trust; in NODE_EXTRA_CA_CERTS as well. */
  caFile: string
  connections: number
  /** Of one connection. */
  streams: number
}

export interface BenchClient {
  /** Pushes that one call makes. */
  batch: number
  /** `done` is called once, with how many of them were accepted. */
  send(call: number, done: (accepted: number) => void): void | Promise<void>
  close(): unknown
}

export type OpenClient = (options: ClientOptions) => BenchClient | Promise<BenchClient>

/** For clients that return a promise of how many were accepted. */
export const promised =
  (send: (call: number) => Promise<number>): BenchClient['send'] =>
  async (call, done) => {
    done(await send(call).catch(noneAccepted))
  }

function noneAccepted(error: unknown): number {
  process.stderr.write(`${String(error)}\n`)
  return 0
}
