// The id of a push: the same on every attempt, made from the chunk's seed and the delivery's position in it. Pure.

/** A UUID: the seed with its last four digits replaced by the position (0 to 65 535). */
export const pushIdAt = (seed: string, position: number) => seed.slice(0, -4) + position.toString(16).padStart(4, '0')
