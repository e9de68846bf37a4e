import { isZip, readTar, readZip, type ZipMember } from '../../archive/index.ts'
import { conflict, invalidArgument, messageOf } from '../../base/index.ts'
import {
  type ContextTls,
  checkContextName,
  parseContext,
  type StoredContext,
  type TlsFileName,
  tlsFileNames,
} from '../../config/client/index.ts'
import type { CliContext, Command } from '../command/command.ts'
import { readInputFile } from '../command/input-file.ts'
import { storeOf } from './contexts.ts'

/** A larger file is not a context. */
const maxFileBytes = 10 << 20
const maxArchiveBytes = 10 * maxFileBytes
const metadataName = 'meta.json'

export const command: Command = {
  usage: 'CONTEXT FILE|-',
  operands: { min: 2, max: 2 },
  flags: [],
  async run(context, _flags, [name = '', source = '']) {
    const { settings, output, errors } = context
    checkContextName(name)
    const store = storeOf(settings)
    if (store.has(name)) throw conflict(`context "${name}" already exists`)
    const { stored, tls } = await readArchive(context, source)
    store.put({ ...stored, Name: name }, tls)
    output.write(`${name}\n`)
    errors.write(`Successfully imported context "${name}"\n`)
    return 0
  },
}

async function readArchive(
  { input }: CliContext,
  source: string,
): Promise<{ readonly stored: StoredContext; readonly tls: ContextTls }> {
  let stored: StoredContext | undefined
  const tls: Partial<Record<TlsFileName, Buffer>> = {}
  try {
    for await (const { path, content } of membersOf(source === '-' ? input.chunks() : readInputFile(source))) {
      if (path !== metadataName && !path.startsWith('tls/')) throw invalidArgument(`${path}: unexpected context file`)
      if (path === metadataName) stored = parseContext(content.toString('utf8'), metadataName)
      const file = tlsFileNames.find((known) => path === `tls/docker/${known}`)
      if (file !== undefined) tls[file] = content
    }
  } catch (error) {
    throw invalidArgument(messageOf(error), { cause: error })
  }
  if (stored === undefined) throw invalidArgument('invalid context: no metadata found')
  return { stored, tls }
}

/** Reads the members of a tar or zip archive. */
async function* membersOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<ZipMember> {
  const { start, all } = await peek(chunks)
  if (isZip(start)) {
    const parts: Buffer[] = []
    let length = 0
    for await (const chunk of all) {
      length += chunk.length
      if (length > maxArchiveBytes) throw invalidArgument('read exceeds the defined limit')
      parts.push(chunk)
    }
    yield* readZip(Buffer.concat(parts), { wanted: (path) => !path.endsWith('/'), maxMemberBytes: maxFileBytes })
    return
  }
  for await (const { entry, body } of readTar(all)) {
    if (entry.type !== 'file') continue
    if (entry.sizeBytes > maxFileBytes) throw invalidArgument('read exceeds the defined limit')
    yield { path: entry.path, content: Buffer.concat(await Array.fromAsync(body)) }
  }
}

/** Gives the first bytes, and a stream of all bytes. */
async function peek(chunks: AsyncIterable<Buffer>): Promise<{ start: Buffer; all: AsyncIterable<Buffer> }> {
  const rest = chunks[Symbol.asyncIterator]()
  let start: Buffer = Buffer.alloc(0)
  while (start.length < 4) {
    const { done, value } = await rest.next()
    if (done === true) break
    start = Buffer.concat([start, value])
  }
  async function* all(): AsyncGenerator<Buffer> {
    yield start
    yield* { [Symbol.asyncIterator]: () => rest }
  }
  return { start, all: all() }
}
