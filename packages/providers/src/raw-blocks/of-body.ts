// What is wrong with the raw blocks of a body by themselves, for all providers: an application may get credentials for another one
// after a campaign was made. Pure.
import type { MessageBody } from '@push-server/contract'
import { rawApnsProblems } from '../apns/raw-block.ts'
import { rawFcmProblems } from '../fcm/raw-block.ts'
import { rawHmsProblems } from '../hms/raw-block.ts'
import type { PayloadProblem } from '../payload-limits.ts'

export const rawBlockProblems = ({ apns, fcm, hms }: MessageBody): PayloadProblem[] => [
  ...rawApnsProblems(apns),
  ...rawFcmProblems(fcm),
  ...rawHmsProblems(hms),
]
