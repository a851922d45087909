// Types of step.mjs for the scripts in TypeScript.
export class StepFailed extends Error {}
export function step(title: string, work: () => Promise<void>): Promise<void>
export function quietly(command: string, args: readonly string[]): Promise<void>
