import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  baseImagePlatformWarning,
  type CheckDockerfileOptions,
  checkDockerfile,
  checkFailure,
  checkRules,
  DockerfileError,
  evaluateGlobals,
  IgnoreMatcher,
  parseDockerfile,
} from '../index.ts'

/** `Rule line: message` of every warning. */
function check(text: string, options: CheckDockerfileOptions = {}): readonly string[] {
  const { warnings } = checkDockerfile(parseDockerfile(text), options)
  return warnings.map(({ rule, range, message }) => `${rule} ${range.start.line}: ${message}`)
}

const description =
  'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.'

/** Dockerfile, warnings. */
const rows: readonly (readonly [text: string, ...warnings: string[]])[] = [
  // StageNameCasing
  ['FROM a AS BuilderBase', "StageNameCasing 1: Stage name 'BuilderBase' should be lowercase"],
  ['FROM a AS builder-base'],
  // FromAsCasing
  ['FROM a as b', "FromAsCasing 1: 'as' and 'FROM' keywords' casing do not match"],
  ['from a AS b', "FromAsCasing 1: 'AS' and 'from' keywords' casing do not match"],
  ['from a as b'],
  // NoEmptyContinuation
  ['FROM a\nRUN b \\\n\n  c', 'NoEmptyContinuation 2: Empty continuation line found in: RUN b   c'],
  ['FROM a\nEXPOSE \\\n# Port\n80'],
  // ConsistentInstructionCasing
  [
    'FROM a\nrun b\nUser c\nCMD ["d"]',
    "ConsistentInstructionCasing 2: Command 'run' should match the case of the command majority (uppercase)",
    "ConsistentInstructionCasing 3: Command 'User' should match the case of the command majority (uppercase)",
  ],
  [
    'from a\nrun b\nUSER c',
    "ConsistentInstructionCasing 3: Command 'USER' should match the case of the command majority (lowercase)",
  ],
  // DuplicateStageName
  ['FROM a AS s\nFROM b AS s', "DuplicateStageName 2: Duplicate stage name 's', stage names should be unique"],
  // ReservedStageName
  ['FROM a AS scratch', "ReservedStageName 1: 'scratch' is reserved and should not be used as a stage name"],
  ['FROM a AS context', "ReservedStageName 1: 'context' is reserved and should not be used as a stage name"],
  // JSONArgsRecommended
  [
    'FROM a\nENTRYPOINT b\nCMD c',
    'JSONArgsRecommended 2: JSON arguments recommended for ENTRYPOINT to prevent unintended behavior related to OS signals',
    'JSONArgsRecommended 3: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
  ],
  ['FROM a\nSHELL ["/bin/bash", "-c"]\nCMD c'],
  ['FROM a AS b\nSHELL ["/bin/bash", "-c"]\nFROM b\nCMD c'],
  ['FROM a\nHEALTHCHECK CMD b'],
  // MaintainerDeprecated
  ['FROM a\nMAINTAINER b', 'MaintainerDeprecated 2: Maintainer instruction is deprecated in favor of using label'],
  // UndefinedArgInFrom, InvalidDefaultArgInFrom
  ['FROM node:22${VARIANT}', "UndefinedArgInFrom 1: FROM argument 'VARIANT' is not declared"],
  ['ARG VARIANT\nFROM node:22${VARIANT}'],
  [
    'FROM --platform=linux/arm/v7$TARGETVARIANTS a',
    "UndefinedArgInFrom 1: FROM argument 'TARGETVARIANTS' is not declared (did you mean TARGETVARIANT?)",
  ],
  [
    'ARG TAG\nFROM busybox:${TAG}',
    'InvalidDefaultArgInFrom 2: Default value for ARG busybox:${TAG} results in empty or invalid base image name',
  ],
  ['ARG TAG\nFROM busybox:${TAG:-3.14}'],
  ['ARG V\nFROM busybox:stable${V}'],
  // RedundantTargetPlatform
  [
    'FROM --platform=$TARGETPLATFORM a',
    'RedundantTargetPlatform 1: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  ],
  ['FROM --platform=$BUILDPLATFORM a'],
  // FromPlatformFlagConstDisallowed
  [
    'FROM --platform=linux/amd64 a AS b',
    'FromPlatformFlagConstDisallowed 1: FROM --platform flag should not use constant value "linux/amd64"',
  ],
  ['FROM --platform=linux/amd64 a AS build_amd64'],
  ['FROM --platform=arm64 a AS x-arm64\nFROM --platform=linux/arm64 b AS on-linux'],
  // WorkdirRelativePath
  [
    'FROM nginx\nWORKDIR usr/share',
    "WorkdirRelativePath 2: Relative workdir 'usr/share' can have unexpected results if the base image changes",
  ],
  ['FROM nginx\nWORKDIR /usr\nWORKDIR share'],
  ['FROM nginx AS a\nWORKDIR /usr\nFROM a\nWORKDIR share'],
  // UndefinedVar
  ['FROM scratch\nCOPY $foo .', "UndefinedVar 2: Usage of undefined variable '$foo'"],
  ['FROM scratch\nARG foo\nCOPY $foo .'],
  ['FROM scratch\nCOPY ${foo:-x} .'],
  [
    'FROM scratch\nENV PATH=$PAHT:/app/bin',
    "UndefinedVar 2: Usage of undefined variable '$PAHT' (did you mean $PATH?)",
  ],
  ['FROM a\nENV PATH=$PAHT:/app/bin', "UndefinedVar 2: Usage of undefined variable '$PAHT' (did you mean $PATH?)"],
  ['FROM a\nCOPY $JAVA_HOME .'],
  ['FROM scratch AS a\nARG foo\nFROM a\nLABEL x=$foo'],
  ['FROM scratch\nRUN echo $foo'],
  // MultipleInstructionsDisallowed
  [
    'FROM a\nCMD ["b"]\nCMD ["c"]\nHEALTHCHECK NONE\nHEALTHCHECK CMD d\nFROM a\nCMD ["b"]',
    'MultipleInstructionsDisallowed 2: Multiple CMD instructions should not be used in the same stage because only the last one will be used',
    'MultipleInstructionsDisallowed 4: Multiple HEALTHCHECK instructions should not be used in the same stage because only the last one will be used',
  ],
  ['FROM a\nHEALTHCHECK CMD b\nCMD ["c"]'],
  // LegacyKeyValueFormat
  [
    'FROM a\nENV b c\nLABEL d e',
    'LegacyKeyValueFormat 2: "ENV key=value" should be used instead of legacy "ENV key value" format',
    'LegacyKeyValueFormat 3: "LABEL key=value" should be used instead of legacy "LABEL key value" format',
  ],
  ['FROM a\nARG TARGETOS TARGETARCH'],
  // SecretsUsedInArgOrEnv
  [
    'ARG TOKEN\nFROM scratch\nARG AWS_SECRET_ACCESS_KEY\nENV PASSWORD=x DB_PASSWD=y',
    'SecretsUsedInArgOrEnv 1: Do not use ARG or ENV instructions for sensitive data (ARG "TOKEN")',
    'SecretsUsedInArgOrEnv 3: Do not use ARG or ENV instructions for sensitive data (ARG "AWS_SECRET_ACCESS_KEY")',
    'SecretsUsedInArgOrEnv 4: Do not use ARG or ENV instructions for sensitive data (ENV "PASSWORD")',
    'SecretsUsedInArgOrEnv 4: Do not use ARG or ENV instructions for sensitive data (ENV "DB_PASSWD")',
  ],
  ['FROM scratch\nARG PUBLIC_KEY KEYBOARD MONKEY tokens'],
  // ExposeProtoCasing, ExposeInvalidFormat
  [
    'FROM a\nEXPOSE 80/TcP 81/tcp',
    "ExposeProtoCasing 2: Defined protocol '80/TcP' in EXPOSE instruction should be lowercase",
  ],
  [
    'FROM a\nEXPOSE 127.0.0.1:80:80 8080:80 80-90',
    "ExposeInvalidFormat 2: EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:80'",
    "ExposeInvalidFormat 2: EXPOSE instruction should not define an IP address or host-port mapping, found '8080:80'",
  ],
  // InvalidDefinitionDescription, only when asked for
  ['# other\nFROM a AS b'],
  [
    '# check=experimental=all\n\n# other\nFROM a AS b\n# more\nARG C',
    `InvalidDefinitionDescription 4: ${description}`,
    `InvalidDefinitionDescription 6: ${description}`,
  ],
  [
    '# check=experimental=InvalidDefinitionDescription\n\n# b builds\nFROM a AS b\n# other\n\nARG C\n# D is\nARG C D\n# no name\nFROM e',
  ],
]

test('checkDockerfile() finds the violations of each rule', () => {
  for (const [text, ...warnings] of rows) assert.deepEqual(check(text), warnings, text)
})

test('every rule of checkDockerfile() has a row above', () => {
  const shown = new Set(rows.flatMap(([, ...warnings]) => warnings.map((one) => one.split(' ')[0])))
  const missing = checkRules.map(({ name }) => name).filter((name) => !shown.has(name))
  assert.deepEqual(missing, ['CopyIgnoredFile'])
  assert.equal(checkRules.length, 21)
})

test('checkDockerfile() uses the ignore file', () => {
  const ignore = new IgnoreMatcher(['*/tmp/*', 'docs', '!docs/keep', '*.log'])
  const text =
    'FROM scratch AS a\nCOPY ./a/tmp/x.txt /\nADD x.log https://e/y.log /z/\nCOPY docs /\nCOPY . /\nCOPY *.log /l/\nCOPY <<x.log /\nx.log\nFROM a\nCOPY --from=a x.log /'
  assert.deepEqual(check(text, { ignore }), [
    'CopyIgnoredFile 2: Attempting to Copy file "./a/tmp/x.txt" that is excluded by .dockerignore',
    'CopyIgnoredFile 3: Attempting to Add file "x.log" that is excluded by .dockerignore',
  ])
})

test('checkDockerfile() uses known base images to judge variables', () => {
  const text = 'FROM java\nCOPY $JAVA_HOME $OTHER /x/'
  assert.deepEqual(check(text, { baseConfigs: () => ({ Env: ['JAVA_HOME=/j'] }) }), [
    "UndefinedVar 2: Usage of undefined variable '$OTHER'",
  ])
  assert.deepEqual(check(text), [])
})

test('checkDockerfile() obeys the check directive, and prefers the build argument', () => {
  const text = 'from a as B\nCMD c'
  const rules = (first: string, buildArgs: Record<string, string> = {}) => {
    const dockerfile = parseDockerfile(`${first}\n${text}`)
    const { warnings, failedRules } = checkDockerfile(dockerfile, { scope: evaluateGlobals(dockerfile, { buildArgs }) })
    const failure = failedRules === undefined ? undefined : checkFailure(failedRules)
    return [warnings.map(({ rule }) => rule).join(' '), failure]
  }
  const all = 'StageNameCasing ConsistentInstructionCasing JSONArgsRecommended'
  assert.deepEqual(rules(''), [all, undefined])
  assert.deepEqual(rules('# check=skip=StageNameCasing,JSONArgsRecommended'), [
    'ConsistentInstructionCasing',
    undefined,
  ])
  assert.deepEqual(rules('# check=skip=all'), ['', undefined])
  assert.deepEqual(rules('# check=skip=jsonargsrecommended')[0], all)
  assert.deepEqual(rules('# check=skip=StageNameCasing;error=true'), [
    'ConsistentInstructionCasing JSONArgsRecommended',
    'lint violation found for rules: ConsistentInstructionCasing, JSONArgsRecommended',
  ])
  assert.deepEqual(rules('# check=skip=all;error=true'), ['', undefined])
  assert.deepEqual(rules('# check=skip=all', { BUILDKIT_DOCKERFILE_CHECK: 'error=false' }), [all, undefined])
  assert.throws(() => rules('', { BUILDKIT_DOCKERFILE_CHECK: 'x' }), { message: 'invalid check option "x"' })
})

test('checkDockerfile() points at the word and shows its line', () => {
  const [warning] = checkDockerfile(parseDockerfile('FROM a\nEXPOSE 80 81/UDP\nRUN x')).warnings
  assert.deepEqual(warning?.at, { line: 2, column: 11 })
  assert.equal(
    warning?.excerpt,
    '--------------------\n   1 |     FROM a\n   2 | >>> EXPOSE 80 81/UDP\n     |               ^\n   3 |     RUN x\n--------------------',
  )
})

test('checkDockerfile() throws for stages that no build could evaluate', () => {
  assert.throws(() => check('FROM scratch\nEXPOSE web'), DockerfileError)
  // It might work with the parent's variables.
  assert.deepEqual(check('FROM a\nENV b=${HOMEPAGE?}'), [])
})

test('baseImagePlatformWarning() names both platforms', () => {
  const [pulled, expected] = [
    { os: 'linux', architecture: 'arm64' },
    { os: 'linux', architecture: 'amd64' },
  ]
  assert.equal(
    baseImagePlatformWarning('a:1', pulled ?? expected, expected),
    'Base image a:1 was pulled with platform "linux/arm64", expected "linux/amd64" for current build',
  )
})
