// The refusal that every provider's credentials share.

interface Details extends ErrorOptions {
  /** The setting at fault; without it, the secret. */
  field?: string
}

/** Credentials that cannot work. The message names what is wrong with them and never quotes a secret. */
export class InvalidCredentials extends Error {
  override name = 'InvalidCredentials'
  readonly field: string | undefined

  constructor(message: string, { field, ...options }: Details = {}) {
    super(message, options)
    this.field = field
  }
}
