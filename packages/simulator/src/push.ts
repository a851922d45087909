// An accepted push as the fake of its provider received it, for asserts of tests.
import type { IncomingHttpHeaders } from 'node:http'

interface ReceivedPush {
  readonly token: string
  readonly headers: IncomingHttpHeaders
  readonly payload: Readonly<Record<string, unknown>>
  readonly receivedAt: Date
}

export interface ApnsPush extends ReceivedPush {
  readonly platform: 'ios'
  /** As in the response: the sender's apns-id, or the one made for it. */
  readonly apnsId: string
}

/** `payload` is the message without its target. */
export interface FcmPush extends ReceivedPush {
  readonly platform: 'android'
  /** What `token` is: a registration token, or an installation id. */
  readonly target: 'token' | 'fid'
  readonly projectId: string
  /** As in the response: projects/<id>/messages/0:<id> */
  readonly name: string
}

/** `payload` is the message without its tokens: one object for all pushes of a request. */
export interface HmsPush extends ReceivedPush {
  readonly platform: 'huawei'
  /** Of the API; 2 stands for version 1, too. */
  readonly version: 2 | 3
  /** Of the path: a project with version 2 of the API, an application with version 1. */
  readonly projectId: string
  /** As in the response; the same for all pushes of a request. */
  readonly requestId: string
}

/** Grows by one member for each provider that is simulated. */
export type Push = ApnsPush | FcmPush | HmsPush
