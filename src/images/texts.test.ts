import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseReference } from '../oci/index.ts'
import { humanSize, progressBar } from './catalog/file-sizes.ts'
import { matchesReference } from './catalog/image-filters.ts'
import { LayerProgress } from './catalog/progress.ts'
import { applyChanges } from './make/config-changes.ts'

test('humanSize() and progressBar() print as Docker does', () => {
  assert.equal(humanSize(0), '0B')
  assert.equal(humanSize(999), '999B')
  assert.equal(humanSize(1500), '1.5kB')
  assert.equal(humanSize(12_345_678), '12.35MB')
  assert.equal(progressBar(50, 100), `[${'='.repeat(25)}>${' '.repeat(25)}]      50B/100B`)
  assert.equal(progressBar(100, 100), `[${'='.repeat(50)}>]     100B/100B`)
  assert.equal(progressBar(1500, 0), '   1.5kB')
})

test('LayerProgress sends the present state to a late watcher', () => {
  const progress = new LayerProgress('abc')
  progress.status('Pulling fs layer')
  progress.amount('Downloading', 1, 10)
  progress.amount('Downloading', 2, 10)
  const heard: (string | undefined)[] = []
  progress.watch(({ status }) => heard.push(status))()
  progress.status('Pull complete')
  assert.deepEqual(heard, ['Downloading'])
})

test('matchesReference() matches short names and bare names with globs', () => {
  const yes: [string, string][] = [
    ['busybox', 'busybox:1'],
    ['busybox:1', 'busybox:1'],
    ['busy*', 'busybox:1'],
    ['b?sybox:[0-9]', 'busybox:1'],
    ['*/*', 'a/b:1'],
    ['quay.io/*/b', 'quay.io/a/b'],
  ]
  for (const [glob, name] of yes) assert.ok(matchesReference(parseReference(name), [glob]), glob)
  for (const [glob, name] of [
    ['busybo', 'busybox:1'],
    ['*', 'a/b:1'],
    ['busybox:2', 'busybox:1'],
  ] as const) {
    assert.ok(!matchesReference(parseReference(name), [glob]), glob)
  }
})

test('applyChanges() edits runtime defaults', () => {
  const changed = applyChanges({ Env: ['A=0', 'B=1'], Labels: { old: '1' } }, [
    'ENV A=2 C="x y"',
    'ENV D one two',
    'LABEL a=1 "b c"=2',
    'CMD echo \\\n  hi',
    '# nothing',
    'ENTRYPOINT ["/x", "y"]',
    'EXPOSE 80 53/udp 8000-8001',
    'VOLUME ["/data"]',
    'USER 1:2\nWORKDIR /a\nWORKDIR b/',
    'STOPSIGNAL SIGINT',
    'ONBUILD RUN x',
    'HEALTHCHECK --interval=5s --retries=3 CMD curl x',
  ])
  assert.deepEqual(changed, {
    Env: ['A=2', 'B=1', 'C=x y', 'D=one two'],
    Labels: { old: '1', a: '1', 'b c': '2' },
    Cmd: ['/bin/sh', '-c', 'echo   hi'],
    Entrypoint: ['/x', 'y'],
    ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {} },
    Volumes: { '/data': {} },
    User: '1:2',
    WorkingDir: '/a/b',
    StopSignal: 'SIGINT',
    OnBuild: ['RUN x'],
    Healthcheck: { Test: ['CMD-SHELL', 'curl x'], Interval: 5e9, Retries: 3 },
  })
  assert.deepEqual(applyChanges({ Cmd: ['sh'] }, ['ENTRYPOINT ["/x"]']), { Cmd: null, Entrypoint: ['/x'] })
  assert.deepEqual(applyChanges({}, []), {})
})

test('applyChanges() replaces variables and removes quotes', () => {
  const env = { Env: ['A=1', 'EMPTY='] }
  const cases: [string, string][] = [
    ['$A', '1'],
    ['x${A}y', 'x1y'],
    ["'$A'", '$A'],
    ['"$A b"', '1 b'],
    ['\\$A', '$A'],
    ['$NONE', ''],
    ['${EMPTY:-d$A}', 'd1'],
    ['${A:+other}', 'other'],
    ['${EMPTY:+other}', ''],
  ]
  for (const [text, value] of cases) {
    assert.deepEqual(applyChanges(env, [`ENV B=${text}`]).Env?.at(-1), `B=${value}`, text)
  }
  assert.deepEqual(applyChanges(env, ['WORKDIR $A', 'WORKDIR ../b/']).WorkingDir, '/b')
})

test('applyChanges() refuses with Docker’s texts', () => {
  for (const [change, message] of [
    ['RUN x', 'RUN is not a valid change command'],
    ['toString', 'toString is not a valid change command'],
    ['# only this', 'file with no instructions'],
    ['ENV', 'ENV requires at least one argument'],
    ['ENV a', 'ENV must have two arguments'],
    ['ENV =b', 'ENV names can not be blank'],
    ['ENV a=b c', 'Syntax error - can\'t find = in "c". Must be of the form: name=value'],
    ['ENV a="b', 'failed to process "\\"b": unexpected end of statement while looking for matching double-quote'],
    ['LABEL a', 'LABEL must have two arguments'],
    ['EXPOSE x', 'invalid containerPort: x'],
    ['EXPOSE 80/xyz', 'invalid proto: xyz'],
    ['USER', 'USER requires exactly one argument'],
    ['VOLUME []', 'VOLUME requires at least one argument'],
    ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['ONBUILD ONBUILD x', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
    ['HEALTHCHECK', 'HEALTHCHECK requires at least one argument'],
    ['HEALTHCHECK foo', 'Unknown type "FOO" in HEALTHCHECK (try CMD)'],
    ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
    ['HEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments'],
    ['HEALTHCHECK --bogus=1 CMD x', 'unknown flag: --bogus'],
    ['HEALTHCHECK --interval=x CMD y', 'time: invalid duration "x"'],
    ['HEALTHCHECK --interval=1us CMD y', 'Interval "interval" cannot be less than 1ms'],
  ] as const) {
    assert.throws(() => applyChanges({}, [change]), { kind: 'invalidArgument', message }, change)
  }
})
