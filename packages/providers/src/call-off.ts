// Whether what waits is to be left as it is: the chunk was called off, by a pause, a stop or a lost claim. Pure.
import { STALE } from './provider.ts'

export const isCalledOff = ({ aborted, reason }: AbortSignal): boolean => aborted && reason !== STALE
