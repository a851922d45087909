// The error for unusable credentials of any provider.

interface Details extends ErrorOptions {
  /** The setting that is wrong; without it, the secret is. */
  field?: string
}

/** Unusable credentials. The message names what is wrong with them and never quotes a secret. */
export class InvalidCredentials extends Error {
  override name = 'InvalidCredentials'
  readonly field: string | undefined

  constructor(message: string, { field, ...options }: Details = {}) {
    super(message, options)
    this.field = field
  }
}
