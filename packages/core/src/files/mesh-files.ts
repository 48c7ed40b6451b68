/** Files by the mesh: both sides of it, put together. */
import { MeshReceiver, type MeshReceiverDeps } from './mesh-receiver.ts'
import { MeshSender, type MeshSenderDeps } from './mesh-sender.ts'
import type { Fetcher } from './fetcher.ts'
import type { MailRoom } from './mail-room.ts'
import type { Teller } from './teller.ts'

export interface MeshFilesDeps extends MeshSenderDeps, Omit<MeshReceiverDeps, 'say' | 'onCargo' | 'complete'> {
  readonly mail: Pick<MailRoom, 'tell' | 'sayDone'>
  readonly teller: Teller
  fetcher(): Fetcher
}

export class MeshFiles {
  readonly sender: MeshSender
  readonly receiver: MeshReceiver

  constructor(deps: MeshFilesDeps) {
    const { mail, teller, fetcher } = deps
    this.sender = new MeshSender(deps)
    this.receiver = new MeshReceiver({
      ...deps,
      say: (live, word) => mail.tell(live, word),
      onCargo: (live) => fetcher().wake(live),
      complete: async (live, whole) => {
        await fetcher().complete(live, whole)
        if (live.stored.state !== 'done') return
        mail.sayDone(live)
        teller.wake(live)
      },
    })
    deps.carrier.listen({
      open: (sealed) => this.receiver.open(sealed),
      onFate: (lock, fate) => this.sender.onFate(lock, fate),
      onNear: () => this.sender.wakeAll(),
    })
  }
}
