// An option of benchmarks that names settings of the services, each as NAME=value.

export function settingsFrom(option: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = /^(\w+)=(.*)$/.exec(text) ?? []
      if (name === undefined || value === undefined) throw new Error(`--${option} ${text}: NAME=value is required`)
      return [name, value]
    }),
  )
}
