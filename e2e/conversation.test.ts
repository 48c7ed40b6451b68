import { expect, it } from 'vitest'
import { befriend, compareHistories, eventually, Lab, type PeerLine } from './processes.ts'

it('[DL1] two people become contacts by an invite and talk both ways; history survives a restart', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const ana = await lab.client('ana', [relay.url])
  const bo = await lab.client('bo', [relay.url])
  await befriend(ana, bo)
  const there = await bo.run('send', 'ana', '--wait', 'delivered', '--', 'hello --json there')
  expect(there).toMatchObject({ code: 0, json: { messages: [{ state: 'delivered' }] } })
  const back = await ana.run('send', '--wait', 'delivered', 'bo', '--', 'hi')
  expect(back.code).toBe(0)
  const seen = await ana.history('bo')
  expect(seen.map(({ direction, text }) => [direction, text])).toEqual([
    ['in', 'hello --json there'],
    ['out', 'hi'],
  ])
  expect(seen[0]?.id).toBe(there.json.messages[0].id)
  expect(await ana.end()).toBe(0)
  await ana.start()
  expect(await ana.history('bo')).toEqual(seen)
})

it('[PR1] contacts see each other online', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  await eventually('both online', async () => (await ana.isOnline('bo')) && (await bo.isOnline('ana')))
  const { json } = await ana.run('peers')
  expect(json.peers).toMatchObject([{ contact: bo.account, online: true, path: expect.stringMatching(/^(lan|direct|relayed)$/) }])
})

it('[PT2] why says which way leads to a contact, and why not a better one', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  // On one machine; whether its address is a local one is the machine's affair.
  await eventually('a direct path is taken', async () => ['lan', 'direct', 'punched'].includes((await ana.run('why', 'bo')).json.path))
  const { json } = await ana.run('why', 'bo')
  expect(json).toMatchObject({ contact: bo.account, since: expect.any(Number) })
  const rung = json.path === 'punched' ? `${json.transport}-punch` : json.transport === 'webrtc' ? 'webrtc' : json.path
  expect(json.reasons.at(-1)).toEqual({ rung, outcome: 'open', detail: 'in use' })
  const doctor = (await ana.run('doctor')).json
  expect(doctor.checks).toContainEqual(expect.objectContaining({ name: `relay ${relay.url}`, ok: true, detail: expect.any(String) }))
  expect(doctor.nat).toMatchObject({ udp: true, mapping: expect.stringMatching(/^(none|same)$/) })
  await bo.end('SIGKILL')
  await eventually('the way is gone', async () => (await ana.run('why', 'bo')).json.path === 'none')
  const gone = (await ana.run('why', 'bo')).json.reasons.map(({ rung }: { rung: string }) => rung)
  expect(gone).toEqual(['lan', 'direct', 'tcp-punch', 'udp-punch', 'webrtc', 'relayed'])
})

it('[CT8] somebody nearby is asked by device id, and is a contact as soon as they say yes', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [lab.asleep('ana', [relay.url]), lab.asleep('bo', [relay.url])]
  for (const each of [ana, bo]) {
    each.env = { SKEIN_VISIBILITY: 'everyone' }
    await each.start()
  }
  const nearby = async (): Promise<PeerLine | undefined> => (await ana.run('peers')).json.peers[0]
  await eventually('ana sees somebody', async () => (await nearby()) !== undefined)
  const device = (await nearby())?.device ?? ''
  const asked = await ana.run('add', device)
  expect(asked).toMatchObject({ code: 0, json: { contact: null, state: 'pending' } })
  expect(await nearby()).toMatchObject({ contact: null, device, asked: true })
  await eventually('bo is asked', async () => (await bo.run('contacts')).json.contacts.length === 1)
  await bo.run('add', ana.account)
  await eventually('both are contacts', async () => (await ana.run('send', 'bo', '--wait', 'delivered', '--', 'we met')).code === 0)
  expect(await nearby()).toMatchObject({ contact: bo.account, asked: false })
  expect((await ana.run('add', '12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo')).json).toMatchObject({
    error: { code: 'DEVICE_AWAY' },
  })
})

it('[DL4] a relay restarted in mid-conversation with other ports loses and doubles nothing', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  const before = relay.addresses
  for (let number = 0; number < 5; number += 1) await ana.run('send', 'bo', '--', `before ${number}`)
  await relay.end('SIGKILL')
  for (let number = 0; number < 5; number += 1) await ana.run('send', 'bo', '--', `away ${number}`)
  await bo.run('send', 'ana', '--', 'from the other side')
  await relay.start()
  expect(relay.addresses).not.toEqual(before)
  await eventually('everything has arrived', async () => (await bo.history('ana')).filter((each) => each.direction === 'in').length === 10)
  await eventually('the sender knows', async () => (await ana.history('bo')).every(({ state }) => state === 'delivered'))
  expect(await compareHistories(ana, bo)).toEqual({ sent: 10, lost: 0, doubled: 0 })
  expect(await compareHistories(bo, ana)).toEqual({ sent: 1, lost: 0, doubled: 0 })
  const texts = (await bo.history('ana')).filter((each) => each.direction === 'in').map(({ text }) => text)
  expect(texts).toEqual([...Array(5).keys()].map((n) => `before ${n}`).concat([...Array(5).keys()].map((n) => `away ${n}`)))
})

it('[DL9] a client killed in mid-send delivers what it had queued after it is back, nothing twice', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  const sends = [...Array(12).keys()].map((number) => ana.run('send', 'bo', '--', `message ${number}`))
  await Promise.race(sends)
  await ana.end('SIGKILL')
  const acknowledged = (await Promise.all(sends)).filter(({ code }) => code === 0).map(({ json }) => json.messages[0].id as string)
  await ana.start()
  await eventually('the sender knows', async () => {
    const history = await ana.history('bo')
    return history.length >= acknowledged.length && history.every(({ state }) => state === 'delivered')
  })
  const { lost, doubled } = await compareHistories(ana, bo)
  expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 })
  const arrived = (await bo.history('ana')).map(({ id }) => id)
  expect(acknowledged.filter((id) => !arrived.includes(id))).toEqual([])
})

it('[DL9] a recipient killed while messages come gets each once after it is back', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  const sends = [...Array(12).keys()].map((number) => ana.run('send', 'bo', '--', `message ${number}`))
  await sends[0]
  await bo.end('SIGKILL')
  await Promise.all(sends)
  await bo.start()
  await eventually('the sender knows', async () => (await ana.history('bo')).every(({ state }) => state === 'delivered'))
  expect(await compareHistories(ana, bo)).toEqual({ sent: 12, lost: 0, doubled: 0 })
})

it('a client with two relays goes on through the second when the first is gone', async () => {
  await using lab = await Promise.resolve(new Lab())
  const [first, second] = [await lab.relay('first'), await lab.relay('second')]
  const [ana, bo] = [await lab.client('ana', [first.url, second.url]), await lab.client('bo', [first.url, second.url])]
  await befriend(ana, bo)
  await Promise.all([ana.joined(2), bo.joined(2)])
  await first.end('SIGKILL')
  const sent = await ana.run('send', 'bo', '--wait', 'delivered', '--timeout', '30s', '--', 'by the other way')
  expect(sent).toMatchObject({ code: 0, json: { messages: [{ state: 'delivered' }] } })
})

it('a contact known only by account id is found through two relays that share nothing but the DHT', async () => {
  await using lab = await Promise.resolve(new Lab())
  const first = await lab.relay('first')
  const second = await lab.relay('second', {}, ['--bootstrap', first.url])
  const ana = await lab.client('ana', [first.url])
  const bo = await lab.client('bo', [second.url])
  await Promise.all([ana.joined(), bo.joined()])
  await eventually('bo asks ana', async () => (await bo.run('add', ana.account)).code === 0)
  await eventually('ana sees the request', async () =>
    (await ana.run('contacts')).json.contacts.some((each: { state: string }) => each.state === 'requested'),
  )
  expect((await ana.run('add', bo.account)).code).toBe(0)
  await eventually('both are contacts', async () =>
    (await bo.run('contacts')).json.contacts.some((each: { state: string }) => each.state === 'accepted'),
  )
  const sent = await ana.run('send', 'bo', '--wait', 'delivered', '--', 'found you')
  expect(sent.code).toBe(0)
})

it('starts while the relay is away, and joins when it comes', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  await relay.end('SIGKILL')
  const ana = await lab.client('ana', [relay.url])
  expect((await ana.run('status')).json.relays).toMatchObject([{ url: relay.url, connected: false, reserved: false }])
  await relay.start()
  await ana.joined()
})
