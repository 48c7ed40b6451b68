/** What docs/operations.md tells an operator to type exists: commands, their options, settings, variables, metrics. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { afterAll, describe, expect, it } from 'vitest'
import { createProgram } from './command-line.ts'
import { parseChanges } from './commands/index.ts'
import { changeSettings } from './settings.ts'

const read = (name: string): string => readFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), 'utf8')
const GUIDE = read('docs/operations.md')
const program = createProgram(false)
const dir = mkdtempSync(join(tmpdir(), 'skein-guide-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Every `skein-relay …` in inline code and code blocks, without what the shell takes. */
const commands = [
  ...new Set([...GUIDE.matchAll(/(?<![\w/-])skein-relay (?!-n)([a-z][^`\n|;&>)]*)/g)].map(([, text = '']) => text.trim())),
].filter((text) => isTyped(text))

/** In code, and not a sentence that speaks of the relay. */
function isTyped(text: string): boolean {
  return GUIDE.includes(`\`skein-relay ${text}`) || GUIDE.includes(`    skein-relay ${text}`) || GUIDE.includes(`&& skein-relay ${text}`)
}

function find(words: readonly string[]): { command: Command; rest: readonly string[] } {
  let command: Command = program
  let at = 0
  for (; at < words.length; at += 1) {
    const next = command.commands.find((each) => each.name() === words[at])
    if (next === undefined) break
    command = next
  }
  return { command, rest: words.slice(at) }
}

describe('the guide', () => {
  it('[RL20] is read by this test', () => expect(commands.length).toBeGreaterThan(12))

  it.each(commands)('[RL20] skein-relay %s', (text) => {
    const { command, rest } = find(text.split(/\s+/))
    expect(command).not.toBe(program)
    const options = rest.filter((each) => each.startsWith('--'))
    const known = [...command.options, ...program.options].map(({ long }) => long)
    expect(options.filter((each) => !known.includes(each))).toEqual([])
    const takesMany = command.registeredArguments.some(({ variadic }) => variadic)
    const values = command.options.filter(({ long, required }) => required && options.includes(long ?? '')).length
    const words = rest.filter((each) => !each.startsWith('--')).length - values
    expect(takesMany || words <= command.registeredArguments.length).toBe(true)
    if (command.name() === 'limits') expect(() => changeSettings(dir, parseChanges(rest))).not.toThrow()
  })

  it('[RL20] variables, settings and metrics have the names of the program', () => {
    const variables = program.options.map(({ envVar }) => envVar)
    expect([...GUIDE.matchAll(/\bSKEIN_RELAY_\w+/g)].map(([name]) => name).filter((name) => !variables.includes(name))).toEqual([])
    const metrics = read('apps/relay/src/metrics.ts')
    const named = [...GUIDE.matchAll(/\bskein_relay_(\w+?)(?:_total)?\b/g)].map(([, name = '']) => name)
    expect(named.filter((name) => !metrics.includes(name))).toEqual([])
    const settings = read('apps/relay/src/settings.ts')
    const places = [...GUIDE.matchAll(/\b(?:limits|budget|strangers)\.(\w+)/g)].map(([, name = '']) => name)
    expect(places.filter((name) => !settings.includes(`${name}:`))).toEqual([])
  })

  it('[RL20] options of the install script are ones that it takes', () => {
    const script = read('infra/install.sh')
    const used = [...GUIDE.matchAll(/install\.sh([^`\n]*)/g)].flatMap(([, text = '']) => text.match(/--[a-z-]+/g) ?? [])
    expect(used.length).toBeGreaterThan(2)
    expect(used.filter((each) => !new RegExp(`[\\s|']${each}[\\s|)]`).test(script))).toEqual([])
  })
})
