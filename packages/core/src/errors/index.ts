/**
 * The one error class of the program and its closed set of codes. Compare by code, never by message or class;
 * each code has an entry in docs/ERRORS.md.
 */
export const ERROR_CODES = [
  'ACCOUNT_IN_USE',
  'BACKUP_DAMAGED',
  'BACKUP_REFUSED',
  'BAD_FRAME',
  'BAD_SIGNATURE',
  'BUDGET_SPENT',
  'CARD_FORGED',
  'CONFIG_INVALID',
  'CONTACT_AMBIGUOUS',
  'CONTACT_BLOCKED',
  'CONTACT_UNKNOWN',
  'DATA_DIR_READ_ONLY',
  'DEVICE_AWAY',
  'DEVICE_LIST_FORKED',
  'DEVICE_LIST_ROLLED_BACK',
  'DEVICE_REVOKED',
  'DEVICE_UNKNOWN',
  'DISK_FULL',
  'ENVELOPE_EXPIRED',
  'EXPANDS_TOO_FAR',
  'FILE_CHANGED',
  'FILE_DAMAGED',
  'FILE_TOO_LARGE',
  'FILE_UNREADABLE',
  'FRAME_TOO_LARGE',
  'INVITE_DAMAGED',
  'INVITE_EXPIRED',
  'INVITE_FORGED',
  'INVITE_NOT_ONE',
  'INVITE_OWN',
  'INVITE_UNKNOWN',
  'INVITE_VERSION',
  'KEYS_CHANGED',
  'KEY_REFUSED',
  'KEY_USED',
  'LINK_EXPIRED',
  'LINK_NOT_ONE',
  'LINK_REFUSED',
  'MESSAGE_TOO_LARGE',
  'MESSAGE_UNKNOWN',
  'NAME_TOO_LONG',
  'NO_BUNDLE',
  'NO_DAEMON',
  'NOT_YOURS',
  'NO_DELIVERY_TAG',
  'PIPE_BROKEN',
  'PORT_IN_USE',
  'PREKEY_UNKNOWN',
  'PROOFS_OFF',
  'PROOF_INVALID',
  'RELAY_UNREACHABLE',
  'REPLAYED',
  'SAFETY_NUMBER_DIFFERS',
  'SEAL_BROKEN',
  'SESSION_CONFLICT',
  'SESSION_UNKNOWN',
  'STORE_CLOSED',
  'STORE_CORRUPT',
  'STORE_LOCKED',
  'TAG_UNKNOWN',
  'TIMED_OUT',
  'TOKEN_FORGED',
  'TOO_FAR_AHEAD',
  'TOO_MANY_FILES',
  'TRANSFER_UNKNOWN',
  'UNKNOWN_SENDER',
  'USAGE',
  'WRONG_DEVICE',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** What a store says that could not do its work: of what was to be kept it says nothing, so that is to come again. */
export const STORE_FAILURES: readonly string[] = [
  'DATA_DIR_READ_ONLY',
  'DISK_FULL',
  'STORE_CLOSED',
  'STORE_CORRUPT',
  'STORE_LOCKED',
] satisfies readonly ErrorCode[]

export interface SkeinErrorOptions {
  /** Facts for a program: never message text, keys or names. */
  readonly data?: Readonly<Record<string, string | number | boolean>>
  readonly cause?: unknown
}

/** Failure with a code for programs and a sentence for people. */
export class SkeinError extends Error {
  override readonly name = 'SkeinError'
  readonly code: ErrorCode
  readonly data: Readonly<Record<string, string | number | boolean>>

  constructor(code: ErrorCode, sentence: string, options: SkeinErrorOptions = {}) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.data = options.data ?? {}
  }
}

/** Whether `error` is ours, optionally with one particular code; survives duplicate copies of this package. */
export function isSkeinError(error: unknown, code?: ErrorCode): error is SkeinError {
  if (!(error instanceof Error) || error.name !== 'SkeinError') return false
  return code === undefined || (error as SkeinError).code === code
}
