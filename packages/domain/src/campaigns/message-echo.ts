// The message of a campaign as it was understood, which is what clients read back. Pure.
import { instantOf, type MessageBody } from '@push-server/contract'

/** As the reference writes this one time: with Z, and a fraction only where there is one. */
const instantText = (instant: number) => new Date(instant).toISOString().replace('.000Z', 'Z')

/** Without nulls, and with its time in UTC. `extras` are the caller's own and stay as they are. */
export function understood({ validUntil, ...body }: MessageBody): MessageBody {
  const members = Object.entries(body).filter(([, value]) => value !== null && value !== undefined)
  const instant = validUntil === null || validUntil === undefined ? undefined : instantOf(validUntil)
  return {
    ...Object.fromEntries(members),
    ...(instant !== undefined && { validUntil: instantText(instant) }),
  }
}
