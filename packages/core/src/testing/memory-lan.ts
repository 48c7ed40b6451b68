/** A local network in memory: announcements move when it is told to beat, or when somebody is in a hurry. */
import type { Discovery, DiscoveryHandlers } from '../ports/discovery.ts'

export class MemoryLan {
  private readonly members = new Map<string, DiscoveryHandlers>()

  /** Core's Discovery for a device with this address. */
  join(address: string): Discovery {
    return {
      start: async (handlers) => {
        if (this.members.has(address)) return
        this.members.set(address, handlers)
        this.announce(address)
      },
      hurry: () => this.announce(address),
      stop: async () => void this.members.delete(address),
    }
  }

  /** Everybody announces once. */
  beat(): void {
    for (const address of this.members.keys()) this.announce(address)
  }

  /** What the member with this address would say to somebody else's program that asks for peers of libp2p. */
  named(address: string): string | null {
    return this.members.get(address)?.named?.(address) ?? null
  }

  /** Lets all members hear bytes that somebody made up. */
  inject(bytes: Uint8Array, address: string): void {
    for (const member of [...this.members.values()]) member.heard(bytes.slice(), { address, zone: null })
  }

  private announce(address: string): void {
    for (const bytes of this.members.get(address)?.announcements(address) ?? []) this.inject(bytes, address)
  }
}
