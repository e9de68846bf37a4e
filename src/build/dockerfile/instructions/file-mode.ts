/** The value of `--chmod`: octal, or symbolic as in chmod(1) (`u=rwX,go=rX`, `+x`, `g=u`). */

interface Clause {
  /** `u`, `g`, `o`. All three when the clause has none or `a`. */
  readonly who: readonly Who[]
  readonly operator: '+' | '-' | '='
  /** Letters of `rwxXst`, or one of `ugo` to copy permissions from. */
  readonly permissions: string
}

type Who = 'u' | 'g' | 'o'

/** A mode to set, or changes to a file's current mode. */
export type FileMode = { readonly octal: number } | { readonly clauses: readonly Clause[] }

/** Parses the flag's value. Undefined when it is not a mode. */
export function parseFileMode(text: string): FileMode | undefined {
  if (/^[0-7]{1,5}$/.test(text)) {
    const octal = Number.parseInt(text, 8)
    return octal <= 0o7777 ? { octal } : undefined
  }
  const clauses: Clause[] = []
  for (const part of text.split(',')) {
    const [, who = '', actions = ''] = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(part) ?? []
    if (actions === '') return undefined
    const all = who === '' || who.includes('a')
    const persons = (['u', 'g', 'o'] as const).filter((one) => all || who.includes(one))
    for (const [, operator, permissions = ''] of actions.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)) {
      if (operator === '+' || operator === '-' || operator === '=')
        clauses.push({ who: persons, operator, permissions })
    }
  }
  return { clauses }
}

/** Gives the 12 permission bits for a file whose bits are `current`. */
export function applyFileMode(mode: FileMode, current: number, isDirectory: boolean): number {
  if ('octal' in mode) return mode.octal
  let bits = current & 0o7777
  for (const clause of mode.clauses) bits = applyClause(clause, bits, isDirectory)
  return bits
}

const shifts: Readonly<Record<Who, number>> = { u: 6, g: 3, o: 0 }
const setId: Readonly<Record<Who, number>> = { u: 0o4000, g: 0o2000, o: 0 }

function applyClause(clause: Clause, before: number, isDirectory: boolean): number {
  let bits = before
  for (const who of clause.who) {
    const shift = shifts[who]
    const wanted = permissionBits(clause.permissions, before, isDirectory) << shift
    const special = clause.permissions.includes('s') ? setId[who] : 0
    const cleared = (0o7 << shift) | (isDirectory ? 0 : setId[who])
    if (clause.operator === '=') bits = (bits & ~cleared) | wanted | special
    else bits = clause.operator === '+' ? bits | wanted | special : bits & ~(wanted | special)
  }
  if (clause.permissions.includes('t')) bits = clause.operator === '-' ? bits & ~0o1000 : bits | 0o1000
  return bits
}

function permissionBits(permissions: string, before: number, isDirectory: boolean): number {
  if (permissions === 'u' || permissions === 'g' || permissions === 'o') return (before >> shifts[permissions]) & 0o7
  const execute = permissions.includes('x') || (permissions.includes('X') && (isDirectory || (before & 0o111) !== 0))
  return (permissions.includes('r') ? 4 : 0) | (permissions.includes('w') ? 2 : 0) | (execute ? 1 : 0)
}
