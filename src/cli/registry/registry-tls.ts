/** The certificates of `registry.yml`. */
import { readFileSync } from 'node:fs'
import { createSecureContext, type TlsOptions } from 'node:tls'
import { invalidArgument, messageOf } from '../../base/index.ts'
import type { RegistryTls } from '../../config/registry/index.ts'

/** Reads and checks the files. Throws `invalidArgument` with the name of a file that is not valid. */
export function loadRegistryTls({ certificateFile, keyFile, clientCaFile }: RegistryTls): TlsOptions {
  const cert = readPem(certificateFile, 'tls.certificate')
  const key = readPem(keyFile, 'tls.key')
  const ca = clientCaFile === undefined ? undefined : readPem(clientCaFile, 'tls.clientCa')
  const options = { cert, key, ...(ca === undefined ? {} : { ca }) }
  try {
    createSecureContext(options)
  } catch (cause) {
    throw invalidArgument(`tls: ${certificateFile} and ${keyFile} can't be used: ${messageOf(cause)}`, { cause })
  }
  return { ...options, requestCert: ca !== undefined, rejectUnauthorized: ca !== undefined }
}

function readPem(path: string, setting: string): Buffer {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw invalidArgument(`${setting}: ${messageOf(cause)}`, { cause })
  }
  if (!bytes.includes('-----BEGIN ')) throw invalidArgument(`${setting}: ${path} is not a PEM file`)
  return bytes
}
