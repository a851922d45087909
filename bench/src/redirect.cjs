// Preloaded into clients whose host or port is a constant: what they connect to on port 443 becomes the load server. Names in
// certificates are still checked.
const tls = require('node:tls')

const { connect } = tls
const port = Number(process.env.LOAD_PORT)

tls.connect = (...args) => {
  const callback = args.find((arg) => typeof arg === 'function')
  const given = args.find((arg) => typeof arg === 'object' && arg !== null) ?? {}
  const options = { ...given, ...(typeof args[0] === 'object' ? {} : { port: args[0], host: args[1] }) }
  if (Number(options.port) !== 443) return connect(...args)
  return connect({ ...options, servername: options.servername || options.host, host: '127.0.0.1', port }, callback)
}
