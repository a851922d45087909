// Loaded before a service's launcher by tests: the process's clock is ahead by CLOCK_SKEW_MS, as on a machine without NTP. Timers and
// `performance` go on as they are.
const skewMs = Number(process.env.CLOCK_SKEW_MS)
const RealDate = Date
const now = () => RealDate.now() + skewMs

globalThis.Date = new Proxy(RealDate, {
  construct: (target, given: unknown[], newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as Date,
  apply: () => new RealDate(now()).toString(),
  get: (target, key, receiver) => (key === 'now' ? now : (Reflect.get(target, key, receiver) as unknown)),
})
