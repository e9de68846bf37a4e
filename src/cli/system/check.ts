import type { StoreCheck } from '../../api/index.ts'
import type { Command } from '../command/command.ts'
import { humanSize } from '../format/units.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [
    { name: 'quiet', short: 'q', type: 'bool', help: 'Print only problems' },
    { name: 'strict', type: 'bool', help: 'Report unreferenced blobs and layers as problems' },
  ],
  async run({ client, output }, flags) {
    const check = await client.system.check()
    const { Problems: problems, Unused: unused } = check
    const strict = flags.bool('strict')
    for (const { Kind, Name, Message } of problems) output.write(`${Kind} ${Name}: ${Message}\n`)
    const idle = [
      ...unused.Blobs.map((digest) => `blob ${digest}`),
      ...unused.Layers.map((chainId) => `layer ${chainId}`),
      ...unused.Unfinished.map((key) => `unfinished download ${key}`),
    ]
    if (strict) for (const name of idle) output.write(`${name}: nothing needs it\n`)
    if (!flags.bool('quiet')) output.write(summary(check, idle.length))
    return problems.length > 0 || (strict && idle.length > 0) ? 1 : 0
  },
}

function summary({ Checked: checked, Problems: problems }: StoreCheck, unused: number): string {
  const found = problems.length === 0 ? 'no problems' : `${problems.length} problems`
  const blobs = `${checked.Blobs} blobs (${humanSize(checked.BlobBytes, 4)})`
  const rest = unused === 0 ? '' : `Nothing needs ${unused} of them: "berth image prune" removes these.\n`
  return `Checked ${checked.Images} images, ${checked.References} names, ${blobs}, ${checked.Snapshots} snapshots: ${found}.\n${rest}`
}
