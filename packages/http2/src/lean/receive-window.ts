// The window of what the peer may still send over all streams (RFC 9113 section 6.9). Data is consumed at once, so the window is
// granted anew as soon as half of it is used.
import { ConnectionError } from '../connection-error.ts'
import { CONNECTION_WINDOW } from './our-settings.ts'

export class ReceiveWindow {
  #left = CONNECTION_WINDOW

  /** Returns the number of octets to grant anew; 0: nothing yet. Padding counts. */
  receive(octets: number): number {
    this.#left -= octets
    if (this.#left < 0) throw new ConnectionError('FLOW_CONTROL_ERROR', 'more data than the connection allows')
    if (this.#left > CONNECTION_WINDOW / 2) return 0
    const grant = CONNECTION_WINDOW - this.#left
    this.#left = CONNECTION_WINDOW
    return grant
  }
}
