import { readTar } from '../../archive/index.ts'
import { conflict, invalidArgument, messageOf } from '../../base/index.ts'
import {
  type ContextTls,
  checkContextName,
  parseContext,
  type StoredContext,
  type TlsFileName,
  tlsFileNames,
} from '../../config/client/index.ts'
import type { CliContext, Command } from '../command.ts'
import { readInputFile } from '../input-file.ts'
import { storeOf } from './contexts.ts'

/** More than any context has. */
const maxFileBytes = 10 << 20
const zipMagic = 0x504b

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
    for await (const { entry, body } of readTar(notZip(source === '-' ? input.chunks() : readInputFile(source)))) {
      if (entry.type !== 'file') continue
      if (entry.sizeBytes > maxFileBytes) throw invalidArgument('read exceeds the defined limit')
      const content = Buffer.concat(await Array.fromAsync(body))
      if (entry.path === 'meta.json') stored = parseContext(content.toString('utf8'), 'meta.json')
      const file = tlsFileNames.find((known) => entry.path === `tls/docker/${known}`)
      if (file !== undefined) tls[file] = content
    }
  } catch (error) {
    throw invalidArgument(messageOf(error), { cause: error })
  }
  if (stored === undefined) throw invalidArgument('invalid context: no metadata found')
  return { stored, tls }
}

async function* notZip(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first = true
  for await (const chunk of chunks) {
    if (first && chunk.length > 2 && chunk.readUInt16BE(0) === zipMagic) {
      throw invalidArgument('contexts in zip files are not built: pack it as tar')
    }
    first = false
    yield chunk
  }
}
