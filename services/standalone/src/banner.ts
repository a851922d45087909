// What a person sees once everything runs: where it is, and one command to paste.
import { DEMO_APP, DEMO_USER } from './demo.ts'

const MESSAGE = {
  requestObject: {
    appId: DEMO_APP,
    message: { userId: DEMO_USER, body: { title: 'Balance update', body: 'Your balance is now $745.00', badge: 3 } },
  },
}

const KEY_LINE = `
  -H "Authorization: Bearer $API_KEY" \\`

export interface Banner {
  api: string
  phones: string
  /** Settings that lead to the fake of PowerAuth Server. */
  powerAuth: string
  /** An API key is required. */
  isLocked: boolean
}

export const bannerOf = ({ api, phones, powerAuth, isLocked }: Banner) => `
API        ${api}
API docs   ${api}/swagger-ui.html
Phones     ${phones}
PowerAuth  a fake that nothing uses until a service is started with
           ${powerAuth}

Paste this into another terminal, ${isLocked ? 'with a key of yours in API_KEY, ' : ''}and look at the phones:

curl -s -X POST ${api}/push/message/send -H 'Content-Type: application/json' \\${isLocked ? KEY_LINE : ''}
  -d '${JSON.stringify(MESSAGE)}'

Ctrl-C stops everything.
`
