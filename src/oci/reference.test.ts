import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  familiarName,
  familiarReference,
  formatReference,
  parseReference,
  withDefaultTag,
  withDigest,
  withTag,
} from './index.ts'

const digest = `sha256:${'a'.repeat(64)}` as const

test('parseReference() completes names as Docker does', () => {
  const full: Record<string, string> = {
    busybox: 'docker.io/library/busybox',
    'busybox:1.36': 'docker.io/library/busybox:1.36',
    'a/b': 'docker.io/a/b',
    'docker.io/busybox': 'docker.io/library/busybox',
    'index.docker.io/a/b': 'docker.io/a/b',
    'localhost/x': 'localhost/x',
    'localhost:5000/x:1': 'localhost:5000/x:1',
    '127.0.0.1:5000/a/b/c:t': '127.0.0.1:5000/a/b/c:t',
    'quay.io/x': 'quay.io/x',
    'Host/x': 'Host/x',
    '[::1]:5000/x': '[::1]:5000/x',
    'a__b/c--d.e_f': 'docker.io/a__b/c--d.e_f',
    [`busybox@${digest}`]: `docker.io/library/busybox@${digest}`,
    [`busybox:1@${digest}`]: `docker.io/library/busybox:1@${digest}`,
  }
  for (const [text, expected] of Object.entries(full)) assert.equal(formatReference(parseReference(text)), expected)
})

test('parseReference() refuses invalid names with Docker’s texts', () => {
  const texts: Record<string, string> = {
    '': 'invalid reference format',
    ':tag': 'invalid reference format',
    'a b': 'invalid reference format',
    'a//b': 'invalid reference format',
    'a:': 'invalid reference format',
    'a@sha256:abc': 'invalid reference format',
    '-a': 'invalid reference format',
    'a..b': 'invalid reference format',
    'https://quay.io/x': 'invalid reference format',
    Busybox: 'invalid reference format: repository name (library/Busybox) must be lowercase',
    'quay.io/X': 'invalid reference format: repository name (X) must be lowercase',
    ['a'.repeat(64)]: `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`,
    [`x/${'a'.repeat(256)}`]: 'repository name must not be more than 255 characters',
    [`a:${'t'.repeat(129)}`]: 'invalid reference format',
    [`a@md5:${'a'.repeat(32)}`]: 'unsupported digest algorithm',
    [`a@sha256:${'a'.repeat(40)}`]: 'invalid checksum digest length',
    [`a@sha256:${'A'.repeat(64)}`]: 'invalid checksum digest format',
  }
  for (const [text, message] of Object.entries(texts)) {
    assert.throws(() => parseReference(text), { kind: 'invalidArgument', message }, text)
  }
})

test('familiarReference() shortens what Docker shortens', () => {
  const short: Record<string, string> = {
    'docker.io/library/busybox:1': 'busybox:1',
    'docker.io/a/b': 'a/b',
    'docker.io/library/a/b': 'library/a/b',
    'quay.io/a/b:2': 'quay.io/a/b:2',
  }
  for (const [text, expected] of Object.entries(short)) assert.equal(familiarReference(parseReference(text)), expected)
  assert.equal(familiarName(parseReference('busybox:1')), 'busybox')
})

test('withDefaultTag(), withTag() and withDigest() change tag and digest only', () => {
  assert.equal(familiarReference(withDefaultTag(parseReference('a'))), 'a:latest')
  assert.equal(familiarReference(withDefaultTag(parseReference(`a@${digest}`))), `a@${digest}`)
  assert.equal(familiarReference(withTag(parseReference('a:1'), '2')), 'a:2')
  assert.equal(familiarReference(withDigest(parseReference('a:1'), digest)), `a@${digest}`)
  assert.throws(() => withTag(parseReference('a'), '.x'), { message: 'invalid tag format' })
})
