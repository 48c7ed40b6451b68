import type { NetworkInterfaceInfo } from 'node:os'
import { expect, it } from 'vitest'
import { pageHosts } from './page-hosts.ts'

const at = (address: string, netmask = '255.255.255.0', internal = false): NetworkInterfaceInfo[] => [
  { address, netmask, internal, family: 'IPv4', mac: '02:00:00:00:00:01', cidr: null },
]

const MANY = {
  lo: at('127.0.0.1', '255.0.0.0', true),
  docker0: at('172.17.0.1', '255.255.0.0'),
  'br-0123456789ab': at('172.18.0.1', '255.255.0.0'),
  tun0: at('10.8.0.2'),
  wg0: at('10.9.0.2', '255.255.255.255'),
  eth0: at('198.51.100.7'),
  wlan0: at('192.168.1.20'),
}

it('[OP3] with a VPN as the way out the code names the network that a phone is on, and then the others', () => {
  expect(pageHosts(MANY, '10.8.0.2')).toEqual(['192.168.1.20', '198.51.100.7', '10.8.0.2', '172.17.0.1', '172.18.0.1', '10.9.0.2'])
})

it('[OP3] of two networks that are shared the one with the way out comes first, and without one the private', () => {
  expect(pageHosts(MANY, '198.51.100.7')[0]).toBe('198.51.100.7')
  expect(pageHosts(MANY, undefined)[0]).toBe('192.168.1.20')
  expect(pageHosts({ 'vEthernet (WSL)': at('172.20.0.1'), 'Wi-Fi': at('192.168.1.20') }, undefined)[0]).toBe('192.168.1.20')
})

it('[OP3] where there is nothing else a network of this machine alone is named, and none where there is none', () => {
  expect(pageHosts({ lo: MANY.lo, docker0: MANY.docker0 }, undefined)).toEqual(['172.17.0.1'])
  expect(pageHosts({ lo: MANY.lo }, undefined)).toEqual([])
})
