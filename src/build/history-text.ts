/** What an image's history says of an instruction, in the form that Docker's builder gives it. */
import type { Instruction, Step } from './dockerfile/index.ts'
import { proxyArguments } from './dockerfile/index.ts'

/** `args`: arguments of the stage that a RUN sees, with their values. */
export function historyText({ instruction, command }: Step, args: ReadonlyMap<string, string | undefined>): string {
  switch (instruction.kind) {
    case 'RUN': {
      const seen = [...args].filter(([name, value]) => value !== undefined && !proxyArguments.includes(name))
      const prefix =
        seen.length === 0 ? '' : `|${seen.length} ${seen.map(([name, value]) => `${name}=${value}`).join(' ')} `
      return `RUN ${prefix}${(command ?? []).join(' ')}`
    }
    case 'COPY':
    case 'ADD':
      return copyText(instruction)
    case 'ENV':
    case 'LABEL':
      return `${instruction.kind} ${instruction.pairs.map(({ key, value }) => `${key}=${value}`).join(' ')}`
    case 'ARG':
      return `ARG ${instruction.args.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`)).join(' ')}`
    case 'CMD':
    case 'ENTRYPOINT': {
      const { command: line } = instruction
      const words = line.form === 'exec' ? line.args : ['/bin/sh', '-c', line.text]
      return `${instruction.kind} [${words.map((word) => JSON.stringify(word)).join(' ')}]`
    }
    case 'EXPOSE':
      return `EXPOSE [${instruction.words.map(({ text }) => text).join(' ')}]`
    case 'VOLUME':
      return `VOLUME [${instruction.words.map(({ text }) => text).join(' ')}]`
    case 'SHELL':
      return `SHELL [${instruction.shell.join(' ')}]`
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
    case 'MAINTAINER':
      return `${instruction.kind} ${instruction.text.text}`
    case 'HEALTHCHECK':
    case 'ONBUILD':
      return instruction.line.text
  }
}

function copyText(instruction: Extract<Instruction, { kind: 'COPY' | 'ADD' }>): string {
  const flags = [
    ...(instruction.chown === undefined ? [] : [`--chown=${instruction.chown.text}`]),
    ...(instruction.chmod === undefined ? [] : [`--chmod=${instruction.chmod.text}`]),
    ...(instruction.link ? ['--link'] : []),
  ]
  const sources = instruction.sources.map((source) => (source.kind === 'path' ? source.path : `<<${source.name}`))
  return [instruction.kind, ...flags, ...sources, instruction.destination.text].join(' ')
}
