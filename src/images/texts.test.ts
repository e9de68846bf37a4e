import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseReference } from '../oci/index.ts'
import { applyChanges } from './config-changes.ts'
import { humanSize, progressBar } from './file-sizes.ts'
import { booleanFilter, checkFilters, matchesLabels, matchesReference, parseUntil } from './image-filters.ts'
import { LayerProgress } from './progress.ts'

test('humanSize() and progressBar() print as Docker does', () => {
  assert.equal(humanSize(0), '0B')
  assert.equal(humanSize(999), '999B')
  assert.equal(humanSize(1500), '1.5kB')
  assert.equal(humanSize(12_345_678), '12.35MB')
  assert.equal(progressBar(50, 100), `[${'='.repeat(25)}>${' '.repeat(25)}]      50B/100B`)
  assert.equal(progressBar(100, 100), `[${'='.repeat(50)}>]     100B/100B`)
  assert.equal(progressBar(1500, 0), '   1.5kB')
})

test('LayerProgress tells a late watcher where things stand', () => {
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

test('filters refuse what they do not know', () => {
  assert.throws(() => checkFilters({ x: ['1'] }, ['y']), { message: "invalid filter 'x'" })
  assert.equal(booleanFilter({ dangling: ['1'] }, 'dangling'), true)
  assert.equal(booleanFilter({ dangling: ['false'] }, 'dangling'), false)
  assert.equal(booleanFilter({}, 'dangling'), undefined)
  assert.throws(() => booleanFilter({ dangling: ['x'] }, 'dangling'), { message: "invalid filter 'dangling=[x]'" })
  assert.ok(matchesLabels({ a: '1', b: '' }, ['a=1', 'b']))
  assert.ok(!matchesLabels({ a: '1' }, ['a=2']))
})

test('parseUntil() reads durations, seconds and dates', () => {
  const now = 1_000_000_000_000_000_000n
  assert.equal(parseUntil('10m', now), now - 600_000_000_000n)
  assert.equal(parseUntil('1h30m', now), now - 5_400_000_000_000n)
  assert.equal(parseUntil('1700000000', now), 1_700_000_000_000_000_000n)
  assert.equal(parseUntil('1970-01-02', now), 86_400_000_000_000n)
  assert.equal(parseUntil('1970-01-01T00:00:01', now), 1_000_000_000n)
  assert.throws(() => parseUntil('soon', now), { kind: 'invalidArgument' })
})

test('applyChanges() edits runtime defaults', () => {
  const changed = applyChanges({ Env: ['A=0', 'B=1'], Labels: { old: '1' } }, [
    'ENV A=2 C="x y"',
    'ENV D one two',
    'LABEL a=1 "b c"=2',
    'CMD echo hi',
    'ENTRYPOINT ["/x", "y"]',
    'EXPOSE 80 53/udp',
    'VOLUME ["/data"]',
    'USER 1:2\nWORKDIR /a\nWORKDIR b/',
    'STOPSIGNAL SIGINT',
    'ONBUILD RUN x',
    'HEALTHCHECK --interval=5s --retries=3 CMD curl x',
  ])
  assert.deepEqual(changed, {
    Env: ['B=1', 'A=2', 'C=x y', 'D=one two'],
    Labels: { old: '1', a: '1', 'b c': '2' },
    Cmd: ['/bin/sh', '-c', 'echo hi'],
    Entrypoint: ['/x', 'y'],
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    Volumes: { '/data': {} },
    User: '1:2',
    WorkingDir: '/a/b',
    StopSignal: 'SIGINT',
    OnBuild: ['RUN x'],
    Healthcheck: { Test: ['CMD-SHELL', 'curl x'], Interval: 5e9, Retries: 3 },
  })
  assert.throws(() => applyChanges({}, ['RUN x']), { message: 'RUN is not a valid change command' })
  assert.throws(() => applyChanges({}, ['EXPOSE x']), { message: 'invalid containerPort: x' })
})
