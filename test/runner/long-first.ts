/** The order of the test files: the long ones first, so that none of them runs alone at the end. */

/** Files that take about 20 seconds or longer, the longest first. The end of each run shows the times. */
const long = [
  'test/e2e/two-clis/two-clis.test.ts',
  'test/e2e/images/image-stress.test.ts',
  'test/e2e/images/pull-cuts.test.ts',
  'test/e2e/security/escape.test.ts',
  'test/e2e/build/build-debian.test.ts',
  'test/runner/limit.test.ts',
  'test/e2e/api/memory.test.ts',
  'test/e2e/networks/network-modes.test.ts',
  'test/e2e/two-clis/whole-daemon.test.ts',
  'test/e2e/options/options-security.test.ts',
  'test/root/images/pull-forms.test.ts',
  'test/root/networks/networks.test.ts',
]

/** `files` with the long ones first, otherwise in the same order. */
export function longFirst(files: readonly string[]): string[] {
  return [...long.filter((file) => files.includes(file)), ...files.filter((file) => !long.includes(file))]
}
