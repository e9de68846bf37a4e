/** Changes `config.json`, which other programs share: their keys stay, in their order. */
import { errnoOf, invalidArgument, messageOf } from '../../base/index.ts'

const fs = process.getBuiltinModule('node:fs')
const { basename, dirname, join } = process.getBuiltinModule('node:path')

/** Reads the file, lets `edit` change the document, and writes it in Docker's form (tabs) by one rename, so that other
 *  programs see either the old or the new content. A new file gets mode 0600; an old one keeps its mode and its owner.
 *  Throws `invalidArgument`, and leaves the file alone, when it is not JSON. */
export function editClientFile(path: string, edit: (document: Record<string, unknown>) => void): void {
  const target = followLink(path)
  const document = readDocument(target)
  edit(document)
  fs.mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  const temporary = join(dirname(target), `${basename(target)}.${process.pid}.${process.hrtime.bigint()}`)
  try {
    fs.writeFileSync(temporary, JSON.stringify(document, undefined, '\t'), { mode: 0o600, flush: true, flag: 'wx' })
    copyPermissions(target, temporary)
    fs.renameSync(temporary, target)
  } catch (error) {
    fs.rmSync(temporary, { force: true })
    throw invalidArgument(`cannot write ${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** Follows a symbolic link: the file behind it is changed, and the link stays. */
function followLink(path: string): string {
  try {
    return fs.realpathSync(path)
  } catch {
    return path
  }
}

function readDocument(path: string): Record<string, unknown> {
  let text: string
  try {
    text = fs.readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return {}
    throw invalidArgument(`cannot read ${path}: ${messageOf(error)}`, { cause: error })
  }
  if (text.trim() === '') return {}
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw invalidArgument(`${path}: ${messageOf(error)}`, { cause: error })
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>
  throw invalidArgument(`${path}: not a JSON object`)
}

function copyPermissions(from: string, to: string): void {
  let stat: ReturnType<typeof fs.statSync>
  try {
    stat = fs.statSync(from)
  } catch {
    return // The file is new.
  }
  fs.chmodSync(to, Number(stat?.mode ?? 0o600) & 0o7777)
  try {
    fs.chownSync(to, Number(stat?.uid), Number(stat?.gid))
  } catch {
    // Only root may give a file to another user. The file then belongs to the caller.
  }
}
