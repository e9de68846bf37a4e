import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bestPlatform, formatPlatform, hostPlatform, parsePlatform, platformRank } from './index.ts'

test('parsePlatform() resolves aliases and completes from the host', () => {
  const host = hostPlatform()
  const texts: Record<string, string> = {
    'linux/x86_64': 'linux/amd64',
    'linux/arm64/v8': 'linux/arm64',
    'linux/aarch64': 'linux/arm64',
    'linux/arm': 'linux/arm/v7',
    'linux/armel': 'linux/arm/v6',
    'Linux/AMD64': 'linux/amd64',
    arm64: 'linux/arm64',
    i386: 'linux/386',
    linux: formatPlatform(host),
  }
  for (const [text, expected] of Object.entries(texts)) assert.equal(formatPlatform(parsePlatform(text)), expected)
  assert.throws(() => parsePlatform('nonsense'), {
    message: '"nonsense": unknown operating system or architecture: invalid argument',
  })
  assert.throws(() => parsePlatform('a/b/c/d'), { kind: 'invalidArgument' })
  assert.throws(() => parsePlatform('linux/a b'), { kind: 'invalidArgument' })
})

test('platformRank() prefers the exact platform and accepts others that the machine can run', () => {
  const rank = (wanted: string, offered: string) => platformRank(parsePlatform(wanted), parsePlatform(offered))
  assert.equal(rank('linux/amd64', 'linux/amd64'), 0)
  assert.equal(rank('linux/amd64', 'linux/arm64'), undefined)
  assert.equal(rank('linux/amd64', 'windows/amd64'), undefined)
  assert.ok((rank('linux/amd64', 'linux/386') ?? 0) > 0)
  assert.ok((rank('linux/arm64', 'linux/arm/v7') ?? 0) > 0)
  assert.equal(rank('linux/arm/v6', 'linux/arm/v7'), undefined)
  assert.ok((rank('linux/arm/v7', 'linux/arm/v6') ?? 0) > 0)
  assert.ok((rank('linux/amd64/v3', 'linux/amd64') ?? 0) > (rank('linux/amd64/v3', 'linux/amd64/v2') ?? 0))
})

test('bestPlatform() chooses the best of an index', () => {
  const offers = ['linux/386', 'linux/arm/v5', 'linux/amd64', 'linux/arm/v7', 'linux/arm64'].map(parsePlatform)
  const best = (wanted: string) => bestPlatform(parsePlatform(wanted), offers, (one) => one)
  assert.equal(best('linux/amd64')?.architecture, 'amd64')
  assert.equal(best('linux/arm64')?.architecture, 'arm64')
  assert.equal(best('linux/arm/v6')?.variant, 'v5')
  assert.equal(best('linux/s390x'), undefined)
})
