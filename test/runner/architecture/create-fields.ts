/** Lists which test covers each field of the create body. The list is read from the titles of the tests and written
 *  into docs/api-coverage.md (`bin/node test/runner/architecture/create-fields.ts`). A title begins with the field:
 *  `HostConfig.Memory: …`. In the title of a test in a loop, `${field}` means each of the strings that the loop goes
 *  over. */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { containerConfigFields, hostConfigFields } from '../../../src/server/requests/fields.ts'

const project = join(import.meta.dirname, '../../..')
const page = join(project, 'docs/api-coverage.md')
const begin = '<!-- fields of the create body: made by test/runner/architecture/create-fields.ts -->'
const end = '<!-- end of the fields -->'

/** The fields of EndpointSettings that a client can set; the engine fills the others. */
const endpointFields = ['IPAMConfig', 'Links', 'MacAddress', 'Aliases', 'DriverOpts', 'GwPriority']

/** Every field, by the object that contains it. */
export const createFields: Readonly<Record<string, readonly string[]>> = {
  Config: Object.keys(containerConfigFields),
  HostConfig: Object.keys(hostConfigFields),
  EndpointsConfig: endpointFields,
}

interface FieldTest {
  /** `HostConfig.Memory`. */
  readonly field: string
  readonly says: string
  readonly file: string
}

/** The tests of all files whose title names a field. */
export function fieldTests(): FieldTest[] {
  return globSync('{src,test}/**/*.test.ts', { cwd: project })
    .sort()
    .flatMap((file) => testsOf(file, readFileSync(join(project, file), 'utf8')))
}

/** The page's section. */
export function formatFields(tests: readonly FieldTest[]): string {
  const owners = Object.entries(createFields).map(([owner, fields]) => {
    const rows = fields.map((name) => {
      const own = tests.filter(({ field }) => field === `${owner}.${name}`)
      const texts = own.map(({ says, file }) => `${cell(says)} ([${file.replace(/^.*\//, '')}](../${file}))`)
      return `| \`${name}\` | ${texts.join('; ')} |`
    })
    return [`### ${owner}`, '', '| field | what its tests see |', '|---|---|', ...rows].join('\n')
  })
  return [begin, ...owners, end].join('\n\n')
}

/** The page with a new section of fields. */
export function withFields(text: string, section: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to === -1) throw new Error(`${page} has no place for the fields`)
  return text.slice(0, from) + section + text.slice(to + end.length)
}

export function readPage(): string {
  return readFileSync(page, 'utf8')
}

function testsOf(file: string, text: string): FieldTest[] {
  const found: FieldTest[] = []
  for (const { 1: quote = '', 2: title = '', index } of text.matchAll(
    /\b(?:test|it)\(\s*(['"`])((?:Host|Endpoints)?Config\..*?)\1,/gs,
  )) {
    const [, names = '', says = ''] = /^((?:\w+\.(?:\w+|\$\{field\})(?:, )?)+): (.*)$/s.exec(title) ?? []
    const said = quote === '`' ? says.replaceAll('${field}', 'the field') : says.replaceAll(`\\${quote}`, quote)
    for (const name of names.split(', ').filter((each) => each !== '')) {
      const [owner = '', field = ''] = name.split('.')
      const fields = field === '${field}' ? fieldsOfLoop(text.slice(0, index), createFields[owner] ?? []) : [field]
      for (const each of fields) found.push({ field: `${owner}.${each}`, says: said, file })
    }
  }
  return found
}

/** The fields in the list that the last loop of this text goes over. */
function fieldsOfLoop(before: string, known: readonly string[]): string[] {
  const loop = before.slice(before.lastIndexOf('for (const '))
  const list = /^for \(const [^;]*? of (\w+)\) \{/s.exec(loop)?.[1]
  const at = list === undefined ? -1 : before.lastIndexOf(`const ${list}`)
  const start = before.indexOf('= [', at)
  const literal = at === -1 ? loop : before.slice(start, before.indexOf('\n]', start))
  const words = new Set([...literal.matchAll(/'(\w+)'/g)].map(([, word = '']) => word))
  return known.filter((field) => words.has(field))
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

if (process.argv[1] === import.meta.filename) writeFileSync(page, withFields(readPage(), formatFields(fieldTests())))
