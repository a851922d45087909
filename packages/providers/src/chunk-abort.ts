// Whether the chunk was aborted, by a pause, a stop or a lost claim. Pushes that have not started stay unsettled then. Pure.
import { STALE } from './provider.ts'

export const isChunkAborted = ({ aborted, reason }: AbortSignal): boolean => aborted && reason !== STALE
