import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  absolutePath,
  applyFileMode,
  cleanPath,
  copyDestination,
  exposedPorts,
  parseFileMode,
  remoteSource,
} from './index.ts'
import { parseByteSize, parseCsvFields } from './instructions/mount-values.ts'
import { isSignal } from './instructions/stop-signal.ts'
import { parseDuration } from './text/duration.ts'
import { didYouMean, nearestWord } from './text/suggest.ts'

test('parseDuration() reads the same durations as Go', () => {
  for (const [text, result] of [
    ['0', 0],
    ['1s', 1e9],
    ['+1.5h', 5400e9],
    ['-2ms', -2e6],
    ['1h2m3s4ms5us6ns', 3723004005006],
    ['.5s', 5e8],
    ['1.s', 1e9],
    ['', 'time: invalid duration ""'],
    ['s', 'time: invalid duration "s"'],
    ['3', 'time: missing unit in duration "3"'],
    ['3d', 'time: unknown unit "d" in duration "3d"'],
    ['1s 2s', 'time: unknown unit "s " in duration "1s 2s"'],
    ['99999999999h', 'time: invalid duration "99999999999h"'],
  ] as const) {
    assert.equal(parseDuration(text), result, text)
  }
})

test('parseFileMode() and applyFileMode() behave like chmod', () => {
  const rows: readonly (readonly [mode: string, current: number, isDirectory: boolean, result: number])[] = [
    ['755', 0o600, false, 0o755],
    ['0644', 0o777, true, 0o644],
    ['4755', 0, false, 0o4755],
    ['0', 0o777, false, 0],
    ['+x', 0o644, false, 0o755],
    ['a-w', 0o666, false, 0o444],
    ['u=rwX,go=rX', 0o600, false, 0o644],
    ['u=rwX,go=rX', 0o700, false, 0o755],
    ['u=rwX,go=rX', 0o600, true, 0o755],
    ['g=u', 0o640, false, 0o660],
    ['o=', 0o777, false, 0o770],
    ['u+s', 0o755, false, 0o4755],
    ['g-s', 0o2755, true, 0o755],
    ['+t', 0o777, true, 0o1777],
    ['u+x-w,g+w', 0o644, false, 0o564],
    ['u=r', 0o4755, false, 0o455],
  ]
  for (const [text, current, isDirectory, result] of rows) {
    const mode = parseFileMode(text)
    assert.ok(mode !== undefined, text)
    assert.equal(applyFileMode(mode, current, isDirectory).toString(8), result.toString(8), text)
  }
  for (const text of ['', '9', '888', '100000', '17777', 'x', 'u', 'u+q', 'u=rw,', 'rwx']) {
    assert.equal(parseFileMode(text), undefined, text)
  }
})

test('exposedPorts() gives a key for each port, or an error message', () => {
  for (const [word, result] of [
    ['80', ['80/tcp']],
    ['80/', ['80/tcp']],
    ['80/SCTP', ['80/sctp']],
    ['80-82/udp', ['80/udp', '81/udp', '82/udp']],
    ['0.0.0.0:1:2', ['2/tcp']],
    ['[::1]:1:2/udp', ['2/udp']],
    ['65536', 'invalid containerPort: 65536'],
    ['2-1', 'invalid containerPort: 2-1'],
    ['a', 'invalid containerPort: a'],
    ['1/x', 'invalid proto: x'],
    ['/tcp', 'no port specified: /tcp<empty>'],
  ] as const) {
    assert.deepEqual(exposedPorts(word), result, word)
  }
})

test('isSignal() accepts names and numbers', () => {
  for (const text of ['9', 'KILL', 'SIGKILL', 'sigterm', 'SIGRTMIN', 'SIGRTMIN+1', 'RTMAX-14', '64'])
    assert.ok(isSignal(text), text)
  for (const text of ['', '0', '65', 'FOO', 'SIG', 'RTMIN+99', '-1']) assert.ok(!isSignal(text), text)
})

test('remoteSource() tells URLs and git repositories from paths', () => {
  const git = (remote: string, reference?: string, subdirectory?: string) => ({
    kind: 'git',
    remote,
    ...(reference === undefined ? {} : { reference }),
    ...(subdirectory === undefined ? {} : { subdirectory }),
  })
  for (const [text, result] of [
    ['a.git', undefined],
    ['./git@x', undefined],
    ['http.txt', undefined],
    ['https://e/x.tar#y', { kind: 'url', url: 'https://e/x.tar#y' }],
    ['HTTP://e', { kind: 'url', url: 'HTTP://e' }],
    ['https://e/r.git', git('https://e/r.git')],
    ['https://e/r.git#v1:docs', git('https://e/r.git', 'v1', 'docs')],
    ['https://e/r.git#:docs', git('https://e/r.git', undefined, 'docs')],
    ['git@e.com:o/r.git#main', git('git@e.com:o/r.git', 'main')],
    ['ssh://git@e/r', git('ssh://git@e/r')],
    ['git://e/r', git('git://e/r')],
  ] as const) {
    assert.deepEqual(remoteSource(text), result, text)
  }
})

test('cleanPath(), absolutePath(), copyDestination() resolve paths as text', () => {
  for (const [path, clean] of [
    ['', '.'],
    ['./', '.'],
    ['/', '/'],
    ['a//b/./c/..', 'a/b'],
    ['../a', '../a'],
    ['/../a', '/a'],
    ['a/..', '.'],
  ] as const) {
    assert.equal(cleanPath(path), clean, path)
  }
  assert.equal(absolutePath('/w', '../../x'), '/x')
  assert.equal(absolutePath('', 'x'), '/x')
  for (const [path, destination] of [
    ['x', '/w/x'],
    ['x/', '/w/x/'],
    ['.', '/w/'],
    ['x/.', '/w/x/'],
    ['', '/w/'],
    ['/', '/'],
  ] as const) {
    assert.equal(copyDestination('/w', path), destination, path)
  }
})

test('didYouMean() and nearestWord() accept words at most two edits away', () => {
  assert.equal(didYouMean('cpoy', ['COPY', 'CMD']), ' (did you mean COPY?)')
  assert.equal(
    didYouMean('PAHT', ['PATH'], (one) => `$${one}`),
    ' (did you mean $PATH?)',
  )
  assert.equal(didYouMean('xyz', ['COPY']), '')
  assert.equal(nearestWord('COPY', ['CMD', 'COPY']), undefined)
  assert.equal(nearestWord('', ['a']), undefined)
  assert.equal(nearestWord('x', ['y']), undefined)
  assert.equal(nearestWord('abcdef', ['abxyef', 'abcdxx']), 'abxyef')
})

test('parseByteSize(), parseCsvFields() read values of mounts', () => {
  assert.deepEqual(['1', '1k', '1.5M', '2GiB', '1tb', 'x', '-1', ''].map(parseByteSize), [
    1,
    1024,
    1572864,
    2147483648,
    1099511627776,
    undefined,
    undefined,
    undefined,
  ])
  assert.deepEqual(parseCsvFields('a,"b,""c""",,d'), ['a', 'b,"c"', '', 'd'])
  assert.throws(() => parseCsvFields('a,"b'))
})
