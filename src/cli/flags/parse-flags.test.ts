import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Flag } from './flag.ts'
import { parseFlags } from './parse-flags.ts'

const flags: readonly Flag[] = [
  { name: 'interactive', short: 'i', type: 'bool', help: '' },
  { name: 'tty', short: 't', type: 'bool', help: '' },
  { name: 'publish', short: 'p', type: 'list', help: '' },
  { name: 'name', type: 'string', help: '' },
  { name: 'memory', short: 'm', type: 'bytes', help: '' },
  { name: 'sig-proxy', type: 'bool', help: '', defaultTrue: true },
  { name: 'platform', type: 'strings', help: '' },
  { name: 'filter', short: 'f', type: 'filter', help: '' },
]

test('parseFlags() accepts every form of a flag', () => {
  const args = [
    '-it',
    '-p8080:80',
    '-p',
    '1:2',
    '--publish=3:4',
    '--name',
    'x',
    '-m=1m',
    '--sig-proxy=false',
    'image',
    '-i',
    'arg',
  ]
  const parsed = parseFlags(args, flags, { interspersed: false })
  assert.equal(parsed.flags.bool('interactive'), true)
  assert.equal(parsed.flags.bool('tty'), true)
  assert.deepEqual(parsed.flags.list('publish'), ['8080:80', '1:2', '3:4'])
  assert.equal(parsed.flags.string('name'), 'x')
  assert.equal(parsed.flags.number('memory'), 1 << 20)
  assert.equal(parsed.flags.bool('sig-proxy'), false)
  assert.deepEqual(parsed.operands, ['image', '-i', 'arg'])
})

test('parseFlags() finds flags between operands, up to --', () => {
  const parsed = parseFlags(['a', '-i', 'b', '--', '-t'], flags)
  assert.deepEqual(parsed.operands, ['a', 'b', '-t'])
  assert.equal(parsed.flags.bool('interactive'), true)
  assert.equal(parsed.flags.bool('tty'), false)
  assert.equal(parsed.flags.bool('sig-proxy'), true)
})

test('parseFlags() splits lists and collects filters', () => {
  const parsed = parseFlags(['--platform', 'a,b', '-f', 'name=x', '-f', 'NAME = y', '-f', 'label=a=b'], flags)
  assert.deepEqual(parsed.flags.list('platform'), ['a', 'b'])
  assert.deepEqual(parsed.flags.filters(), { name: ['x', 'y'], label: ['a=b'] })
})

const errors: readonly (readonly [readonly string[], string])[] = [
  [['--foo'], 'unknown flag: --foo'],
  [['-x'], "unknown shorthand flag: 'x' in -x"],
  [['-itx'], "unknown shorthand flag: 'x' in -x"],
  [['--name'], 'flag needs an argument: --name'],
  [['-ip'], "flag needs an argument: 'p' in -p"],
  [['--=x'], 'bad flag syntax: --=x'],
  [['-m', 'foo'], `invalid argument "foo" for "-m, --memory" flag: invalid size: 'foo'`],
  [['-i=foo'], 'invalid argument "foo" for "-i, --interactive" flag: strconv.ParseBool: parsing "foo": invalid syntax'],
]

for (const [args, message] of errors) {
  test(`parseFlags() refuses ${args.join(' ')}`, () => {
    assert.throws(() => parseFlags(args, flags), { message })
  })
}
