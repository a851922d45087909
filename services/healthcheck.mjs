// What the image's HEALTHCHECK runs: is this container's process ready? Exit code 0 says yes.
const ports = [process.env.HEALTH_PORT, process.env.PORT ?? '8080'].filter((port) => port && port !== '0')

async function isReady(port) {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(2500) })).ok
  } catch {
    // Nobody listens there: the other port is this service's.
    return false
  }
}

process.exitCode = (await Promise.all(ports.map(isReady))).includes(true) ? 0 : 1
