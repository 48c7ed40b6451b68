/** What a machine knows of its own address, with providers of the test's own on loopback. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { askProvider, isPublic } from './address.ts'

const servers: ReturnType<typeof createServer>[] = []
afterEach(() => servers.splice(0).forEach((each) => each.close()))

type Answer = (request: IncomingMessage) => string | undefined

async function provider(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    const text = answer(request)
    response.writeHead(text === undefined ? 404 : 200).end(text)
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const PUBLIC = '5.9.17.4'
const PROVIDERS: Readonly<Record<string, Answer>> = {
  amazon: ({ url, method, headers }) => {
    if (url === '/latest/api/token') return method === 'PUT' && 'x-aws-ec2-metadata-token-ttl-seconds' in headers ? 'ticket' : undefined
    return url === '/latest/meta-data/public-ipv4' && headers['x-aws-ec2-metadata-token'] === 'ticket' ? PUBLIC : undefined
  },
  google: ({ url, headers }) => (url?.endsWith('/external-ip') === true && headers['metadata-flavor'] === 'Google' ? PUBLIC : undefined),
  azure: ({ url, headers }) => (url?.includes('/publicIpAddress?') === true && headers['metadata'] === 'true' ? PUBLIC : undefined),
  'openstack, with a line feed': ({ url }) => (url === '/latest/meta-data/public-ipv4' ? `${PUBLIC}\n` : undefined),
}

it.each(Object.entries(PROVIDERS))('[RL26] is told the public address by %s', async (_, answer) => {
  expect(await askProvider(await provider(answer))).toBe(PUBLIC)
})

it.each([
  ['nothing', () => undefined],
  ['an empty line', () => ''],
  ['a private address', () => '10.0.0.7'],
  ['a page for whoever should log in', () => '<html>Welcome to our network</html>'],
  ['a long text', () => 'x'.repeat(10_000)],
])('[RL26] takes no address from %s', async (_, answer) => {
  expect(await askProvider(await provider(answer))).toBeUndefined()
})

it('[RL26] knows which addresses others cannot reach', () => {
  const unreachable = [
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.9',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.1.1',
    'fd00::1',
    'fe80::1',
    '::1',
    'relay',
  ]
  expect(unreachable.filter(isPublic)).toEqual([])
  expect([PUBLIC, '2a01:4f8::1', '::ffff:5.9.17.4'].every(isPublic)).toBe(true)
})
