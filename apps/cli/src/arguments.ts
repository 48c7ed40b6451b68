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
  const places = program.commands.flatMap((command) => placeOf(program, command, argv) ?? [])
  if (places.length === 0) return [...argv]
  const first = Math.min(...places)
  return [argv[first] ?? '', ...argv.slice(0, first), ...argv.slice(first + 1)]
}

/** Where `command` stands in `argv` if it is what is meant: with the options as it knows them, it is what comes first. */
function placeOf(program: Command, command: Command, argv: readonly string[]): number | undefined {
  if (!argv.includes(command.name())) return undefined
  const options = Object.fromEntries([...program.options, ...command.options].flatMap(kindOf))
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true })
  const end = tokens.find((token) => token.kind === 'option-terminator')?.index ?? Number.POSITIVE_INFINITY
  const first = tokens.find((token) => token.kind === 'positional' && token.index < end)
  return first?.kind === 'positional' && first.value === command.name() ? first.index : undefined
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `20s`, `500ms`, `1.5m`; undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  const unit = UNITS[match?.[2] ?? '']
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit)
}
