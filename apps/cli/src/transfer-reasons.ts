/** What a transfer says of itself in a code, as sentences for people. */
import { MAX_PLACES_TOLD } from '@skein/core/files'
import type { TransferView } from '@skein/node/api'

/** By the reason of a transfer: codes of errors, and what it waits for. */
export const REASONS: Readonly<Record<string, string>> = {
  DISK_FULL: 'There is no room left on the disk it goes to. What has come is kept: make room, then let it go on with --resume.',
  FILE_CHANGED: 'The file was changed, moved or removed while it was sent. It has to be sent again.',
  FILE_DAMAGED: 'What arrived is not what was sent. It has to be sent again.',
  FILE_TOO_LARGE: 'This is larger than what can be sent.',
  FILE_UNREADABLE: 'The file cannot be read any more: check whether it is there, and your rights; then send it again.',
  PIPE_BROKEN: 'It came through a pipe that was broken off before its end. Nothing of it is kept: it has to be sent again.',
  TOO_MANY_FILES: 'These are more files than can be sent at once. Pack them.',
  NAME_TOO_LONG:
    'A name or path in it is too long for the disk or folder it goes to. Send it again, with shorter names, or accept it into a folder higher up.',
  BAD_FRAME: 'What the other side says of it contradicts itself, so it was ended.',
  SEAL_BROKEN: 'What arrived was not made by who offered it.',
  TRANSFER_UNKNOWN: 'The other side does not know this transfer any more.',
  expired: 'The other side was not there in time for the offer. Send it again.',
  'taken-back': 'The message that offered it was taken back.',
  there: 'The other side has given it up.',
  'paused-there': 'The other side has paused it.',
  unwritable: 'The disk or folder it goes to cannot be written. What has come is kept: look after it, then let it go on with --resume.',
  'source-away': 'The file cannot be read at the moment, or its disk is away. It goes on when it is back.',
  silent: 'Nothing comes at the moment.',
  elsewhere: 'Its sender has it no longer. It comes from another device of yours that has it, when both are there.',
  replaced: 'It was changed while it was sent. A new transfer has taken its place.',
  'not-anew':
    'It was changed while it was sent, and could not be offered as it is now. Send it again: what keeps it from that is said then.',
  mailed: 'It is in the mailbox; this device may be switched off.',
}

const OFFERED_ANEW = 'It was changed while it was sent. As it is now, it is offered by itself.'

/** Nothing where there is nothing to say beside the state; a code that is not known, of a newer program, is shown as it is. */
export function reasonOf({ reason, offered_anew, queue }: Pick<TransferView, 'reason' | 'offered_anew' | 'queue'>): string | undefined {
  if (offered_anew) return OFFERED_ANEW
  if (queue !== null) return `It waits for its turn, as number ${queue}${queue < MAX_PLACES_TOLD ? '' : ' or later'} in the queue.`
  if (reason === null) return undefined
  return Object.hasOwn(REASONS, reason) ? REASONS[reason] : `The other side says: ${reason}.`
}
