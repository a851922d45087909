// The certificate of the fakes: issued by an authority made on the spot, which clients have to trust (`ca`).
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { generate } from 'selfsigned'

export interface Certificate {
  /** PEM. The authority's certificate. */
  ca: string
  /** PEM. The server's certificate. */
  cert: string
  /** PEM. The server's private key. */
  key: string
}

const FILES = { ca: 'ca.pem', cert: 'server.pem', key: 'server-key.pem' } as const
const DAY_MS = 86_400_000
const VALID_DAYS = 825

/**
 * Takes the certificate kept in `directory`, or makes one (and keeps it there, if a directory is given). One that is about
 * to expire, lacks one of the names or does not belong together is replaced.
 */
export async function openCertificate(names: readonly string[], directory?: string): Promise<Certificate> {
  if (directory === undefined) return issue(names)
  const kept = await read(directory)
  if (kept && isUsable(kept, names)) return kept
  const certificate = await issue(names)
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, FILES.key), certificate.key, { mode: 0o600 })
  await writeFile(join(directory, FILES.cert), certificate.cert)
  await writeFile(join(directory, FILES.ca), certificate.ca)
  return certificate
}

/** Files of certificates are put one after the other. */
const lineOf = (pem: string) => `${pem.trimEnd()}\n`

async function issue(names: readonly string[]): Promise<Certificate> {
  const notBeforeDate = new Date(Date.now() - DAY_MS)
  const notAfterDate = new Date(Date.now() + VALID_DAYS * DAY_MS)
  const common = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256', notBeforeDate, notAfterDate } as const
  // Of two authorities with one name a client that trusts both would ask the wrong one.
  const name = `Push simulator authority ${randomBytes(4).toString('hex')}`
  const authority = await generate([{ name: 'commonName', value: name }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  const server = await generate([{ name: 'commonName', value: 'Push simulator' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: names.map(toAltName) },
    ],
  })
  return { ca: lineOf(authority.cert), cert: lineOf(server.cert), key: lineOf(server.private) }
}

// 7 and 2: iPAddress and dNSName of the subjectAltName extension (RFC 5280 §4.2.1.6 numbers them so).
const toAltName = (name: string) => (isIP(name) ? { type: 7 as const, ip: name } : { type: 2 as const, value: name })

async function read(directory: string): Promise<Certificate | undefined> {
  const text = (file: string) => readFile(join(directory, file), 'utf8')
  try {
    const [ca, cert, key] = await Promise.all([text(FILES.ca), text(FILES.cert), text(FILES.key)])
    return { ca, cert, key }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function isUsable({ ca, cert, key }: Certificate, names: readonly string[]): boolean {
  const authority = new X509Certificate(ca)
  const server = new X509Certificate(cert)
  return (
    server.verify(authority.publicKey) &&
    server.checkPrivateKey(createPrivateKey(key)) &&
    new Date(server.validTo).getTime() > Date.now() + DAY_MS &&
    names.every((name) => (isIP(name) ? server.checkIP(name) : server.checkHost(name)) !== undefined)
  )
}
