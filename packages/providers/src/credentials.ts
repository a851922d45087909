// The refusal that every provider's credentials share.

/** Credentials that cannot work. The message names what is wrong with them and never quotes a secret. */
export class InvalidCredentials extends Error {
  override name = 'InvalidCredentials'
}
