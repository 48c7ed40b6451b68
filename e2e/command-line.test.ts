import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { befriend, eventually, Lab, run } from './processes.ts'

it('events follow along: messages, ticks, and whether the user wants to be called', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  using heard = ana.events()
  using told = bo.events()
  const arrived = (text: string) => heard.seen.find(({ message }) => (message as { text?: string } | undefined)?.text === text)
  // The two listen from some moment on; what is sent before is not heard.
  await eventually('both listen', async () => {
    await bo.run('send', 'ana', '--wait', 'delivered', '--', 'loud')
    return arrived('loud') !== undefined && told.seen.some(({ event, state }) => event === 'state' && state === 'delivered')
  })
  expect(arrived('loud')).toMatchObject({ event: 'message', contact: bo.account, name: 'bo', muted: false, message: { direction: 'in' } })
  expect(await ana.run('mute', 'bo')).toMatchObject({ code: 0, json: { muted: true } })
  await bo.run('send', 'ana', '--wait', 'delivered', '--', 'quiet')
  await eventually('the muted message is heard of', () => arrived('quiet') !== undefined)
  expect(arrived('quiet')).toMatchObject({ muted: true })
})

it('[IN9] a revoked invite is worth nothing from then on', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await ana.joined()
  const { json } = await ana.run('invite')
  expect(await ana.run('invite', '--revoke', json.invite)).toMatchObject({ code: 0, json: { revoked: 1 } })
  expect(await bo.run('add', json.invite)).toMatchObject({ code: 1, json: { error: { code: 'CONTACT_UNKNOWN' } } })
  expect(await bo.run('invite', '--revoke', json.invite)).toMatchObject({ code: 1, json: { error: { code: 'INVITE_UNKNOWN' } } })
  expect(await ana.run('invite', '--revoke')).toMatchObject({ code: 0, json: { revoked: 0 } })
})

it('[IN1] bad invites are refused with a sentence that says which', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const ana = await lab.client('ana', [relay.url])
  await ana.joined()
  const { json } = await ana.run('invite')
  const cases: [string, string][] = [
    ['nonsense', 'INVITE_NOT_ONE'],
    [json.invite.slice(0, -3), 'INVITE_DAMAGED'],
    [json.invite, 'INVITE_OWN'],
  ]
  for (const [text, code] of cases) {
    const tried = await ana.run('add', text)
    expect(tried).toMatchObject({ code: 1, json: { error: { code } } })
  }
})

it('trouble at the start is said in a sentence with a code', async () => {
  await using lab = await Promise.resolve(new Lab())
  const ana = await lab.client('ana', [])
  const locked = await run(['up', '--json', '--data-dir', ana.dir])
  expect(locked).toMatchObject({ code: 1, json: { error: { code: 'STORE_LOCKED' } } })
  const port = Number(/\/tcp\/(\d+)\//.exec((await ana.run('status')).json.addresses[0])?.[1])
  expect(await run(['up', '--json', '--data-dir', lab.path('other'), '--port', String(port)])).toMatchObject({
    code: 1,
    json: { error: { code: 'PORT_IN_USE' } },
  })
  mkdirSync(lab.path('broken'))
  writeFileSync(join(lab.path('broken'), 'skein.sqlite'), 'not a database, but long enough to be looked at as one. '.repeat(40))
  expect(await run(['up', '--json', '--data-dir', lab.path('broken')])).toMatchObject({
    code: 1,
    json: { error: { code: 'STORE_CORRUPT' } },
  })
  writeFileSync(lab.path('file'), '')
  expect(await run(['up', '--json', '--data-dir', join(lab.path('file'), 'in')])).toMatchObject({
    code: 1,
    json: { error: { code: 'DATA_DIR_READ_ONLY' } },
  })
  expect(await run(['status', '--json', '--data-dir', lab.path('nobody')])).toMatchObject({
    code: 4,
    json: { error: { code: 'NO_DAEMON' } },
  })
  const bo = await lab.client('bo', [])
  expect((await bo.run('stop')).code).toBe(0)
  rmSync(join(bo.dir, 'skein.sqlite'))
  expect(await run(['up', '--json', '--data-dir', bo.dir])).toMatchObject({ code: 1, json: { error: { code: 'STORE_CORRUPT' } } })
  expect(await run(['up', '--json', '--port', 'many'])).toMatchObject({ code: 2, json: { error: { code: 'USAGE' } } })
  expect(existsSync(lab.path('nobody'))).toBe(false)
})

it('the contract of the command line: options on either side, exit codes, stop', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  await bo.end('SIGKILL')
  // A mailbox may have it by then.
  const onItsWay = expect.stringMatching(/^(queued|carried)$/)
  const late = await run(['--wait', 'delivered', 'send', '--timeout', '1s', '--data-dir', ana.dir, 'bo', '--json', '--', '--not-an-option'])
  expect(late).toMatchObject({ code: 3, json: { messages: [{ state: onItsWay, reason: null, delivered_at: null }] } })
  const { id } = late.json.messages[0]
  expect(await ana.run('wait', id, '--state', 'queued', '--timeout', '1s')).toMatchObject({ code: 0, json: { id, state: onItsWay } })
  const piped = await run(['--data-dir', ana.dir, '--json', 'send', 'bo', '-'], { input: 'from a pipe\n' })
  expect(piped.code).toBe(0)
  expect((await ana.history('bo')).map(({ text }) => text)).toEqual(['--not-an-option', 'from a pipe'])
  expect(await ana.run('send', 'nobody', '--', 'x')).toMatchObject({ code: 1, json: { error: { code: 'CONTACT_UNKNOWN' } } })
  expect(await ana.run('history', 'bo', '--limit', '99999')).toMatchObject({
    code: 2,
    json: { error: { code: 'USAGE', message: expect.stringContaining('«limit»') } },
  })
  const twice = await ana.run('send', 'bo', 'bo', '--', 'once')
  expect(twice.json.messages).toHaveLength(1)
  const texts = (await ana.run('history', 'bo', '--after', id, '--limit', '1')).json.messages.map(({ text }: { text: string }) => text)
  expect(texts).toEqual(['from a pipe'])
  // The same option has a value with one command and none with another.
  const waiting = await run(['--wait', '--timeout', '1s', 'send-file', '--data-dir', ana.dir, '--json', 'bo', '/nowhere'])
  expect(waiting.json.error.code).toBe('FILE_UNREADABLE')
  expect((await run([])).out).toContain('Usage: skein')
  expect((await run(['--json', '--help'])).json.help).toContain('Usage: skein')
  expect(await ana.run('config')).toMatchObject({
    code: 0,
    json: {
      data_dir: { value: ana.dir, origin: 'flag' },
      name: { value: 'ana', origin: 'flag' },
      visibility: { value: 'contacts', origin: 'default' },
    },
  })
  const { pid } = ana
  expect((await ana.run('stop')).code).toBe(0)
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  expect((await ana.run('status')).code).toBe(4)
})
