import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DockerfileError,
  evaluateGlobals,
  type PlanOptions,
  parseDockerfile,
  parseTriggers,
  planStages,
} from '../index.ts'

function plan(text: string, options: PlanOptions = {}) {
  const result = planStages(parseDockerfile(text), options)
  return {
    order: result.stages.map(({ stage }) => stage.name ?? stage.index),
    needs: Object.fromEntries(result.stages.map(({ stage, needs }) => [stage.name ?? stage.index, needs])),
    external: [...new Set(result.stages.flatMap(({ external }) => external))],
    bases: result.stages.map(({ base }) =>
      base.kind === 'external' ? base.name : base.kind === 'stage' ? base.index : null,
    ),
    skipped: result.skipped.map(({ name, index }) => name ?? index),
    targets: result.targets.map(({ stage }) => stage.index),
  }
}

const diamond = `FROM i AS base
FROM base AS left
FROM base AS right
FROM other AS unused
FROM scratch AS last
COPY --from=left a b
RUN --mount=from=right,target=/r x
`

test('planStages() selects the stages that the target needs, dependencies first', () => {
  assert.deepEqual(plan(diamond), {
    order: ['base', 'left', 'right', 'last'],
    needs: { base: [], left: [0], right: [0], last: [1, 2] },
    external: [],
    bases: ['i', 0, 0, null],
    skipped: ['unused'],
    targets: [4],
  })
})

test('planStages() finds targets by name in any case, by index, and several at once', () => {
  const targets = (target: string | readonly string[]) => {
    const { order, targets: found } = plan(diamond, { target })
    return [order, found]
  }
  assert.deepEqual(targets('LEFT'), [['base', 'left'], [1]])
  assert.deepEqual(targets('3'), [['unused'], [3]])
  assert.deepEqual(targets(['unused', 'right']), [
    ['unused', 'base', 'right'],
    [3, 2],
  ])
  assert.deepEqual(targets(''), [['base', 'left', 'right', 'last'], [4]])
  assert.throws(() => targets('rihgt'), {
    kind: 'invalidArgument',
    message: 'target stage "rihgt" could not be found (did you mean right?)',
  })
  assert.throws(() => targets('9'), { message: 'target stage "9" could not be found' })
})

test('planStages() resolves references', () => {
  // By index; a number is never an image.
  assert.deepEqual(plan('FROM a\nFROM b\nCOPY --from=0 x y').needs, { 0: [], 1: [0] })
  // FROM accepts no index, and only refers to earlier stages.
  assert.deepEqual(plan('FROM a\nFROM 0').bases, ['0'])
  assert.deepEqual(plan('FROM b AS a\nFROM a AS b').bases, ['b', 0])
  assert.deepEqual(plan('FROM alpine AS alpine').bases, ['alpine'])
  // COPY and mounts can refer to all stages.
  assert.deepEqual(plan('FROM a\nCOPY --from=late x y\nFROM b AS late', { target: '0' }).order, ['late', 0])
  // Of two stages with the same name, the last one before counts.
  assert.deepEqual(plan('FROM a AS s\nFROM b AS s\nFROM s').needs, { s: [], 2: [1] })
  // Any other name is external.
  assert.deepEqual(plan('FROM a\nCOPY --from=img:1 x y\nRUN --mount=type=cache,from=ctx,target=/t z').external, [
    'img:1',
    'ctx',
  ])
  assert.deepEqual(plan('FROM a\nCOPY --from=scratch x y').external, [])
  assert.deepEqual(plan('FROM a AS B\nFROM c\nCOPY --from=b x y').needs, { b: [], 1: [0] })
})

test('planStages() expands FROM with global arguments only', () => {
  const dockerfile = parseDockerfile(
    'ARG TAG=1 P=linux/arm64\nFROM --platform=$P img:${TAG}\nARG TAG=2\nFROM img${TAG:+-x}',
  )
  const scope = evaluateGlobals(dockerfile, { buildArgs: { TAG: '3' } })
  const { targets } = planStages(dockerfile, { scope, target: ['0', '1'] })
  assert.deepEqual(
    targets.map(({ base, platform }) => [base, platform]),
    [
      [
        { kind: 'external', name: 'img:3' },
        { os: 'linux', architecture: 'arm64' },
      ],
      [{ kind: 'external', name: 'img-x' }, undefined],
    ],
  )
})

test('planStages() follows triggers', () => {
  const text = 'FROM x AS build\nFROM y AS base\nONBUILD COPY --from=build a b\nFROM base'
  assert.deepEqual(plan(text).needs, { build: [], base: [], 2: [0, 1] })
  const triggers = () => parseTriggers(['COPY --from=build a b', 'RUN --mount=from=img,target=/m c'])
  const { needs, external } = plan('FROM x AS build\nFROM y', {
    triggers: (stage) => (stage.index === 1 ? triggers() : []),
  })
  assert.deepEqual([needs, external], [{ build: [], 1: [0] }, ['img']])
})

test('planStages() refuses invalid references, names and platforms', () => {
  for (const [text, line, message] of [
    ['FROM a\nCOPY --from=2 x y', 2, 'invalid stage index 2'],
    ['FROM a\nCOPY --from=-1 x y', 2, 'invalid stage index -1'],
    ['FROM a\nRUN --mount=from=7,target=/x y', 2, 'invalid stage index 7'],
    ['FROM a AS s\nCOPY --from=s x y', 2, 'circular dependency detected on stage: s'],
    ['FROM a AS s\nRUN x\nCOPY --from=1 x y\nFROM s', 3, 'circular dependency detected on stage: s'],
    ['FROM $A', 1, 'base name ($A) should not be blank'],
    ['FROM --platform=$A a', 1, 'empty platform value from expression $A'],
    [
      'FROM --platform=$BULDPLATFORM a',
      1,
      'empty platform value from expression $BULDPLATFORM (did you mean BUILDPLATFORM?)',
    ],
    [
      'FROM --platform=toaster a',
      1,
      'failed to parse platform toaster: "toaster": unknown operating system or architecture: invalid argument',
    ],
    ['FROM a${', 1, 'failed to process "a${": syntax error: missing \'}\''],
    [
      'FROM a\nARG x\nCOPY --from=$x y z',
      3,
      'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
    ],
  ] as const) {
    assert.throws(
      () => plan(text),
      (error) => error instanceof DockerfileError && error.message === message && error.at.line === line,
      text,
    )
  }
})
