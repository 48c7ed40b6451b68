/** Lets options stand before or after the subcommand: moves the subcommand to the front, and nothing else. */
import { parseArgs } from 'node:util'
import type { Command, Option } from 'commander'

type Kind = { type: 'boolean' | 'string'; short?: string }

function kindOf(option: Option): [string, Kind][] {
  if (option.long === undefined || option.long === null) return []
  const type = option.required || option.optional ? 'string' : 'boolean'
  return [[option.long.slice(2), option.short ? { type, short: option.short.slice(1) } : { type }]]
}

/** @param argv arguments without the interpreter and script */
export function subcommandFirst(program: Command, argv: readonly string[]): string[] {
  const all = [...program.options, ...program.commands.flatMap((command) => command.options)]
  const options = Object.fromEntries(all.flatMap(kindOf))
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true })
  const names = new Set(program.commands.map((command) => command.name()))
  const end = tokens.find((token) => token.kind === 'option-terminator')?.index ?? Number.POSITIVE_INFINITY
  const first = tokens.find((token) => token.kind === 'positional' && token.index < end)
  if (first?.kind !== 'positional' || !names.has(first.value)) return [...argv]
  return [first.value, ...argv.slice(0, first.index), ...argv.slice(first.index + 1)]
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `20s`, `500ms`, `1.5m`; undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  const unit = UNITS[match?.[2] ?? '']
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit)
}
