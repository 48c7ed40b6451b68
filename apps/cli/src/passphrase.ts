/** Asks for a passphrase at the terminal; what is typed is not shown. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { SkeinError } from '@skein/core'

/** Undefined when nobody is there to ask. @throws SkeinError USAGE: a new passphrase was not typed the same way twice */
export async function askPassphrase(need: 'new' | 'existing'): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  const given = await ask(need === 'new' ? 'New passphrase (without it nobody can read this data, not even you): ' : 'Passphrase: ')
  if (need === 'new' && given !== (await ask('Once more: '))) throw new SkeinError('USAGE', 'The two passphrases differ.')
  return given
}

/** On stderr, because stdout is for results. */
function ask(question: string): Promise<string> {
  const unseen = new Writable({ write: (_part, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: unseen, terminal: true, historySize: 0 })
  process.stderr.write(question)
  return new Promise((resolve) => {
    // Ctrl-C and Ctrl-D answer with nothing, which is then refused.
    let given = ''
    terminal.once('SIGINT', () => terminal.close())
    terminal.once('close', () => {
      process.stderr.write('\n')
      resolve(given)
    })
    terminal.once('line', (line) => {
      given = line
      terminal.close()
    })
  })
}
